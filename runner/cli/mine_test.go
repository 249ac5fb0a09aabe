package cli_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type minedRow struct {
	Query, Positive string
	First           string `json:"negative_1"`
	Second          string `json:"negative_2"`
}

func minedRows(t *testing.T, text string) []minedRow {
	t.Helper()
	var rows []minedRow
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		var row minedRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

// TestMinedNegativesAreTrainedOn: from BM25 and from a run, into a file that a sweep then reads.
func TestMinedNegativesAreTrainedOn(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	data, output := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "train.jsonl")
	type document struct {
		Schema, Rows, Negatives int
		Output                  string
		Short                   []struct {
			Query, Positive string
			Found           int
		}
	}
	got := decode[document](t, p.ok("mine", data, "--negatives", "2", "--depth", "16", "--output", output, "--json"))
	if got.Schema != 1 || got.Output != output || got.Negatives != 2 || got.Rows+len(got.Short) != 12 || got.Rows < 6 {
		t.Errorf("%+v", got)
	}
	text, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	rows := minedRows(t, string(text))
	if len(rows) != got.Rows {
		t.Errorf("%d rows in the file, %d told", len(rows), got.Rows)
	}
	for _, row := range rows {
		if row.Query == "" || row.First == "" || row.Second == "" || row.First == row.Positive || row.Second == row.Positive || row.First == row.Second {
			t.Errorf("%+v", row)
		}
		shared := slices.ContainsFunc(strings.Fields(row.Query), func(word string) bool { return strings.Contains(row.First, word) })
		if !shared {
			t.Errorf("BM25 found %q for %q", row.First, row.Query)
		}
	}
	plan := decode[struct{ Runs []struct{ State, Why string } }](t, p.ok("plan", sweep, "data.train="+output, "data.negatives=2", "train.batch=2", "--json"))
	if len(plan.Runs) != 4 {
		t.Errorf("%+v", plan)
	}
	p.refused([]string{"plan", sweep, "data.train=" + output, "data.negatives=3"}, "data.negatives", "more than the data has")

	// From a run, gzipped, with ids, which belong beside the collection.
	run := p.write("run.trec", "q0 Q0 d3 1 9 t\nq0 Q0 d0 2 8 t\nq0 Q0 d4 3 7 t\nq1 Q0 d1 1 2 t\n")
	r := p.run("mine", data, "--from", run, "--negatives", "2", "--ids", "--output", filepath.Join(data, "train.jsonl.gz"))
	if r.code != 0 || !strings.Contains(r.stdout, "1 examples with 2 negatives each") || !strings.Contains(r.stderr, `11 of 12 examples have fewer than 2 negatives and are left out: query "q1" with document "d1" has 0`) {
		t.Errorf("%+v", r)
	}
	file, err := os.Open(filepath.Join(data, "train.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := io.ReadAll(z); err != nil || string(line) != `{"query_id":"q0","positive_id":"d0","negative_id_1":"d3","negative_id_2":"d4"}`+"\n" {
		t.Errorf("%s %v", line, err)
	}
	p.ok("plan", sweep, "data.train="+filepath.Join(data, "train.jsonl.gz"), "data.negatives=2", "train.batch=1")
	p.refused([]string{"plan", sweep}, "it has train.jsonl.gz and qrels/train.tsv; name the file to train on")

	// The run as a teacher: its scores are what margin_mse learns from, and who gives no score to the positive is left out.
	teacher := p.write("teacher.trec", "q0 Q0 d0 1 9 t\nq0 Q0 d3 2 7 t\nq1 Q0 d3 1 8 t\n")
	taught := filepath.Join(p.dir, "taught.jsonl")
	r = p.run("mine", data, "--from", teacher, "--negatives", "1", "--scores", "--output", taught)
	if r.code != 0 || !strings.Contains(r.stderr, `11 of 12 examples have fewer than 1 negatives, or a positive without a score, and are left out`) {
		t.Errorf("%+v", r)
	}
	if text, err := os.ReadFile(taught); err != nil || !strings.HasSuffix(string(text), `,"scores":[9,7]}`+"\n") {
		t.Errorf("%s %v", text, err)
	}
	p.ok("plan", sweep, "data.train="+taught, "data.negatives=1", "loss.kind=margin_mse", "train.batch=1")

	if rows := minedRows(t, p.ok("mine", data, "--from", run, "--negatives", "1", "--skip-top", "1", "--output", "-")); len(rows) != 1 || rows[0].First == "" {
		t.Errorf("%+v", rows)
	}
}

func TestMiningWhatIsNotThereIsRefused(t *testing.T) {
	p := newPlace(t)
	p.sample()
	data := filepath.Join(p.dir, "data")
	strange := p.write("strange.trec", "q0 Q0 elsewhere 1 9 t\n")
	other := p.write("other.trec", "q99 Q0 d1 1 9 t\n")
	for _, c := range []struct{ args, says []string }{
		{[]string{data}, []string{"--output is missing"}},
		{[]string{data, "--output", "x.tsv"}, []string{"NAME.jsonl, NAME.jsonl.gz, -"}},
		{[]string{data, "--output", "-", "--from", other, "--bm25"}, []string{"exclude each other"}},
		{[]string{data, "--output", "-", "--negatives", "0", "--skip-top", "-1", "--threads", "-1"}, []string{"--negatives is 0", "--skip-top is -1", "--threads is -1"}},
		{[]string{data, "--output", "-", "--depth", "5"}, []string{"--depth is 5; allowed: 10 or more"}},
		{[]string{data, "--output", "-", "--margin", "nan"}, []string{"--margin is NaN"}},
		{[]string{data, "--output", "-", "--margin", "-1"}, []string{"--margin is -1"}},
		{[]string{data, "--output", "-", "--split", "dev"}, []string{"no such split", "test, train"}},
		{[]string{filepath.Join(p.dir, "gone"), "--output", "-"}, []string{"gone"}},
		{[]string{"beir:gone", "--output", "-"}, []string{"beir:gone"}},
		{[]string{data, "--output", "-", "--from", filepath.Join(p.dir, "none.trec")}, []string{"none.trec"}},
		{[]string{data, "--output", "-", "--from", strange}, []string{`document "elsewhere"`, "not in the corpus"}},
		{[]string{data, "--output", "-", "--from", other}, []string{"none of the 12 queries"}},
	} {
		p.refused(append([]string{"mine"}, c.args...), c.says...)
	}
}
