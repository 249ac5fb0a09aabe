package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A workspace of an older program may keep a revision with thresholds of a detector that is gone.
func TestAKeptRevisionWithADetectorThatIsGoneOpens(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample())
	revision := filepath.Join(p.dir, "ws/sweeps/small/0001")
	text, err := os.ReadFile(revision + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	p.write("ws/sweeps/small/0001.toml", string(text)+"\n[stability.scale_shock]\nfactor = 3.0\n")
	unsealed, err := os.ReadFile(revision + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any // an older program wrote no digests
	if err := json.Unmarshal(unsealed, &manifest); err != nil {
		t.Fatal(err)
	}
	delete(manifest, "text")
	delete(manifest, "crc")
	again, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	p.write("ws/sweeps/small/0001.json", string(again))
	if out := p.ok("plan", "small"); !strings.Contains(out, "small: 4 runs, 4 done") {
		t.Errorf("plan says:\n%s", out)
	}
	p.ok("run", "small")
	p.refused([]string{"plan", p.write("old.toml", string(text)+"\n[stability.scale_shock]\nfactor = 3.0\n")}, "stability.scale_shock.factor = 3.0: unknown key: a threshold of a detector that is gone")
}

// Two sweeps that share runs and ask for other measures do not measure in turn.
func TestMeasuresOfAnotherSweepAreKept(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	sweep := p.sample()
	p.ok("run", sweep, "evaluate.baselines=['bm25', 'untrained']")
	const measured = "SELECT DISTINCT measure FROM scores WHERE current UNION SELECT DISTINCT measure FROM baselines WHERE current ORDER BY 1"
	names := func() []string { return strings.Fields(p.ok("query", measured, "--csv"))[1:] }
	before := names()
	p.ok("run", sweep, "evaluate.baselines=['bm25', 'untrained']", "evaluate.measures=['AP', 'P@1']")
	want := append([]string{"AP", "P@1"}, before...)
	if slices.Sort(want); !slices.Equal(names(), want) {
		t.Errorf("measures %q, want %q", names(), want)
	}
	const lacking = "SELECT count(*) FROM (SELECT run FROM scores WHERE current GROUP BY run HAVING count(DISTINCT measure) <> 5) UNION ALL SELECT count(*) FROM (SELECT name FROM baselines WHERE current GROUP BY sweep, name, backbone, encoding HAVING count(DISTINCT measure) <> 5)"
	if out := p.ok("query", lacking, "--csv"); !strings.HasSuffix(out, "\n0\n0\n") {
		t.Errorf("runs and baselines that lack measures: %q", out)
	}
	for _, words := range [][]string{{"evaluate.measures=['AP', 'P@1']"}, nil, {"evaluate.measures=['P@1', 'nDCG@10']"}} {
		if out := p.ok(append([]string{"plan", sweep, "evaluate.baselines=['bm25', 'untrained']"}, words...)...); strings.Contains(out, "missing") {
			t.Errorf("%q: plan says:\n%s", words, out)
		}
	}
	// What cannot be kept beside a deeper cut-off gives way.
	p.ok("run", sweep, "evaluate.measures=['R@1400']")
	if got := names(); slices.Contains(got, "AP") || !slices.Contains(got, "R@1400") || !slices.Contains(got, "P@1") {
		t.Errorf("measures %q", got)
	}
}

// A run whose sound configuration is another run's is named and made again, and the sweep's other runs continue.
func TestARunThatHoldsAnotherRunsConfigurationIsMadeAgain(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep)
	ids := strings.Fields(p.ok("query", "SELECT run FROM runs ORDER BY label", "--csv"))[1:]
	of := func(i int) string { return filepath.Join(p.dir, "ws", "runs", ids[i], "config.toml") }
	own, err := os.ReadFile(of(0))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(of(1))
	if err != nil {
		t.Fatal(err)
	}
	p.write(filepath.Join("ws", "runs", ids[0], "config.toml"), string(other))
	const said = "config.toml is damaged: with inputs.json beside it, it is not what the run's id stands for"
	if out := p.ok("plan", sweep); !strings.Contains(out, said) || !strings.Contains(out, "4 runs, 1 damaged, 3 done") {
		t.Errorf("plan says:\n%s", out)
	}
	p.refused([]string{"show", ids[0]}, said)
	p.ok("run", sweep, "seed=[1, 2, 3]")
	if out := p.ok("plan", sweep, "seed=[1, 2, 3]"); !strings.Contains(out, "6 runs, 6 done") {
		t.Errorf("plan says:\n%s", out)
	}
	if again, err := os.ReadFile(of(0)); err != nil || string(again) != string(own) {
		t.Errorf("%v\n%s", err, again)
	}
}
