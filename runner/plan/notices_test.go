package plan_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/runner/plan"
	"headroom/sweeps"
)

// template gives the world's model a tokenizer that puts some tokens around a text.
func (w *world) template(t *testing.T, tokens int) {
	t.Helper()
	piece, special := "", ""
	for i := range tokens {
		token := fmt.Sprintf("[S%d]", i)
		piece += fmt.Sprintf(`{"SpecialToken":{"id":%q,"type_id":0}},`, token)
		special += fmt.Sprintf(`%q:{"id":%q,"ids":[%d],"tokens":[%q]},`, token, token, 2+i, token)
	}
	path := filepath.Join(w.root, "model", "tokenizer.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	vocabulary := ""
	for i := range tokens {
		vocabulary += fmt.Sprintf(`,"[S%d]":%d`, i, 2+i)
	}
	write(t, path, strings.NewReplacer(
		`"post_processor":null`, `"post_processor":{"type":"TemplateProcessing","single":[`+piece+`{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{`+strings.TrimSuffix(special, ",")+`}}`,
		`"a":1`, `"a":1`+vocabulary,
	).Replace(string(text)))
}

// TestWhatIsAllowedAndSeldomMeantIsNoticed: of data and models, each once, with its first place.
func TestWhatIsAllowedAndSeldomMeantIsNoticed(t *testing.T) {
	w := newWorld(t)
	w.template(t, 2)
	at := func(name string) string { return filepath.Join(w.root, name) }
	w.collection(t, "hollow", 4)
	write(t, at("hollow/corpus.jsonl"), `{"_id":"d0","text":"a"}`+"\n"+`{"_id":"d1","text":" "}`+"\n"+`{"_id":"d2","text":"b"}`+"\n"+`{"_id":"d3","text":""}`+"\n"+`{"_id":"d9","text":""}`)
	write(t, at("hollow/queries.jsonl"), `{"_id":"t0","text":"x"}`+"\n"+`{"_id":"t1","text":"y"}`+"\n"+`{"_id":"t2","text":"\t"}`+"\n"+`{"_id":"t3","text":"z"}`+"\n"+`{"_id":"q0","text":"v"}`+"\n"+`{"_id":"q1","text":"w"}`)
	write(t, at("hollow/qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\tgone\t1\n")
	w.put(t, "own.tsv", "a\tb\tb\nc\td\te\n\t \tf\n")
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"nothing odd": {nil, nil},
		"settings":    {[]string{"checkpoint.every=11"}, []string{"checkpoint.every = 11 is more than train.steps = 10: nothing is saved before the last step, so that a run that is killed begins again"}},
		"all terms": {
			[]string{"model.top_k=4"},
			[]string{"model.top_k = 4 keeps every term: " + at("model") + " has 4, and 0 says so"},
		},
		"not all terms": {[]string{"model.top_k=3"}, nil},
		"no token": {
			[]string{"data.max_document=2", "data.max_query=3"},
			[]string{"data.max_document = 2 leaves no token of a document: the tokenizer of " + at("model") + " puts 2 special tokens around each text"},
		},
		"empty texts to train on": {
			[]string{"data.train=./hollow"},
			[]string{
				fmt.Sprintf("data.train = %q: 1 query is empty, the first at %s: an empty text is encoded as its special tokens alone", at("hollow"), at("hollow/queries.jsonl:3")),
				fmt.Sprintf("data.train = %q: 2 documents are empty, the first at %s: an empty text is encoded as its special tokens alone", at("hollow"), at("hollow/corpus.jsonl:2")),
			},
		},
		"empty texts and documents that are not there to measure on": {
			[]string{"evaluate.final=['./hollow']"},
			[]string{
				fmt.Sprintf("evaluate.final = %q (test): 3 documents are empty, the first at %s: an empty text is encoded as its special tokens alone", at("hollow"), at("hollow/corpus.jsonl:2")),
				fmt.Sprintf("evaluate.final = %q (test): 1 of the 2 documents with a grade above 0 are not in the corpus and count as not found", at("hollow")),
			},
		},
		"rows of a file": {
			[]string{"data.train=./own.tsv", "data.negatives=1"},
			[]string{
				fmt.Sprintf("data.train = %q: 1 query is empty, the first at %s: an empty text is encoded as its special tokens alone", at("own.tsv"), at("own.tsv:3")),
				fmt.Sprintf("data.train = %q: 1 document is empty, the first at %s: an empty text is encoded as its special tokens alone", at("own.tsv"), at("own.tsv:3")),
				fmt.Sprintf("data.train = %q: 1 row has its positive among the hard negatives, the first at %s", at("own.tsv"), at("own.tsv:1")),
			},
		},
	} {
		got := w.must(t, sweep, c.args...).Notices
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
	// A run that is done has no need of advice.
	p := w.must(t, sweep, "checkpoint.every=11")
	for _, run := range p.Runs {
		attempt(t, run.Folder, done("healthy", 3)...)
	}
	if again := w.must(t, sweep, "checkpoint.every=11"); len(again.Notices) > 0 || again.Count(plan.Done) != 4 {
		t.Errorf("notices %q of runs that are done", again.Notices)
	}
}

// TestWhatCanOnlyBeAMistakeIsAFault: all of it at once.
func TestWhatCanOnlyBeAMistakeIsAFault(t *testing.T) {
	w := newWorld(t)
	w.template(t, 3)
	w.collection(t, "other", 3)
	w.collection(t, "lost", 3)
	write(t, filepath.Join(w.root, "lost", "qrels", "test.tsv"), "query-id\tcorpus-id\tscore\nq0\tx\t1\nq1\ty\t2\nq2\td0\t0\n")
	_, err := w.make(t, sweep, "data.max_query=2", "evaluate.final=['./tiny', './tiny/', './lost', './other']")
	var faults sweeps.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	for _, says := range []string{
		"data.max_query = 2: shorter than the 3 special tokens that the tokenizer of " + filepath.Join(w.root, "model") + " puts around each text",
		`evaluate.final = "./other": holds the same data as "./tiny"; allowed: each collection once`,
		`none of the 2 documents with a grade above 0 in qrels "test" is in the corpus, the first is "x"; allowed: qrels of this corpus`,
	} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("nothing says %q:\n%v", says, err)
		}
	}
}

// TestDataThatCannotBePutIntoBatchesIsAFault: the batch is named, and two rows that cannot share one.
func TestDataThatCannotBePutIntoBatchesIsAFault(t *testing.T) {
	w := newWorld(t)
	w.put(t, "one.tsv", "query\tpositive\n"+"q\ta\nq\tb\nq\tc\n")
	w.collection(t, "one", 3)
	write(t, filepath.Join(w.root, "one", "qrels", "train.tsv"), "query-id\tcorpus-id\tscore\nq0\td0\t1\nq0\td1\t1\nq0\td2\t1\n")
	for ref, apart := range map[string]string{
		"./one.tsv": filepath.Join(w.root, "one.tsv:2") + " and " + filepath.Join(w.root, "one.tsv:3"),
		"./one":     `query "q0" with document "d0" and query "q0" with document "d1"`,
	} {
		_, err := w.make(t, sweep, "data.train="+ref)
		var faults sweeps.Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Key != "train.batch" || faults[0].Value != "2" {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		for _, says := range []string{"only 1 of the 3 examples", apart, `data.order = "file"`} {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: nothing says %q:\n%v", ref, says, err)
			}
		}
		w.must(t, sweep, "data.train="+ref, "data.order=file")
	}
}
