package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/runner/plan"
)

// TestBothStagesAreRunByOneCommand runs a sweep whose second stage is chosen by dev figures.
func TestBothStagesAreRunByOneCommand(t *testing.T) {
	p, _ := watchedPlace(t, "")
	for _, name := range []string{"corpus.jsonl", "queries.jsonl"} {
		text, err := os.ReadFile(filepath.Join(p.dir, "data", name))
		if err != nil {
			t.Fatal(err)
		}
		p.write("large/"+name, string(text))
	}
	p.write("large/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t1\n")
	sweep := p.write("small.toml", strings.NewReplacer("[1, 2]", "[1]", "[evaluate]\n", "[evaluate]\nfull = [\"./large\"]\nduring = [\"./data\"]\nevery = 4\n").Replace(smallSweep))

	r := p.run("run", sweep, "--json")
	if r.code != 0 || !strings.Contains(r.stderr, "the second stage") || strings.Count(r.stdout, `"type":"end"`) != 2 {
		t.Fatalf("run: code %d\n%s", r.code, r.stderr)
	}
	document := decode[plan.Plan](t, p.ok("plan", sweep, "--json"))
	if !document.Idle() || len(document.Full) != 1 || document.Full[0].State != plan.FullChosen {
		t.Fatalf("after both stages: %+v", document.Full)
	}
	chosen := document.Full[0].Runs
	rows := decode[struct {
		Rows []struct {
			Run   string
			Value event.Value
		}
	}](t, p.ok("query", "SELECT run, value FROM scores WHERE dataset = 'large' AND measure = 'nDCG@10'", "--json")).Rows
	if len(chosen) != 1 || len(rows) != 1 || rows[0].Run != string(chosen[0]) {
		t.Errorf("chosen %q, measured %+v", chosen, rows)
	}
	if r := p.run("run", sweep); r.code != 0 || strings.Contains(r.stderr, "second stage") || !strings.Contains(r.stderr, "nothing to do") {
		t.Errorf("again: code %d\n%s", r.code, r.stderr)
	}
}
