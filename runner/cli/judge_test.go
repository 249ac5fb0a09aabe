package cli_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

type judgedAgain struct {
	Schema int `json:"schema"`
	Runs   []struct {
		ID, Label, Stored, Judged string
		Flipped                   bool
		Episodes                  []json.RawMessage
	} `json:"runs"`
	Flipped     int `json:"flipped"`
	Sensitivity []struct {
		Key      string
		Value    float64
		Verdicts map[string]int
		Flipped  []string
	} `json:"sensitivity"`
}

func TestJudgeReadsAndChangesNothing(t *testing.T) {
	p := newPlace(t)
	path := p.sample()
	p.extra = append(p.extra, "FAKE_COLLAPSE=identical")
	p.ok("run", path, "--quiet", "--only", "model.rescale=1")
	p.extra = nil
	p.ok("run", path, "--quiet")
	before := p.texts("ws")

	r := p.run("judge", path, "--json")
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	d := decode[judgedAgain](t, r.stdout)
	if d.Schema != 1 || len(d.Runs) != 4 || d.Flipped != 2 || d.Sensitivity == nil || len(d.Sensitivity) != 0 {
		t.Fatalf("%+v", d)
	}
	// The fakes' logs have no cosine: what they call identical is healthy by what there is.
	for _, run := range d.Runs {
		flips := strings.Contains(run.Label, "k1-")
		if run.Judged != "healthy" || run.Flipped != flips || run.Episodes == nil {
			t.Errorf("%+v", run)
		}
	}
	for _, want := range []string{"identical is judged without", "which the log does not have", "no_progress is new, dense is gone, scale_shock is gone"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("not said: %q in\n%s", want, r.stderr)
		}
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal([]byte(r.stdout), &document); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for key := range document {
		keys = append(keys, key)
	}
	if slices.Sort(keys); !reflect.DeepEqual(keys, []string{"flipped", "runs", "schema", "sensitivity"}) {
		t.Errorf("the document has %v", keys)
	}

	text := p.ok("judge", "small", "--set", "stability.empty.share=0.2", "--quiet")
	for _, want := range []string{"thresholds: each run's own, with stability.empty.share = 0.2", "2 of 4 verdicts flipped", "identical → healthy: identical no longer opens: it stood from step 1 (cosine/query: cosine above 0.95; 0.99 at step 1)"} {
		if !strings.Contains(text, want) {
			t.Errorf("not said: %q in\n%s", want, text)
		}
	}
	d = decode[judgedAgain](t, p.ok("judge", d.Runs[0].Label, d.Runs[1].ID, d.Runs[0].ID, "--json", "--quiet", "--sensitivity"))
	if len(d.Runs) != 2 || len(d.Sensitivity) == 0 {
		t.Fatalf("%+v", d)
	}
	for _, row := range d.Sensitivity {
		if row.Verdicts["healthy"] != 2 || row.Flipped == nil || len(row.Flipped) != d.Flipped {
			t.Errorf("%+v", row)
		}
	}
	if table := p.ok("judge", "small", "--quiet", "--sensitivity"); !strings.Contains(table, "stability.empty.share          0.05    4        0           0      0          0        tiny-k1-s1-") {
		t.Error(table)
	}
	if after := p.texts("ws"); !reflect.DeepEqual(before, after) {
		t.Error("judge changed the workspace")
	}
}

// texts are all files of a folder of the place.
func (p *place) texts(folder string) map[string]string {
	p.t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(filepath.Join(p.dir, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return texts
}

func TestJudgeRefusesWhatItCannotMean(t *testing.T) {
	p := newPlace(t)
	path := p.sample()
	p.refused([]string{"judge"}, "usage: headroom judge SWEEP|RUN…")
	p.refused([]string{"judge", path}, "workspace")
	p.ok("run", path, "--quiet", "--only", "model.rescale=1")
	for _, c := range []struct{ args, want []string }{
		{[]string{"judge", "smal"}, []string{`judge "smal"`, "no sweep of this name"}},
		{[]string{"judge", "nothing"}, []string{`no sweep of this name`, "sweeps: small"}},
		{[]string{"judge", "small", "--set", "stability.empty.shar=1"}, []string{`did you mean "stability.empty.share"?`}},
		{[]string{"judge", "small", "--set", "stability.no_progress.low=2"}, []string{"is not below stability.no_progress.high"}},
		{[]string{"judge", "small", "--rules", p.dir + "/none.toml", "--set", "x"}, []string{"none.toml", `cannot read setting "x"`}},
		{[]string{"judge", p.write("other.toml", strings.Replace(smallSweep, `"small"`, `"other"`, 1))}, []string{`the sweep "other" has not been run in this workspace`}},
	} {
		p.refused(c.args, c.want...)
	}
	r := p.run("judge", "small")
	if r.code != 0 || !strings.Contains(r.stderr, "2 runs without a verdict yet, left out: tiny-k4-s1") {
		t.Errorf("%d: %s", r.code, r.stderr)
	}
}
