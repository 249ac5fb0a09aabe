package sweeps_test

import (
	"errors"
	"strings"
	"testing"

	"headroom/sweeps"
)

const selecting = `name = "s"
model.backbone = "recipe:demo-bert"
data.train = "builtin:demo"
train.steps = 100
`

func selected(t *testing.T, change string) sweeps.RunConfig {
	t.Helper()
	spec, err := sweeps.Parse("s.toml", []byte(selecting+change))
	if err != nil {
		t.Fatal(err)
	}
	runs, err := spec.Expand()
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	return runs[0]
}

// What evaluates enters the id if it decides whose weights are the result, and
// only there.
func TestWhatSelectsTheCheckpointEntersTheID(t *testing.T) {
	const during = "evaluate.during = ['builtin:demo']\nevaluate.every = 10\n"
	watched := inputs()
	watched.During = "sha256:04"
	plain := sweeps.RunID(selected(t, ""), inputs())
	best := sweeps.RunID(selected(t, during+"checkpoint.select = 'best'\n"), watched)
	other := watched
	other.During = "sha256:05"
	for _, c := range []struct {
		name, change string
		in           sweeps.Inputs
		same         sweeps.ID
	}{
		{"watching", during, inputs(), plain},
		{"watching otherwise", strings.Replace(during, "10", "20", 1) + "evaluate.measures = ['AP']\n", inputs(), plain},
		{"keeping less", during + "checkpoint.keep = 'last'\n", inputs(), plain},
		{"selecting", during + "checkpoint.select = 'best'\n", watched, best},
		{"selecting, from a folder that moved", strings.Replace(during, "builtin:demo", "./elsewhere", 1) + "checkpoint.select = 'best'\n", watched, best},
		{"selecting, with more measures", during + "checkpoint.select = 'best'\nevaluate.measures = ['nDCG@10', 'AP']\n", watched, best},
		{"selecting, evaluated on more at the end", during + "checkpoint.select = 'best'\nevaluate.final = ['builtin:demo']\n", watched, best},
		{"selecting on other data", during + "checkpoint.select = 'best'\n", other, ""},
		{"selecting at other steps", strings.Replace(during, "10", "20", 1) + "checkpoint.select = 'best'\n", watched, ""},
		{"selecting by another measure", during + "checkpoint.select = 'best'\nevaluate.measures = ['AP', 'nDCG@10']\n", watched, ""},
	} {
		id := sweeps.RunID(selected(t, c.change), c.in)
		switch {
		case c.same == "" && (id == plain || id == best):
			t.Errorf("%s: the id of another run", c.name)
		case c.same != "" && id != c.same:
			t.Errorf("%s: another id", c.name)
		}
	}
	if plain == best {
		t.Error("selecting has the id of not selecting")
	}
}

func TestAChangeOfWhatSelectsIsSemantic(t *testing.T) {
	const during = "evaluate.during = ['builtin:demo']\nevaluate.every = 10\n"
	for _, c := range []struct {
		a, b string
		want map[string]bool
	}{
		{during, strings.Replace(during, "10", "20", 1), map[string]bool{"evaluate.every": false}},
		{during + "checkpoint.select = 'best'\n", strings.Replace(during, "10", "20", 1) + "checkpoint.select = 'best'\n", map[string]bool{"evaluate.every": true}},
		{during + "checkpoint.select = 'best'\nevaluate.measures = ['AP']\n", during + "checkpoint.select = 'best'\nevaluate.measures = ['AP', 'RR']\n", map[string]bool{"evaluate.measures": false}},
		{during + "checkpoint.select = 'best'\nevaluate.measures = ['AP']\n", during + "checkpoint.select = 'best'\nevaluate.measures = ['RR', 'AP']\n", map[string]bool{"evaluate.measures": true}},
		{during, during + "checkpoint.select = 'best'\n", map[string]bool{"checkpoint.select": true}},
	} {
		changes := sweeps.Diff(selected(t, c.a), selected(t, c.b))
		if len(changes) != len(c.want) {
			t.Errorf("%q: changes %v", c.b, changes)
		}
		for _, change := range changes {
			if want, known := c.want[change.Key]; !known || want != change.Semantic {
				t.Errorf("%q: %s is semantic: %t", c.b, change.Key, change.Semantic)
			}
		}
	}
}

func TestEvaluatingDuringTrainingNeedsAStepAndAMeasure(t *testing.T) {
	for change, want := range map[string]string{
		"evaluate.during = ['builtin:demo']\n":                                             "evaluate.every",
		"evaluate.during = ['builtin:demo']\nevaluate.every = 5\nevaluate.measures = []\n": "evaluate.measures",
		"evaluate.during = ['builtin:demo', 'builtin:demo']\nevaluate.every = 5\n":         "twice",
		"evaluate.every = 5\n":         "evaluate.during",
		"checkpoint.select = 'best'\n": "evaluate.during and evaluate.every",
	} {
		spec, err := sweeps.Parse("s.toml", []byte(selecting+change))
		if err == nil {
			_, err = spec.Expand()
		}
		var faults sweeps.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", change, err)
		}
	}
}
