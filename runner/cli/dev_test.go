package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/event"
)

// watchedPlace has a collection whose dev split holds two queries, one of them a test
// query, and a sweep that watches it.
func watchedPlace(t *testing.T, more string) (p *place, sweep string) {
	p = newPlace(t)
	p.role = "program"
	p.sample()
	p.write("data/qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq0\td0\t1\nq15\td15\t1\n")
	text := strings.NewReplacer("[1, 4]", "[4]", "[1, 2]", "[1]", "[evaluate]\n", "[evaluate]\nduring = [\"./data\"]\nevery = 4\n").Replace(smallSweep)
	return p, p.write("small.toml", text+more)
}

func TestDevDataAreShownEverywhere(t *testing.T) {
	p, sweep := watchedPlace(t, "[checkpoint]\nselect = \"best\"\n")
	const warning = "1 of the 2 dev queries of "
	if r := p.run("plan", sweep); r.code != 0 || !strings.Contains(r.stderr, "warning: evaluate.during: "+warning) {
		t.Errorf("plan says %q", r.stderr)
	}
	if plan := decode[struct{ Notices []string }](t, p.ok("plan", sweep, "--json")); len(plan.Notices) != 1 || !strings.Contains(plan.Notices[0], warning) {
		t.Errorf("notices %q", plan.Notices)
	}
	r := p.run("run", sweep)
	if r.code != 0 || strings.Count(r.stderr, warning) != 2 { // the command itself, and the worker, which records it
		t.Fatalf("run: code %d, says %q", r.code, r.stderr)
	}
	if !strings.Contains(r.stdout, "nDCG@10 data/dev") || !strings.Contains(r.stdout, "nDCG@10 data ") && !strings.Contains(r.stdout, "nDCG@10 data\n") {
		t.Errorf("the summary has no column of its own for dev data:\n%s", r.stdout)
	}

	status := decode[struct {
		Runs []struct {
			ID  string
			Dev *struct {
				Measure  string
				Step     int
				Value    event.Value
				Best     *event.Value
				BestStep *int `json:"best_step"`
			}
			Selected *int `json:"selected_step"`
		}
	}](t, p.ok("status", "--json"))
	run := status.Runs[0]
	if run.Dev == nil || run.Selected == nil || run.Dev.Measure != "nDCG@10" || run.Dev.Step != 6 || *run.Dev.BestStep != *run.Selected || *run.Dev.Best < run.Dev.Value {
		t.Fatalf("status %+v of %+v", run, run.Dev)
	}
	show := decode[struct {
		Dev      []event.Measured
		Selected *event.Selected
	}](t, p.ok("show", run.ID, "--json"))
	if len(show.Dev) != 2 || show.Dev[0].Step != 4 || show.Dev[1].Step != 6 || show.Selected == nil || show.Selected.Step != *run.Selected || show.Selected.Value != *run.Dev.Best {
		t.Errorf("show %+v", show)
	}
	for _, c := range []struct{ text, want string }{
		{p.ok("status"), "nDCG@10 "}, {p.ok("status"), ", selected @"},
		{p.ok("show", run.ID), "Dev data during training: nDCG@10 "}, {p.ok("show", run.ID), "2 evaluations in "},
		{p.ok("show", run.ID), "% of the "}, {p.ok("show", run.ID), "selected: the model of step "}, {p.ok("show", run.ID), "  dev data "},
		{p.ok("query", "SELECT step, name, value FROM series WHERE name = 'dev/nDCG@10'"), "dev/nDCG@10"},
		{p.ok("query", "SELECT count(*) AS n FROM series WHERE name = 'dev/seconds'"), "2"},
		{p.ok("query", "SELECT measure, step FROM selected"), "nDCG@10"},
	} {
		if !strings.Contains(c.text, c.want) {
			t.Errorf("%q is missing in:\n%s", c.want, c.text)
		}
	}
	p.ok("report", "small", "-o", filepath.Join(p.dir, "report"))
	report, err := os.ReadFile(filepath.Join(p.dir, "report", "report.md"))
	if err != nil || !strings.Contains(string(report), "(dev.png)") || !strings.Contains(string(report), "weights of step") || strings.Contains(string(report), "no dev evaluation") ||
		!strings.Contains(string(report), "1 of the dev queries that runs were watched on during training are test queries") {
		t.Errorf("report %v:\n%s", err, report)
	}
	// All is done: nothing is measured again.
	if end := lastLine(t, p.ok("run", sweep, "--json")); end.Done != 0 {
		t.Errorf("run again does %d jobs", end.Done)
	}
}

func TestDevDataThatAreNotThereAreRefused(t *testing.T) {
	p, sweep := watchedPlace(t, "")
	p.role = "fake"
	if err := os.Remove(filepath.Join(p.dir, "data/qrels/dev.tsv")); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"plan", "run"} {
		p.refused([]string{command, sweep}, "evaluate.during", `"dev"`, "test, train")
	}
	p.refused([]string{"plan", sweep, "evaluate.every=0"}, "evaluate.during", "evaluate.every")
}
