package cli_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// steps is a place with a small random model in ./model.
func steps(t *testing.T) (p *place, model string) {
	t.Helper()
	p = newPlace(t)
	p.sample()
	model = filepath.Join(p.dir, "model")
	if err := fakeModel(model); err != nil {
		t.Fatal(err)
	}
	return p, model
}

func TestTokenizePrintsIdsAndTokens(t *testing.T) {
	p, model := steps(t)
	p.stdin = "Red stone\n\nriver unknown"
	want := `{"id":"1","ids":[2,5,8,3],"tokens":["[CLS]","red","stone","[SEP]"]}
{"id":"2","ids":[2,3],"tokens":["[CLS]","[SEP]"]}
{"id":"3","ids":[2,9,1,3],"tokens":["[CLS]","river","[UNK]","[SEP]"]}
`
	if got := p.ok("tokenize", model); got != want {
		t.Errorf("got %s want %s", got, want)
	}
	input := p.write("in.jsonl", `{"_id":"x","title":"red","text":"stone boat"}`+"\n")
	want = `{"id":"x","ids":[2,5,8,3],"tokens":["[CLS]","red","stone","[SEP]"]}` + "\n"
	if got := p.ok("tokenize", model, "--input", input, "--max-length", "4"); got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

func TestEncodeIndexSearchEvaluateAgreeWithEvaluateModel(t *testing.T) {
	p, model := steps(t)
	at := func(name string) string { return filepath.Join(p.dir, name) }
	common := []string{"--backend", "go", "--max-length", "16"}
	p.ok(append([]string{"encode", model, "--input", at("data/corpus.jsonl"), "--output", at("d.jsonl")}, common...)...)
	p.ok(append([]string{"encode", model, "--input", at("data/queries.jsonl"), "--output", at("q.jsonl"), "--query"}, common...)...)
	p.ok("index", at("d.jsonl"), "--output", at("index"))
	type wrote struct {
		Schema int
		Output string
	}
	if got, want := decode[wrote](t, p.ok("search", at("index"), "--queries", at("q.jsonl"), "--k", "1000", "--output", at("run.trec"), "--json")), (wrote{1, at("run.trec")}); got != want {
		t.Errorf("search --json says %+v, want %+v", got, want)
	}
	if got, want := decode[wrote](t, p.ok(append([]string{"encode", model, "--input", at("data/corpus.jsonl"), "--output", at("again.jsonl"), "--json"}, common...)...)), (wrote{1, at("again.jsonl")}); got != want {
		t.Errorf("encode --json says %+v, want %+v", got, want)
	}
	type measured struct {
		Schema   int
		Queries  int
		Measures map[string]float64
		PerQuery map[string]map[string]float64 `json:"per_query"`
	}
	files := decode[measured](t, p.ok("evaluate", at("data/qrels/test.tsv"), at("run.trec"), "--json"))
	type model1 struct {
		Schema      int
		Evaluations []struct {
			Name, Dataset, Split string
			Queries, Documents   int
			Measures             map[string]float64
		}
	}
	whole := decode[model1](t, p.ok("evaluate", "--model", model, "--on", at("data"), "--bm25", "--backend", "go", "--max-length", "16", "--output", at("out"), "--json"))
	if len(whole.Evaluations) != 2 || whole.Evaluations[1].Name != "bm25" || whole.Evaluations[0].Documents != 16 || whole.Evaluations[0].Queries != 4 {
		t.Fatalf("evaluations %+v", whole.Evaluations)
	}
	if files.Queries != 4 || len(files.PerQuery) != 4 || len(files.Measures) != 3 {
		t.Errorf("measures of the files: %+v", files)
	}
	for name, value := range files.Measures {
		if other := whole.Evaluations[0].Measures[name]; math.Abs(value-other) > 1e-12 {
			t.Errorf("%s is %v step by step and %v in one", name, value, other)
		}
	}
	for _, name := range []string{"run.trec.gz", "per_query.tsv", "summary.json"} {
		found, err := filepath.Glob(at("out/*/" + name))
		if err != nil || len(found) != 1 {
			t.Errorf("%s: %v %v", name, found, err)
		}
	}
}

func TestEvaluatePrintsTrecEvalsColumns(t *testing.T) {
	p := newPlace(t)
	qrels, run := p.write("qrels", "q1 0 d1 1\nq2 0 d2 1\n"), p.write("run", "q1 Q0 d3 1 2 t\nq1 Q0 d1 2 1 t\n")
	want := "RR@10                 \tq1\t0.5000\nRR@10                 \tq2\t0.0000\nRR@10                 \tall\t0.2500\n"
	if got := p.ok("evaluate", qrels, run, "RR@10", "-q"); got != want {
		t.Errorf("got\n%q want\n%q", got, want)
	}
}

func TestEncodeKeepsTheHeaviestTermsAndWritesAnserinisForm(t *testing.T) {
	p, model := steps(t)
	input := p.write("in.jsonl", `{"_id":"a","title":"red stone","text":"river"}`+"\n"+`{"_id":"b","text":""}`+"\n")
	type row struct {
		ID       string
		Contents *string
		Vector   map[string]float64
	}
	rows := func(args ...string) []row {
		var all []row
		for line := range strings.Lines(p.ok(append([]string{"encode", model, "--input", input, "--output", "-", "--backend", "go", "--max-length", "16"}, args...)...)) {
			all = append(all, decode[row](t, line))
		}
		return all
	}
	all, few, anserini := rows(), rows("--top-k", "2"), rows("--format", "anserini", "--top-k", "2")
	if len(all) != 2 || len(all[0].Vector) <= 2 || len(few[0].Vector) != 2 || len(anserini[0].Vector) != 2 {
		t.Fatalf("rows %v, %v and %v", all, few, anserini)
	}
	if len(all[1].Vector) == 0 {
		t.Error("the empty text has no term: it is to be encoded as its special tokens")
	}
	var weights []float64
	for _, w := range all[0].Vector {
		weights = append(weights, w)
	}
	slices.Sort(weights)
	for term, w := range few[0].Vector {
		if w != all[0].Vector[term] || w < weights[len(weights)-2] {
			t.Errorf("term %s of weight %v is not among the two heaviest of %v", term, w, weights)
		}
	}
	if anserini[0].Contents == nil {
		t.Error("no contents in anserini's form")
	}
	for token, w := range anserini[0].Vector {
		if !slices.Contains(append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, words...), token) || w != math.Trunc(w) {
			t.Errorf("%q: %v is no token with a whole weight", token, w)
		}
	}
	title := rows("--query")
	if same := len(title[0].Vector) == len(all[0].Vector); same {
		for term, w := range all[0].Vector {
			same = same && title[0].Vector[term] == w
		}
		if same {
			t.Error("the title is part of a query's text")
		}
	}
}

// The default of 256 is not required: a model with fewer positions cuts texts at its own limit, with a note.
func TestTheDefaultLengthIsTheModelsWhereThatIsLess(t *testing.T) {
	p, model := steps(t)
	input := p.write("long.jsonl", `{"_id":"a","text":"`+strings.Repeat("red ", 100)+`"}`+"\n")
	encode := []string{"encode", model, "--input", input, "--output", "-", "--backend", "go"}
	evaluate := []string{"evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--backend", "go"}
	for _, args := range [][]string{encode, evaluate} {
		r := p.run(args...)
		if r.code != 0 || !strings.Contains(r.stderr, "32 tokens") {
			t.Errorf("%s: exit code %d\n%s", args[0], r.code, r.stderr)
		}
	}
	if long, asked := p.ok(encode...), p.ok(append(encode, "--max-length", "32")...); long != asked {
		t.Errorf("cut at the default\n%s\nand at 32\n%s", long, asked)
	}
}

func TestRunsAreShownComparedExportedAndEvaluated(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep)
	runs := decode[struct {
		Runs []struct{ ID, Label string }
	}](t, p.ok("status", "--json")).Runs
	show := p.ok("show", runs[0].Label)
	for _, want := range []string{runs[0].ID, "verdict: healthy", "model.backbone", "recipe:", "nDCG@10", "0.5000"} {
		if !strings.Contains(show, want) {
			t.Errorf("show lacks %q:\n%s", want, show)
		}
	}
	diff := p.ok("diff", runs[0].ID[:8], runs[3].ID[:8])
	for _, want := range []string{"model.rescale", "seed"} {
		if !strings.Contains(diff, want) {
			t.Errorf("diff lacks %q:\n%s", want, diff)
		}
	}
	if strings.Contains(diff, "train.") {
		t.Errorf("diff lists what is the same:\n%s", diff)
	}
	if out := p.ok("diff", runs[0].ID, runs[0].ID); out != "no difference\n" {
		t.Errorf("a run differs from itself: %s", out)
	}
	to := filepath.Join(p.dir, "exported")
	p.ok("export", runs[0].Label, "--to", to)
	for _, name := range []string{"modules.json", "model.safetensors", "1_SpladePooling/config.json"} {
		if _, err := os.Stat(filepath.Join(to, name)); err != nil {
			t.Error(err)
		}
	}
	p.write("other/corpus.jsonl", `{"_id":"d1","text":"red"}`+"\n")
	p.write("other/queries.jsonl", `{"_id":"q1","text":"red"}`+"\n")
	p.write("other/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n")
	p.ok("evaluate", "--run", runs[0].Label, "--on", filepath.Join(p.dir, "other"), "--backend", "go")
	rows := p.ok("query", "SELECT dataset FROM scores WHERE run = '"+runs[0].ID+"' AND measure = 'nDCG@10' ORDER BY dataset", "--csv")
	if want := "dataset\ndata\nother\n"; rows != want {
		t.Errorf("the store has the collections %q, want %q", rows, want)
	}
	// Evaluated again with another measure, and the collection named otherwise, it
	// is still one collection and loses nothing.
	t.Chdir(filepath.Join(p.dir, "other"))
	again := decode[struct {
		Evaluations []struct {
			Dataset  string
			Measures map[string]float64
		}
	}](t, p.ok("evaluate", "--run", runs[0].Label, "--on", "../other", "--measure", "AP", "--backend", "go", "--json")).Evaluations[0]
	if _, ok := again.Measures["AP"]; !ok || again.Dataset != "../other" {
		t.Errorf("%+v", again)
	}
	if measures, want := p.ok("query", "SELECT measure FROM scores WHERE dataset = 'other' ORDER BY measure", "--csv"), "measure\nAP\nR@1000\nRR@10\nnDCG@10\n"; measures != want {
		t.Errorf("the store has %q of it, want %q", measures, want)
	}
	report := filepath.Join(p.dir, "report")
	p.ok("report", "small", "-o", report)
	for _, name := range []string{"report.md", "table.csv", "loss.svg", "loss.png"} {
		if info, err := os.Stat(filepath.Join(report, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out := p.ok("db", "check"); !strings.Contains(out, "agrees") {
		t.Errorf("db check: %s", out)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "ws/headroom.db"), []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := p.run("status"); r.code == 0 || !strings.Contains(r.stderr, "db rebuild") {
		t.Errorf("a damaged database: exit code %d\n%s", r.code, r.stderr)
	}
	p.ok("db", "rebuild")
	if again := p.ok("query", "SELECT dataset FROM scores WHERE run = '"+runs[0].ID+"' AND measure = 'nDCG@10' ORDER BY dataset", "--csv"); again != rows {
		t.Errorf("after the rebuild: %q", again)
	}
}
