package plan_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/testfile"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// put writes a file that is old enough for what is found out about it to be kept.
func (w *world) put(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(w.root, name)
	write(t, path, text)
	return testfile.Age(t, path)
}

func TestRunsTrainOnFilesOfExamples(t *testing.T) {
	w := newWorld(t)
	path := w.put(t, "triples.tsv", "a\tb\tc\nd\te\tf\n")
	other := w.put(t, "other.tsv", "a\tb\tc\nd\te\tg\n")
	same := w.put(t, "same.tsv", "a\tb\tc\nd\te\tf\n")
	ids := map[string]sweeps.ID{}
	for _, file := range []string{path, other, same} {
		p := w.must(t, sweep, "data.train=./"+filepath.Base(file), "data.negatives=1")
		for _, run := range p.Runs {
			if run.State != plan.New || run.Config.Data.Train != file || !strings.HasPrefix(run.Inputs.Data, "sha256:") {
				t.Errorf("%+v", run)
			}
		}
		ids[file] = p.Runs[0].ID
	}
	if ids[path] == ids[other] || ids[path] != ids[same] {
		t.Errorf("ids %v: contents decide, and nothing else", ids)
	}
	if w.must(t, sweep, "data.train=./triples.tsv").Runs[0].ID == ids[path] {
		t.Error("data.negatives does not enter the id")
	}
}

// TestWhatTheDataLacksIsSaidBeforeCompute: all of it at once, with what is there instead.
func TestWhatTheDataLacksIsSaidBeforeCompute(t *testing.T) {
	w := newWorld(t)
	w.put(t, "ids/corpus.jsonl", `{"_id":"1","text":"a"}`)
	w.put(t, "ids/queries.jsonl", `{"_id":"1","text":"a"}`)
	w.put(t, "ids/train.tsv", "1\t1\t2\n")
	w.put(t, "pairs.jsonl", `{"query":"a","positive":"b","negatives":["c","d"]}`+"\n"+`{"query":"a","positive":"b","negatives":["c"]}`)
	w.put(t, "scores.jsonl", `{"query":"a","positive":"b","negative":"c","score":1}`+"\n"+`{"query":"e","positive":"f","negative":"c","score":2}`)
	w.put(t, "missing.jsonl", `{"query":"a","positive":"b","negative":"c","score":1}`+"\n"+`{"query":"e","positive":"f","negative":"c"}`)
	for name, c := range map[string]struct {
		overrides []string
		says      []string // none if all is well
	}{
		"all is well":            {[]string{"data.train=./scores.jsonl", "data.negatives=1", "loss.kind=kl"}, nil},
		"a file that is not":     {[]string{"data.train=./none.tsv"}, []string{"no such file or folder"}},
		"an id that is not":      {[]string{"data.train=./ids"}, []string{"data.train", "train.tsv:1", `negative "2" is not in`}},
		"a score that is not":    {[]string{"data.train=./missing.jsonl", "data.negatives=1", "loss.kind=margin_mse"}, []string{"data.train", "missing.jsonl:2: its columns are query, positive, negative, those of the first row query, positive, negative, score"}},
		"no scores at all":       {[]string{"data.train=./pairs.jsonl", "data.negatives=1", "loss.kind=margin_mse"}, []string{`loss.kind = "margin_mse": needs a teacher's scores, and`, "each of its rows is query, positive, negative"}},
		"too many negatives":     {[]string{"data.train=./pairs.jsonl", "data.negatives=2"}, []string{"data.negatives = 2: more than the data has: the row with fewest hard negatives", "pairs.jsonl:2, has 1"}},
		"negatives of qrels":     {[]string{"data.negatives=1", "loss.kind=kl"}, []string{"data.negatives = 1: the data has no hard negatives", "headroom mine", `loss.kind = "kl": needs a teacher's scores`}},
		"a batch of more":        {[]string{"data.train=./scores.jsonl", "train.batch=3"}, []string{"train.batch = 3: larger than the data", "has 2 training examples"}},
		"a published set to get": {[]string{"data.train=msmarco:hard-negatives"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := w.make(t, sweep, c.overrides...)
			var faults sweeps.Faults
			if len(c.says) > 0 && !errors.As(err, &faults) || len(c.says) == 0 && err != nil {
				t.Fatalf("got %v", err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("nothing says %q:\n%v", says, err)
				}
			}
			if strings.Contains(name, "published") && (p.Runs[0].State != plan.Unresolved || !strings.Contains(p.Runs[0].Why, "msmarco-hard-negatives.jsonl.gz")) {
				t.Errorf("%+v", p.Runs[0])
			}
		})
	}
}

// TestAPlanThatIsStoppedSaysSo: reading large data for the first time takes a while.
func TestAPlanThatIsStoppedSaysSo(t *testing.T) {
	w := newWorld(t)
	w.put(t, "long.tsv", strings.Repeat("a\tb\tc\n", 20_000))
	spec, err := sweeps.Parse("tiny.toml", []byte(sweep), "data.train=./long.tsv")
	if err != nil {
		t.Fatal(err)
	}
	o := w.options
	o.Spec = spec
	if _, err := plan.Make(&late{Context: context.Background(), after: 3}, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// late is a context that ends after some looks at it.
type late struct {
	context.Context
	after int
}

func (l *late) Err() error {
	if l.after--; l.after < 0 {
		return context.Canceled
	}
	return nil
}
