package loader_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/loader"
	"headroom/data/tokenize"
	"headroom/data/trec"
	"headroom/internal/testfile"
)

// tokenizer knows some words.
func tokenizer(t testing.TB) *tokenize.Tokenizer {
	t.Helper()
	tok, err := tokenize.TrainWordPiece(slices.Values([]string{"query document negative about number of the", "0 1 2 3 4 5 6 7 8 9"}), tokenize.TrainOptions{VocabSize: 300})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func openLoader(t testing.TB, set examples.Set, o loader.Options) *loader.Loader {
	t.Helper()
	l, err := loader.Open(context.Background(), set, tokenizer(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func at(t testing.TB, l *loader.Loader, step int) loader.Batch {
	t.Helper()
	b, err := l.At(step)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// beir writes a collection whose queries have up to three positives.
func beir(t testing.TB) string {
	t.Helper()
	random := rand.New(rand.NewPCG(2, 3))
	var documents []collection.Document
	var queries []collection.Query
	train := trec.Qrels{}
	for i := range 160 {
		documents = append(documents, collection.Document{ID: fmt.Sprintf("d%d", i), Title: "about", Text: fmt.Sprintf("document number %d", i%150)})
		if i%2 == 0 {
			q := fmt.Sprintf("q%d", i)
			queries = append(queries, collection.Query{ID: q, Text: fmt.Sprintf("query of the number %d", i)})
			train[q] = map[string]int{}
			for range 1 + random.IntN(3) {
				train[q][fmt.Sprintf("d%d", random.IntN(i+1))] = 1
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "c")
	if err := collection.Write(dir, documents, queries, map[string]trec.Qrels{"train": train}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sameAsSampler compares with what the parts give that a collection's batches were made of before there was a
// loader: all pairs tokenized at once, and a sampler with the conflicts of all.
func sameAsSampler(t *testing.T, folder string, tok *tokenize.Tokenizer, o loader.Options, steps int) {
	t.Helper()
	c, err := collection.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	list, err := examples.FromCollection(c, collection.Train)
	if err != nil {
		t.Fatal(err)
	}
	sampler, err := batch.New(len(list), o.Batch, o.Seed, o.Order, examples.Conflict(list))
	if err != nil {
		t.Fatal(err)
	}
	l, err := loader.Open(context.Background(), examples.Set{Folder: folder}, tok, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Examples() != len(list) {
		t.Errorf("%d examples of %d", l.Examples(), len(list))
	}
	for step := range steps {
		var want loader.Batch
		for _, i := range sampler.At(step) {
			want.Queries = append(want.Queries, tok.Encode(list[i].Query, o.MaxQuery))
			want.Documents = append(want.Documents, tok.Encode(list[i].Positive, o.MaxDocument))
		}
		if got := at(t, l, step); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s, step %d: %v, want %v", o.Order, step, got, want)
		}
	}
}

func TestACollectionsBatchesAreThoseOfBefore(t *testing.T) {
	dir := beir(t)
	for _, order := range []string{batch.Shuffle, batch.File} {
		for _, size := range []int{1, 7, 16} {
			sameAsSampler(t, dir, tokenizer(t), loader.Options{Batch: size, Seed: 3, Order: order, MaxQuery: 6, MaxDocument: 9}, 100)
		}
	}
}

func TestRealBatchesAreThoseOfBefore(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real collection to read")
	}
	tok, err := tokenize.Load(filepath.Join(root, "tokenizers", "bert-base-uncased", "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	sameAsSampler(t, filepath.Join(root, "beir", "scifact"), tok, loader.Options{Batch: 32, Seed: 1, Order: batch.Shuffle, MaxQuery: 64, MaxDocument: 128}, 60)
	sameAsSampler(t, filepath.Join(root, "beir", "medquad"), tok, loader.Options{Batch: 64, Seed: 2, Order: batch.Shuffle, MaxQuery: 64, MaxDocument: 32}, 20)
}

// scored are rows of three negatives with scores.
func scored(t testing.TB, rows int) examples.Set {
	t.Helper()
	var text strings.Builder
	for i := range rows {
		fmt.Fprintf(&text, `{"query":"query %d","positive":"document %d","negative_1":"negative 1 %d","negative_2":"negative 2 %d","negative_3":"negative 3 %d","scores":[%d,1,2,3]}`+"\n", i, i, i, i, i, i)
	}
	set, err := examples.FindFile(testfile.Put(t, filepath.Join(t.TempDir(), "train.jsonl"), text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestNegativesStandInColumns: the positives of all queries, then their first negatives, then their second.
func TestNegativesStandInColumns(t *testing.T) {
	tok := tokenizer(t)
	l := openLoader(t, scored(t, 5), loader.Options{Batch: 3, Order: batch.File, Negatives: 2, MaxQuery: 10, MaxDocument: 10})
	for step := range 6 {
		var want loader.Batch
		for i := range 3 {
			row := (3*step + i) % 5
			want.Queries = append(want.Queries, tok.Encode(fmt.Sprintf("query %d", row), 10))
			want.Scores = append(want.Scores, float32(row), 1, 2)
		}
		for _, column := range []string{"document", "negative 1", "negative 2"} {
			for i := range 3 {
				want.Documents = append(want.Documents, tok.Encode(fmt.Sprintf("%s %d", column, (3*step+i)%5), 10))
			}
		}
		got := at(t, l, step)
		if !reflect.DeepEqual(got, want) || got.Columns() != 3 {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
	plain := at(t, openLoader(t, scored(t, 5), loader.Options{Batch: 3, Order: batch.File, MaxQuery: 10, MaxDocument: 10}), 0)
	if plain.Columns() != 1 || !slices.Equal(plain.Scores, []float32{0, 1, 2}) {
		t.Errorf("without negatives: %v", plain)
	}
}

// TestStepsDoNotDependOnThoseBefore: whatever was asked for before, and however far batches were made ahead.
func TestStepsDoNotDependOnThoseBefore(t *testing.T) {
	dir := beir(t)
	for name, c := range map[string]struct {
		set       examples.Set
		negatives int
	}{"a collection": {examples.Set{Folder: dir}, 0}, "a file": {scored(t, 90), 3}} {
		t.Run(name, func(t *testing.T) {
			o := loader.Options{Batch: 8, Seed: 11, Order: batch.Shuffle, Negatives: c.negatives, MaxQuery: 10, MaxDocument: 10}
			whole := openLoader(t, c.set, o)
			var want []loader.Batch
			for step := range 60 {
				want = append(want, at(t, whole, step))
			}
			random := rand.New(rand.NewPCG(6, 6))
			for range 30 {
				step := random.IntN(60)
				fresh := openLoader(t, c.set, o)
				for ; step < 60 && random.IntN(8) > 0; step++ {
					if !reflect.DeepEqual(at(t, fresh, step), want[step]) {
						t.Fatalf("step %d after a resume differs", step)
					}
				}
				if step = random.IntN(60); !reflect.DeepEqual(at(t, whole, step), want[step]) {
					t.Fatalf("step %d, asked for again, differs", step)
				}
			}
		})
	}
}

func TestWhatCannotBeLoadedIsAnError(t *testing.T) {
	set := scored(t, 5)
	for name, c := range map[string]struct {
		o    loader.Options
		says string
	}{
		"no room for tokens":      {loader.Options{Batch: 2, Order: batch.File, MaxQuery: 5}, "at least 1 is needed"},
		"a batch of more than is": {loader.Options{Batch: 6, Order: batch.File, MaxQuery: 5, MaxDocument: 5}, "larger than the data (5 examples)"},
		"too many negatives":      {loader.Options{Batch: 2, Order: batch.File, MaxQuery: 5, MaxDocument: 5, Negatives: 4}, "train.jsonl:1 has 3"},
		"an unknown order":        {loader.Options{Batch: 2, MaxQuery: 5, MaxDocument: 5}, "is allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loader.Open(context.Background(), set, tokenizer(t), c.o)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
	if _, err := loader.Open(context.Background(), examples.Set{Folder: beir(t)}, tokenizer(t), loader.Options{Batch: 2, Order: batch.File, MaxQuery: 5, MaxDocument: 5, Negatives: 1}); err == nil || !strings.Contains(err.Error(), "has 0") {
		t.Errorf("negatives of qrels: %v", err)
	}
	l := openLoader(t, set, loader.Options{Batch: 2, Order: batch.File, MaxQuery: 5, MaxDocument: 5})
	if _, err := l.At(-1); err == nil {
		t.Error("step -1 was made")
	}
	want := at(t, l, 1)
	// The file goes away under the loader: an error at each step that reads it, and none that takes its place.
	if err := os.Truncate(set.Files[0], 10); err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{1000, 1000, 7} {
		if b, err := l.At(step); err == nil {
			t.Errorf("step %d of a file that is gone: %v", step, b)
		}
	}
	if len(want.Queries) != 2 {
		t.Errorf("step 1: %v", want)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := loader.Open(ctx, scored(t, 5000), tokenizer(t), loader.Options{Batch: 2, Order: batch.File, MaxQuery: 5, MaxDocument: 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled opening: %v", err)
	}
}

// TestATextIsCutByItsRole: one text as a query and as a document, in the first epoch and in later ones.
func TestATextIsCutByItsRole(t *testing.T) {
	tok := tokenizer(t)
	const text = "query about the number of the document 1 2 3"
	set, err := examples.FindFile(testfile.Put(t, filepath.Join(t.TempDir(), "same.tsv"), "query\tpositive\n"+text+"\t"+text+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	l := openLoader(t, set, loader.Options{Batch: 1, Order: batch.File, MaxQuery: 4, MaxDocument: 9})
	for step := range 3 {
		want := loader.Batch{Queries: [][]int32{tok.Encode(text, 4)}, Documents: [][]int32{tok.Encode(text, 9)}}
		if got := at(t, l, step); !reflect.DeepEqual(got, want) {
			t.Errorf("step %d: %v, want %v", step, got, want)
		}
	}
}

// TestPromptsComeBeforeTexts: the batches are those of texts that begin so.
func TestPromptsComeBeforeTexts(t *testing.T) {
	rows := func(query, document string) examples.Set {
		var text strings.Builder
		for i := range 40 {
			fmt.Fprintf(&text, `{"query":"%squery %d","positive":"%sdocument %d","negative":"%snegative %d"}`+"\n", query, i%7, document, i, document, i)
		}
		set, err := examples.FindFile(testfile.Put(t, filepath.Join(t.TempDir(), "train.jsonl"), text.String()))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	o := loader.Options{Batch: 4, Seed: 2, Order: batch.File, Negatives: 1, MaxQuery: 8, MaxDocument: 9}
	written := openLoader(t, rows("about ", "number of "), o)
	o.QueryPrompt, o.DocumentPrompt = "about ", "number of "
	put := openLoader(t, rows("", ""), o)
	for step := range 25 {
		if got, want := at(t, put, step), at(t, written, step); !reflect.DeepEqual(got, want) {
			t.Fatalf("step %d: %v, want %v", step, got, want)
		}
	}
}

func TestATextWithoutATokenIsNamed(t *testing.T) {
	tok := bare(t)
	set, err := examples.FindFile(testfile.Put(t, filepath.Join(t.TempDir(), "train.jsonl"), `{"query":"query","positive":"document"}`+"\n"+`{"query":"about","positive":"\u0001"}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := loader.Open(context.Background(), set, tok, loader.Options{Batch: 2, Order: batch.File, MaxQuery: 4, MaxDocument: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.At(0); err == nil || !strings.Contains(err.Error(), `training data's document "\x01" has no token`) {
		t.Errorf("error %v", err)
	}
}

// bare is the tokenizer without special tokens around a text.
func bare(t *testing.T) *tokenize.Tokenizer {
	t.Helper()
	var spec map[string]any
	if err := json.Unmarshal(tokenizer(t).Bytes(), &spec); err != nil {
		t.Fatal(err)
	}
	spec["post_processor"] = nil
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenize.Parse("bare.json", text)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
