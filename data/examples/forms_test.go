package examples_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/internal/testfile"
)

func putParquet[T any](t testing.TB, path string, rows []T) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := parquetgo.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return testfile.Age(t, path)
}

func fileSet(t testing.TB, path string) examples.Set {
	t.Helper()
	set, err := examples.FindFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func open(t testing.TB, set examples.Set, store kept.Store, o examples.Options) examples.Source {
	t.Helper()
	source, err := examples.Open(context.Background(), set, store, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return source
}

// all reads every example of an epoch, once in file order and once by the places that marks say, which must agree.
func all(t testing.TB, source examples.Source, epoch int) []examples.Example {
	t.Helper()
	marks, err := source.Marks([]batch.Range{{From: 0, To: source.Len()}}, epoch)
	if err != nil {
		t.Fatal(err)
	}
	var inFile, byMark []batch.Place
	for row := range source.Len() {
		inFile = append(inFile, batch.Place{Row: row, Epoch: epoch, At: -1})
		byMark = append(byMark, batch.Place{Row: row, Epoch: epoch, At: marks[row].At})
	}
	first, err := source.Examples(inFile)
	if err != nil {
		t.Fatal(err)
	}
	second, err := source.Examples(byMark)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Errorf("in file order %v, by places %v", first, second)
	}
	return first
}

// world is a small collection and triples over it, in every form.
type world struct {
	dir                       string
	query, positive, negative func(i int) string
	rows                      int
}

func newWorld(t testing.TB) world {
	w := world{dir: t.TempDir(), rows: 700}
	w.query = func(i int) string { return fmt.Sprintf("query \"%d\"", i%97) }
	w.positive = func(i int) string { return fmt.Sprintf("document %d ünïcode \\n", i%89) }
	w.negative = func(i int) string { return fmt.Sprintf("document %d ünïcode \\n", (i*7+1)%89) }
	var documents, queries strings.Builder
	for i := range 97 {
		fmt.Fprintf(&queries, "%d\t%s\n", 1000+i, w.query(i))
	}
	for i := range 89 {
		fmt.Fprintf(&documents, "%d\t%s\n", i, w.positive(i))
	}
	testfile.Put(t, filepath.Join(w.dir, "collection.tsv"), documents.String())
	testfile.Put(t, filepath.Join(w.dir, "queries.train.tsv.gz"), queries.String())
	return w
}

func (w world) ids(i int) (query, positive, negative int) { return 1000 + i%97, i % 89, (i*7 + 1) % 89 }

// lines writes a line per row.
func (w world) lines(head string, line func(i int) string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range w.rows {
		b.WriteString(line(i) + "\n")
	}
	return b.String()
}

func (w world) want(scores func(i int) []float32) []examples.Example {
	var want []examples.Example
	for i := range w.rows {
		e := examples.Example{Query: w.query(i), Positive: w.positive(i), Negatives: []string{w.negative(i)}}
		if scores != nil {
			e.Scores = scores(i)
		}
		want = append(want, e)
	}
	return want
}

type textTriple struct {
	Query    string `parquet:"anchor"`
	Positive string `parquet:"positive"`
	Negative string `parquet:"negative"`
}

type idTriple struct {
	Query    string  `parquet:"query_id"`
	Positive string  `parquet:"positive_id"`
	Negative string  `parquet:"negative_id"`
	Score    float64 `parquet:"score"`
}

type numberTriple struct {
	Query    int64     `parquet:"query"`
	Positive int64     `parquet:"positive"`
	Negative int64     `parquet:"negative"`
	Labels   []float32 `parquet:"labels,list"`
}

// TestEveryFormHasTheSameExamples: one set of triples, as texts and as ids, with and without scores, in every format.
func TestEveryFormHasTheSameExamples(t *testing.T) {
	w := newWorld(t)
	quoted := func(s string) string { return fmt.Sprintf("%q", s) }
	tsv := func(i int) string { return w.query(i) + "\t" + w.positive(i) + "\t" + w.negative(i) }
	ids := func(i int) string { q, p, n := w.ids(i); return fmt.Sprintf("%d\t%d\t%d", q, p, n) }
	margin := func(i int) float64 { return float64(i)/8 - 20 }
	margins := w.want(func(i int) []float32 { return []float32{0, float32(20 - float64(i)/8)} })
	both := w.want(func(i int) []float32 { return []float32{float32(i), 0.5} })
	var texts []textTriple
	var scored []idTriple
	var numbers []numberTriple
	for i := range w.rows {
		q, p, n := w.ids(i)
		texts = append(texts, textTriple{w.query(i), w.positive(i), w.negative(i)})
		scored = append(scored, idTriple{fmt.Sprint(q), fmt.Sprint(p), fmt.Sprint(n), margin(i)})
		numbers = append(numbers, numberTriple{int64(q), int64(p), int64(n), []float32{float32(i), 0.5}})
	}
	shards := filepath.Join(w.dir, "shards")
	putParquet(t, filepath.Join(shards, "train-00000-of-00002.parquet"), scored[:300])
	putParquet(t, filepath.Join(shards, "train-00001-of-00002.parquet"), scored[300:])
	sharded, err := examples.FindFolder(shards)
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]struct {
		set  examples.Set
		want []examples.Example
		says string
	}{
		"texts without a header": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "a.tsv"), w.lines("", tsv))), w.want(nil), "query, positive, negative"},
		"texts, gzipped":         {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "b.tsv.gz"), w.lines("", tsv))), w.want(nil), "query, positive, negative"},
		"texts under a header, other order": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "c.tsv"), w.lines("negative\tquery\tpositive\n", func(i int) string {
			return w.negative(i) + "\t" + w.query(i) + "\t" + w.positive(i)
		}))), w.want(nil), "query, positive, negative"},
		"numbers without a header": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "d.tsv"), strings.ReplaceAll(w.lines("", ids), "\n", "\r\n"))), w.want(nil), "query_id, positive_id, negative_id"},
		"two scores and numbers": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "e.tsv"), w.lines("", func(i int) string {
			return fmt.Sprintf("%d\t0.5\t%s", i, ids(i))
		}))), both, "query_id, positive_id, negative_id, score"},
		"JSON texts": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "f.jsonl"), w.lines("", func(i int) string {
			return fmt.Sprintf(`{"query":%s,"positive":%s,"negative":%s}`, quoted(w.query(i)), quoted(w.positive(i)), quoted(w.negative(i)))
		}))), w.want(nil), "query, positive, negative"},
		"JSON ids and a margin": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "g.jsonl.gz"), w.lines("", func(i int) string {
			q, p, n := w.ids(i)
			return fmt.Sprintf(`{"qid":"%d","negative_id":%d,"positive_id":%d,"label":%v}`, q, n, p, margin(i))
		}))), margins, "query_id, positive_id, negative_id, score (margins)"},
		"JSON with both scores": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "h.jsonl"), w.lines("", func(i int) string {
			return fmt.Sprintf(`{"scores":[%d,0.5],"query":%s,"positive":%s,"negatives":[%s]}`, i, quoted(w.query(i)), quoted(w.positive(i)), quoted(w.negative(i)))
		}))), both, "query, positive, negative, score"},
		"texts and documents' ids": {fileSet(t, testfile.Put(t, filepath.Join(w.dir, "i.tsv"), w.lines("query\tpositive_id\tnegative_id_1\tscore\n", func(i int) string {
			_, p, n := w.ids(i)
			return fmt.Sprintf("%s\t%d\t%d\t[%v]", w.query(i), p, n, margin(i))
		}))), margins, "query, positive_id, negative_id, score (margins)"},
		"Parquet texts":             {fileSet(t, putParquet(t, filepath.Join(w.dir, "j.parquet"), texts)), w.want(nil), "query, positive, negative"},
		"Parquet ids and a margin":  {sharded, margins, "query_id, positive_id, negative_id, score (margins)"},
		"Parquet numbers and lists": {fileSet(t, putParquet(t, filepath.Join(w.dir, "k.parquet"), numbers)), both, "query_id, positive_id, negative_id, score"},
	}
	for name, c := range sets {
		t.Run(name, func(t *testing.T) {
			for _, store := range []kept.Store{{}, {Dir: filepath.Join(w.dir, "cache")}, {Dir: filepath.Join(w.dir, "cache")}} {
				survey, err := examples.ReadSurvey(context.Background(), c.set, store)
				if err != nil {
					t.Fatal(err)
				}
				if survey.Rows != w.rows || survey.Negatives != 1 || survey.Columns != c.says || survey.Scores != strings.Contains(c.says, "score") {
					t.Errorf("survey %+v", survey)
				}
				source := open(t, c.set, store, examples.Options{Negatives: 1})
				if got := all(t, source, 0); !reflect.DeepEqual(got, c.want) {
					t.Errorf("examples %.300v, want %.300v", got, c.want)
				}
			}
		})
	}
}

func TestColumnsOfNegativesAreTakenInOrder(t *testing.T) {
	dir := t.TempDir()
	path := testfile.Put(t, filepath.Join(dir, "train.jsonl"), `{"query":"q","negative_2":"two","negative_1":"one","positive":"p","negative_3":"three","scores":[4,3,2,1]}
{"query":"r","positive":"p","negative_1":"eins","negative_2":"zwei","scores":[2,1.5,0.5]}
`)
	for n, want := range [][]examples.Example{
		{{Query: "q", Positive: "p", Negatives: nil, Scores: []float32{4}}, {Query: "r", Positive: "p", Scores: []float32{2}}},
		{{Query: "q", Positive: "p", Negatives: []string{"one"}, Scores: []float32{4, 3}}, {Query: "r", Positive: "p", Negatives: []string{"eins"}, Scores: []float32{2, 1.5}}},
		{{Query: "q", Positive: "p", Negatives: []string{"one", "two"}, Scores: []float32{4, 3, 2}}, {Query: "r", Positive: "p", Negatives: []string{"eins", "zwei"}, Scores: []float32{2, 1.5, 0.5}}},
	} {
		for epoch := range 3 {
			if got := all(t, open(t, fileSet(t, path), kept.Store{}, examples.Options{Negatives: n, Seed: 5}), epoch); !reflect.DeepEqual(got, want) {
				t.Errorf("%d negatives: %v, want %v", n, got, want)
			}
		}
	}
	survey, err := examples.ReadSurvey(context.Background(), fileSet(t, path), kept.Store{})
	if err != nil || survey.Negatives != 2 || survey.Fewest != path+":2" {
		t.Errorf("survey %+v, %v", survey, err)
	}
	_, err = examples.Open(context.Background(), fileSet(t, path), kept.Store{}, examples.Options{Negatives: 3})
	if err == nil || !strings.Contains(err.Error(), path+":2 has 2") {
		t.Errorf("three negatives of two: %v", err)
	}
}

// TestListsOfNegativesAreDrawn: others in each epoch, each at most once, never a positive, the same for one seed.
func TestListsOfNegativesAreDrawn(t *testing.T) {
	dir := t.TempDir()
	var corpus strings.Builder
	for i := range 30 {
		fmt.Fprintf(&corpus, "{\"_id\":\"%d\",\"text\":\"t%d\"}\n", i, i)
	}
	testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), corpus.String())
	testfile.Put(t, filepath.Join(dir, "queries.jsonl"), `{"_id":"7","text":"seven"}`+"\n"+`{"_id":"8","text":"eight"}`)
	path := testfile.Put(t, filepath.Join(dir, "neg.jsonl.gz"), `{"qid": 7, "pos": [1, 2], "neg": {"bm25": [3,4,5,6,2,3], "none": [], "dense": [6,7,8,9,1,10]}}
{"qid": 8, "pos": [11], "neg": {"bm25": [12,13,14]}}
`)
	set := fileSet(t, path)
	survey, err := examples.ReadSurvey(context.Background(), set, kept.Store{})
	if err != nil || survey.Negatives != 3 || survey.Columns != "qid, pos, neg" || survey.Scores {
		t.Errorf("survey %+v, %v", survey, err)
	}
	source, again := open(t, set, kept.Store{}, examples.Options{Negatives: 3, Seed: 1}), open(t, set, kept.Store{}, examples.Options{Negatives: 3, Seed: 1})
	other := all(t, open(t, set, kept.Store{}, examples.Options{Negatives: 3, Seed: 2}), 0)
	drawn := map[string]bool{}
	var former []examples.Example
	for epoch := range 40 {
		got := all(t, source, epoch)
		if !reflect.DeepEqual(got, all(t, again, epoch)) {
			t.Fatalf("epoch %d: one seed draws twice", epoch)
		}
		if got[0].Query != "seven" || got[0].Positive != fmt.Sprintf("t%d", 1+epoch%2) || got[1].Positive != "t11" {
			t.Errorf("epoch %d: %v", epoch, got)
		}
		for i, e := range got {
			once := map[string]bool{}
			for _, negative := range e.Negatives {
				once[negative] = true
				if i == 0 {
					drawn[negative] = true
				}
			}
			if len(once) != 3 || once["t1"] || once["t2"] || once["t11"] || once["t0"] {
				t.Errorf("epoch %d: negatives %v", epoch, e.Negatives)
			}
		}
		if epoch == 0 && reflect.DeepEqual(got[0].Negatives, other[0].Negatives) {
			t.Error("two seeds draw the same") // 1 of 336
		}
		if former != nil && reflect.DeepEqual(got[0].Negatives, former[0].Negatives) {
			t.Errorf("epoch %d draws as the one before", epoch)
		}
		former = got
	}
	if len(drawn) != 8 {
		t.Errorf("%d of 8 negatives were drawn in 40 epochs: %v", len(drawn), drawn)
	}
}

// TestMarksKnowTextsAndIds: documents of one text are one, and what any row of a query says is relevant is.
func TestMarksKnowTextsAndIds(t *testing.T) {
	dir := t.TempDir()
	testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), `{"_id":"a","text":"same"}
{"_id":"b","text":"same"}
{"_id":"c","text":"other"}
{"_id":"d","text":"far"}
{"_id":"e","text":"hard"}
`)
	testfile.Put(t, filepath.Join(dir, "queries.jsonl"), `{"_id":"1","text":"one"}
{"_id":"2","text":"two"}
{"_id":"3","text":"one"}
{"_id":"4","text":"four"}
{"_id":"5","text":"five"}
`)
	rows := [][3]string{{"1", "a", "e"}, {"2", "b", "e"}, {"3", "c", "e"}, {"4", "d", "c"}, {"5", "d", "e"}, {"2", "c", "e"}}
	lines := "query_id\tpositive_id\tnegative_id\n"
	texts := map[string]string{"a": "same", "b": "same", "c": "other", "d": "far", "e": "hard", "1": "one", "2": "two", "3": "one", "4": "four", "5": "five"}
	plain := ""
	for _, r := range rows {
		lines += strings.Join(r[:], "\t") + "\n"
		plain += texts[r[0]] + "\t" + texts[r[1]] + "\t" + texts[r[2]] + "\n"
	}
	want := map[[2]int]bool{
		{0, 1}: true,               // two documents of one text
		{0, 2}: true,               // two queries of one text
		{1, 2}: true,               // c is relevant to query 2, row 5 says
		{2, 5}: true, {1, 5}: true, // the same
		{0, 5}: true, // c is relevant to query 1, row 2 says, and so is "same" to query 2
		{3, 4}: true, // the same positive
	}
	hard := map[[2]int]bool{{0, 3}: true, {1, 3}: true, {2, 3}: true, {3, 5}: true} // c is a negative of row 3
	for name, path := range map[string]string{"ids": testfile.Put(t, filepath.Join(dir, "ids.tsv"), lines), "texts": testfile.Put(t, filepath.Join(dir, "texts.tsv"), plain)} {
		for n := range 2 {
			marks, err := open(t, fileSet(t, path), kept.Store{}, examples.Options{Negatives: n}).Marks([]batch.Range{{From: 0, To: 2}, {From: 2, To: 6}}, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := range marks {
				for j := range marks {
					pair := [2]int{min(i, j), max(i, j)}
					if got := marks[i].Conflicts(&marks[j]); got != (i == j || want[pair] || n == 1 && hard[pair]) {
						t.Errorf("%s, %d negatives: conflict(%d, %d) = %v", name, n, i, j, got)
					}
				}
			}
		}
	}
}
