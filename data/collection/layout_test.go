package collection_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"headroom/data/collection"
	"headroom/data/trec"
)

// What every layout below holds: d1 and d2, a title in some, queries q1 (dev or test) and q2.
type text struct {
	ID   string `parquet:"_id"`
	Text string `parquet:"text"`
}

type pair struct {
	Query    string `parquet:"query-id"`
	Document string `parquet:"corpus-id"`
}

// parquets writes rows as a file of the hub.
func parquets[T any](t *testing.T, dir, name string, rows []T) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
}

const (
	passages = "d1\tone\nd2\t  two \n"
	trecRows = "q1 0 d2 1\nq1 0 d1 0\n"
)

func TestLayoutsAreReadAsTheyArePublished(t *testing.T) {
	hubs := t.TempDir()
	parquets(t, hubs, "corpus/train-00000-of-00002.parquet", []text{{"d1", "one"}})
	parquets(t, hubs, "corpus/train-00001-of-00002.parquet", []text{{"d2", "  two "}})
	parquets(t, hubs, "queries/train-00000-of-00001.parquet", []text{{"q1", "which"}})
	parquets(t, hubs, "qrels/test-00000-of-00001.parquet", []pair{{"q1", "d2"}})
	viewed := folder(t, map[string]string{
		"a/passages.tsv": passages, "b/asked.tsv": "q1\twhich\n", "b/judged.txt": trecRows,
		"c/collection.json": `{"corpus": ["../a/passages.tsv"], "queries": ["../b/asked.tsv"], "splits": {"test": "../b/judged.txt"}}`,
	})
	topics := "<top>\n<num> Number: q1\n<title> which\n\n<desc> Description:\nof all\n</top>\n"
	for name, c := range map[string]struct {
		dir    string
		layout collection.Layout
		splits []string
		grades map[string]int
	}{
		"beir": {folder(t, map[string]string{
			"corpus.jsonl":  "{\"_id\":\"d1\",\"text\":\"one\"}\n{\"_id\":\"d2\",\"text\":\"  two \"}\n",
			"queries.jsonl": "{\"_id\":\"q1\",\"text\":\"which\"}\n", "qrels/test.tsv": header + "q1\td2\t1\n",
		}), collection.BEIR, []string{"test"}, map[string]int{"d2": 1}},
		"beir, one deeper": {folder(t, map[string]string{
			"scifact/corpus.jsonl":  "{\"_id\":\"d1\",\"text\":\"one\"}\n{\"_id\":\"d2\",\"text\":\"  two \"}\n",
			"scifact/queries.jsonl": "{\"_id\":\"q1\",\"text\":\"which\"}\n", "scifact/qrels/test.tsv": header + "q1\td2\t1\n", "__MACOSX/x": "",
		}), collection.BEIR, []string{"test"}, map[string]int{"d2": 1}},
		"msmarco, packed": {folder(t, map[string]string{
			"collection.tsv.gz": passages, "queries.dev.small.tsv.gz": "q1\twhich\n", "qrels.dev.small.tsv.gz": "q1\t0\td2\t1\n",
			"queries.dev.tsv": "q1\twhich\nq9\tnot read\n", "qrels.dev.tsv": "q9\t0\td1\t1\n", "queries.eval.tsv": "q7\tnot read\n",
		}), collection.MSMARCO, []string{"dev", "test"}, map[string]int{"d2": 1}},
		"trec": {folder(t, map[string]string{"collection.tsv": passages, "topics.txt": topics, "qrels.txt": trecRows}),
			collection.TREC, []string{"test"}, map[string]int{"d2": 1, "d1": 0}},
		"trec, xml, packed": {folder(t, map[string]string{
			"corpus.tsv": passages, "topics.xml.gz": `<topics><topic number="q1"><query>which</query><question>of all?</question></topic></topics>`, "qrels.txt.gz": trecRows,
		}), collection.TREC, []string{"test"}, map[string]int{"d2": 1, "d1": 0}},
		"hub":  {hubs, collection.Hub, []string{"test"}, map[string]int{"d2": 1}},
		"view": {filepath.Join(viewed, "c"), collection.Viewed, []string{"test"}, map[string]int{"d2": 1, "d1": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := open(t, c.dir)
			documents, err := c1.Documents()
			if err != nil || !slices.Equal(documents, []collection.Document{{ID: "d1", Text: "one"}, {ID: "d2", Text: "  two "}}) {
				t.Errorf("documents %+v, %v", documents, err)
			}
			if queries, err := c1.Queries(); err != nil || !slices.Equal(queries, []collection.Query{{ID: "q1", Text: "which"}}) {
				t.Errorf("queries %+v, %v", queries, err)
			}
			if c1.Layout != c.layout || !slices.Equal(c1.Splits(), c.splits) {
				t.Errorf("layout %q, splits %q", c1.Layout, c1.Splits())
			}
			for _, split := range c.splits {
				qrels, err := c1.Qrels(split)
				if err != nil || !maps.EqualFunc(qrels, trec.Qrels{"q1": c.grades}, maps.Equal) {
					t.Errorf("%s: %v, %v", split, qrels, err)
				}
			}
			one, err := c1.DigestOf("test")
			if again, other := open(t, c.dir).DigestOf("test"); err != nil || other != nil || one != again {
				t.Errorf("digests %s %s, %v %v", one, again, err, other)
			}
			paths, err := c1.Files("test")
			if err != nil || len(paths) < 3 {
				t.Errorf("files %q, %v", paths, err)
			}
			for _, path := range paths {
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestLayoutsThatAreNotClearAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		says  []string
	}{
		"two folders":   {map[string]string{"a/corpus.jsonl": "", "a/queries.jsonl": "", "b/corpus.jsonl": "", "b/queries.jsonl": ""}, []string{"corpus.jsonl"}},
		"a lost view":   {map[string]string{"collection.json": `{"corpus": ["gone.tsv"], "queries": ["q.tsv"], "splits": {}}`}, []string{"collection.json names a file", "gone.tsv"}},
		"a wrong view":  {map[string]string{"collection.json": `{"corpus": ["gone.tsv"], "qeries": ["q.tsv"]}`}, []string{"collection.json", "qeries"}},
		"an empty view": {map[string]string{"collection.json": `{}`}, []string{"names no corpus"}},
	} {
		_, err := collection.Open(folder(t, c.files))
		wantError(t, err, c.says...)
		_ = name
	}
	for name, c := range map[string]struct {
		files map[string]string
		says  []string
	}{
		"three columns":     {map[string]string{"collection.tsv": "d1\tone\ttwo\n"}, []string{"collection.tsv:1", "3 columns; a row is id ⇥ text"}},
		"an id twice":       {map[string]string{"collection.tsv": "d1\tone\nd1\ttwo\n"}, []string{"collection.tsv:2", "already on line 1"}},
		"an id with spaces": {map[string]string{"collection.tsv": "d 1\tone\n"}, []string{"white space is not allowed"}},
		"no text form":      {map[string]string{"collection.tsv": "d1\t\xff\n"}, []string{"not UTF-8"}},
		"nothing":           {map[string]string{"collection.tsv": "\n"}, []string{"no document"}},
	} {
		files := map[string]string{"topics.tsv": "q1\twhich\n", "qrels.txt": "q1 0 d1 1\n"}
		maps.Copy(files, c.files)
		_, err := open(t, folder(t, files)).Documents()
		t.Run(name, func(t *testing.T) { wantError(t, err, c.says...) })
	}
	for topics, says := range map[string]string{
		"nothing of the kind":                          "neither <top>",
		"<top><num> 1 </top>":                          "no <num> or no <title>",
		"<topics><topic number=\"1\"/></topics>":       "neither <query> nor <title>",
		"<top><num>1<title>a</top><top><num>1<title>b": "already on line 1",
	} {
		_, err := open(t, folder(t, map[string]string{"collection.tsv": passages, "topics.txt": topics, "qrels.txt": "1 0 d1 1\n"})).Queries()
		wantError(t, err, says)
	}
}

func TestEmptyRowsOfSeveralFilesHaveTheirPlace(t *testing.T) {
	dir := folder(t, map[string]string{
		"one.tsv": "d1\tone\n", "two.tsv": "d2\t\nd3\tthree\n", "q.tsv": "q1\t \n", "r.txt": "q1 0 d1 1\n",
		"collection.json": `{"corpus": ["one.tsv", "two.tsv"], "queries": ["q.tsv"], "splits": {"test": "r.txt"}}`,
	})
	empty, err := open(t, dir).EmptyDocuments()
	if err != nil || len(empty) != 1 || empty["d2"] != (collection.Place{Row: 1, Where: filepath.Join(dir, "two.tsv") + ":1"}) {
		t.Errorf("%+v, %v", empty, err)
	}
	if empty, err := open(t, dir).EmptyQueries(); err != nil || empty["q1"].Row != 0 {
		t.Errorf("%+v, %v", empty, err)
	}
}
