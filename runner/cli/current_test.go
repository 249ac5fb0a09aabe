package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lackingDocument is the part of status --json that says which runs lack figures.
type lackingDocument struct {
	Lacking []struct {
		Sweep, Dataset, Reference, Split string
		Runs                             []string
	}
	Superseded []struct {
		Run, Label, Dataset string
		Measures            map[string]float64
	}
}

func (p *place) lacking() int {
	p.t.Helper()
	d := decode[lackingDocument](p.t, p.ok("status", "small", "--json"))
	if len(d.Lacking) == 0 {
		return 0
	}
	if l := d.Lacking[0]; len(d.Lacking) != 1 || l.Sweep != "small" || l.Dataset != "data" || l.Split != "test" || l.Reference != filepath.Join(p.dir, "data") {
		p.t.Errorf("lacking %+v", d.Lacking)
	}
	return len(d.Lacking[0].Runs)
}

const scoresByDataset = "SELECT dataset, current, count(*) AS n, count(DISTINCT collection_digest) AS contents FROM scores WHERE measure = 'nDCG@10' GROUP BY 1, 2 ORDER BY 1"

func TestEditedQrelsAndTheOldFileAgain(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep)
	if n := p.lacking(); n != 0 {
		t.Errorf("after the run %d runs lack figures", n)
	}
	qrels := filepath.Join(p.dir, "data/qrels/test.tsv")
	old, err := os.ReadFile(qrels)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(old), "\t1\n", "\t2\n", 1)
	if edited == string(old) {
		t.Fatal("nothing was edited")
	}
	p.write("data/qrels/test.tsv", edited)
	if n := p.lacking(); n != 4 {
		t.Errorf("of the edited file %d runs lack figures, want 4", n)
	}
	if out := p.ok("status", "small"); !strings.Contains(out, "data: 4 of 4 finished runs have no figures of it as it is now") {
		t.Errorf("status says:\n%s", out)
	}
	if rows := p.ok("query", scoresByDataset, "--csv"); !strings.HasPrefix(rows, "dataset,current,n,contents\ndata@") || !strings.HasSuffix(rows, ",0,4,1\n") {
		t.Errorf("scores %q", rows)
	}

	// Two of the four runs are measured again, and the baselines.
	end := lastLine(t, p.ok("run", sweep, "--only", "seed=1", "--json"))
	if end.Done != 2+2 {
		t.Errorf("the second run did %d jobs", end.Done)
	}
	if n := p.lacking(); n != 2 {
		t.Errorf("%d runs lack figures, want 2", n)
	}
	planned := decode[struct {
		Evaluations []struct{ State, Why string }
	}](t, p.ok("plan", sweep, "--json"))
	missing := 0
	for _, e := range planned.Evaluations {
		if e.State == "new" && e.Why == "the collection has changed since it was measured" {
			missing++
		}
	}
	if missing != 2 {
		t.Errorf("plan: %+v", planned.Evaluations)
	}
	report := filepath.Join(p.dir, "report")
	p.ok("report", "small", "-o", report)
	text, err := os.ReadFile(filepath.Join(report, "report.md"))
	if err != nil || !strings.Contains(string(text), "On data as it is now 2 of 4 finished runs were not measured") || strings.Contains(string(text), "data@") {
		t.Errorf("%v\n%s", err, text)
	}
	p.ok("report", "small", "-o", report, "--superseded")
	if text, err = os.ReadFile(filepath.Join(report, "report.md")); err != nil || !strings.Contains(string(text), "data@") {
		t.Errorf("with what is superseded: %v\n%s", err, text)
	}
	asked := decode[lackingDocument](t, p.ok("status", "small", "--superseded", "--json"))
	if len(asked.Superseded) != 4 || !strings.HasPrefix(asked.Superseded[0].Dataset, "data@") || asked.Superseded[0].Measures["nDCG@10"] != 0.5 {
		t.Errorf("superseded %+v", asked.Superseded)
	}
	if out := p.ok("status", "small", "--superseded"); !strings.Contains(out, "superseded") || !strings.Contains(out, "nDCG@10 data@") {
		t.Errorf("status --superseded:\n%s", out)
	}

	// The old file again: the old figures, and nothing to do.
	p.write("data/qrels/test.tsv", string(old))
	if n := p.lacking(); n != 0 {
		t.Errorf("of the old file %d runs lack figures", n)
	}
	if end := lastLine(t, p.ok("run", sweep, "--json")); end.Done != 0 {
		t.Errorf("the old file had %d jobs done", end.Done)
	}
	if rows := p.ok("query", scoresByDataset, "--csv"); !strings.Contains(rows, "\ndata,1,4,1\ndata@") || !strings.HasSuffix(rows, ",0,2,1\n") {
		t.Errorf("scores %q", rows)
	}

	// Without the data, the recorded contents stay.
	if err := os.Rename(filepath.Join(p.dir, "data"), filepath.Join(p.dir, "away")); err != nil {
		t.Fatal(err)
	}
	if n := p.lacking(); n != 0 {
		t.Errorf("without the data %d runs lack figures", n)
	}
	p.ok("report", "small", "-o", report)
}

func TestACollectionThatMoved(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep)
	if err := os.Rename(filepath.Join(p.dir, "data"), filepath.Join(p.dir, "moved")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small.toml", "backbones/tiny.toml"} { // the sweep and its recipe
		text, err := os.ReadFile(filepath.Join(p.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		p.write(name, strings.ReplaceAll(string(text), "./data", "./moved"))
	}
	if end := lastLine(t, p.ok("run", sweep, "--json")); end.Done != 0 || len(end.Runs) != 4 {
		t.Errorf("after the move: %+v", end)
	}
	if rows, want := p.ok("query", scoresByDataset, "--csv"), "dataset,current,n,contents\nmoved,1,4,1\n"; rows != want {
		t.Errorf("scores %q, want %q", rows, want)
	}
	if rows, want := p.ok("query", "SELECT name, dataset, current FROM baselines WHERE measure = 'nDCG@10' ORDER BY name", "--csv"), "name,dataset,current\nbm25,moved,1\nuntrained,moved,1\n"; rows != want {
		t.Errorf("baselines %q, want %q", rows, want)
	}
}
