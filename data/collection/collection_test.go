package collection_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/trec"
)

const (
	goodCorpus  = "{\"_id\":\"d1\",\"title\":\"T\",\"text\":\" one \"}\n{\"_id\":\"d2\",\"text\":\"two\",\"metadata\":{\"_id\":7}}\n"
	goodQueries = "{\"_id\":\"q1\",\"text\":\"first\"}\n{\"_id\":\"q2\",\"text\":\"\"}\n"
	header      = "query-id\tcorpus-id\tscore\n"
)

// folder writes files into a new folder; names with .gz are gzipped.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data := []byte(content)
		if strings.HasSuffix(name, ".gz") {
			data = zipped(t, content)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func zipped(t *testing.T, content string) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func open(t *testing.T, dir string) *collection.Collection {
	t.Helper()
	c, err := collection.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestContentIsTitleSpaceText(t *testing.T) {
	for _, c := range []struct {
		document collection.Document
		want     string
	}{
		{collection.Document{Title: "A", Text: "b"}, "A b"},
		{collection.Document{Text: "  b \n"}, "  b \n"},
		{collection.Document{Title: " ", Text: "b"}, "  b"},
		{collection.Document{Title: "A"}, "A "},
		{collection.Document{}, ""},
	} {
		if got := c.document.Content(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.document, got, c.want)
		}
	}
}

func TestReadsFolderPlainOrGzipped(t *testing.T) {
	plain := folder(t, map[string]string{
		"corpus.jsonl": goodCorpus, "queries.jsonl": goodQueries,
		"qrels/test.tsv": header + "q2\td1\t2\nq1\td2\t0\nq1\td1\t1\n",
	})
	packed := folder(t, map[string]string{
		"corpus.jsonl.gz": goodCorpus, "queries.jsonl.gz": goodQueries,
		"qrels/test.tsv.gz": header + "q2\td1\t2\nq1\td2\t0\nq1\td1\t1\n",
	})
	var digests []string
	for _, dir := range []string{plain, packed} {
		c := open(t, dir)
		docs, err := c.Documents()
		if err != nil {
			t.Fatal(err)
		}
		if want := []collection.Document{{ID: "d1", Title: "T", Text: " one "}, {ID: "d2", Text: "two"}}; !slices.Equal(docs, want) {
			t.Errorf("documents %+v", docs)
		}
		queries, err := c.Queries()
		if err != nil {
			t.Fatal(err)
		}
		if want := []collection.Query{{ID: "q1", Text: "first"}, {ID: "q2"}}; !slices.Equal(queries, want) {
			t.Errorf("queries %+v", queries)
		}
		judgments, err := c.Judgments("test")
		if err != nil {
			t.Fatal(err)
		}
		if want := []collection.Judgment{{"q2", "d1", 2}, {"q1", "d2", 0}, {"q1", "d1", 1}}; !slices.Equal(judgments.Rows, want) {
			t.Errorf("rows %+v are not in file order", judgments.Rows)
		}
		qrels, err := c.Qrels("test")
		if err != nil || len(qrels) != 2 || qrels["q1"]["d2"] != 0 || qrels["q2"]["d1"] != 2 {
			t.Errorf("qrels %v, %v", qrels, err)
		}
		digest, err := c.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	if digests[0] != digests[1] || !strings.HasPrefix(digests[0], "sha256:") || len(digests[0]) != 7+64 {
		t.Errorf("digests %q: gzip must not change them", digests)
	}
}

func TestDigestFollowsContent(t *testing.T) {
	files := map[string]string{"corpus.jsonl": goodCorpus, "queries.jsonl": goodQueries,
		"qrels/train.tsv": header + "q1\td1\t1\n", "qrels/test.tsv": header + "q2\td1\t1\n"}
	digest := func(splits ...string) string {
		d, err := open(t, folder(t, files)).DigestOf(splits...)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	all, train := digest(), digest("train")
	if all == train {
		t.Error("digest of one split is that of all")
	}
	files["qrels/test.tsv"] += "q1\td1\t1\n"
	if digest() == all {
		t.Error("a new judgement left the digest as it was")
	}
	if digest("train") != train {
		t.Error("a row of test changed the digest of train")
	}
	files["corpus.jsonl"] += " "
	if digest("train") == train {
		t.Error("a byte of the corpus left the digest as it was")
	}
}

func TestMissingPartsAreNamed(t *testing.T) {
	_, err := collection.Open(filepath.Join(t.TempDir(), "nowhere"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	_, err = collection.Open(folder(t, map[string]string{"queries.jsonl": goodQueries}))
	wantError(t, err, "corpus.jsonl")
	_, err = collection.Open(folder(t, map[string]string{"corpus.jsonl": goodCorpus}))
	wantError(t, err, "queries.jsonl")
	_, err = collection.Open(folder(t, map[string]string{"corpus.jsonl/x": "", "queries.jsonl": goodQueries}))
	wantError(t, err, "corpus.jsonl is a folder")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = collection.Open(file)
	wantError(t, err, "not a folder")

	c := open(t, folder(t, map[string]string{"corpus.jsonl": goodCorpus, "queries.jsonl": goodQueries,
		"qrels/test.tsv": header + "q1\td1\t1\n", "qrels/dev.tsv": header + "q1\td1\t1\n", "qrels/notes.txt": "x"}))
	if got := c.Splits(); !slices.Equal(got, []string{"dev", "test"}) {
		t.Errorf("splits %q", got)
	}
	_, err = c.Qrels("train")
	wantError(t, err, "train", "it has dev, test")
	if !errors.Is(err, collection.ErrNoSplit) {
		t.Errorf("%v is not ErrNoSplit", err)
	}
	_, err = c.DigestOf("train")
	wantError(t, err, "train", "it has dev, test")
	_, err = open(t, folder(t, map[string]string{"corpus.jsonl": goodCorpus, "queries.jsonl": goodQueries})).Qrels("test")
	wantError(t, err, "it has none")
}

func TestQrelsMustFitTheirCollection(t *testing.T) {
	c := open(t, folder(t, map[string]string{"corpus.jsonl": goodCorpus, "queries.jsonl": goodQueries,
		"qrels/train.tsv": header + "q1\td1\t1\nq1\tgone\t1\nq2\tlost\t1\n",
		"qrels/test.tsv":  header + "q1\td1\t1\nq1\tgone\t1\n",
		"qrels/dev.tsv":   header + "q1\td1\t1\nq9\td1\t1\n",
		"qrels/twice.tsv": header + "q1\td1\t1\nq1\td1\t1\n",
		"qrels/words.tsv": header + "q1\td1\tgood\n"}))
	_, err := c.Qrels("train")
	wantError(t, err, "train.tsv", `"gone" (query "q1")`, `"lost" (query "q2")`)
	judgments, err := c.Judgments("test")
	if err != nil || judgments.Unknown != 1 || len(judgments.Rows) != 2 {
		t.Errorf("test: %+v, %v; want both rows, 1 unknown", judgments, err)
	}
	_, err = c.Qrels("dev")
	wantError(t, err, "dev.tsv", "3", `"q9"`)
	_, err = c.Qrels("twice")
	wantError(t, err, "twice.tsv", "3")
	_, err = c.Qrels("words")
	wantError(t, err, "words.tsv", "2", "good")
}

func TestEmptyFilesAreRefused(t *testing.T) {
	c := open(t, folder(t, map[string]string{"corpus.jsonl": "\n \n", "queries.jsonl": "", "qrels/test.tsv": header}))
	_, err := c.Documents()
	wantError(t, err, "corpus.jsonl", "empty")
	_, err = c.Queries()
	wantError(t, err, "queries.jsonl", "no query")
	_, err = c.Qrels("test")
	wantError(t, err, "queries.jsonl")
}

func TestIDsThatOtherFilesCannotCarry(t *testing.T) {
	c := open(t, folder(t, map[string]string{
		"corpus.jsonl":  goodCorpus + "{\"_id\":\"a b\",\"text\":\"\"}\n",
		"queries.jsonl": goodQueries + "{\"_id\":\"#3\",\"text\":\"\"}\n"}))
	_, err := c.Documents()
	wantError(t, err, "corpus.jsonl:3", "white space")
	_, err = c.Queries()
	wantError(t, err, "queries.jsonl:3", "#")
}

func TestWrittenFolderReadsBackEqual(t *testing.T) {
	docs := []collection.Document{{"d2", "", "quote \" <tag> & \u2028 é"}, {"d1", "T", "line\nbreak\ttab"}, {"d3", "", ""}}
	queries := []collection.Query{{"q2", "zwei"}, {"q1", "<&>"}}
	splits := map[string]trec.Qrels{"train": {"q1": {"d3": 1, "d2": 2}, "q2": {"d1": -1}}, "test": {"q2": {"d1": 1}}}
	dir := filepath.Join(t.TempDir(), "deep", "made")
	if err := collection.Write(dir, docs, queries, splits); err != nil {
		t.Fatal(err)
	}
	c := open(t, dir)
	gotDocs, err := c.Documents()
	if err != nil || !slices.Equal(gotDocs, docs) {
		t.Errorf("documents %+v, %v", gotDocs, err)
	}
	gotQueries, err := c.Queries()
	if err != nil || !slices.Equal(gotQueries, queries) {
		t.Errorf("queries %+v, %v", gotQueries, err)
	}
	judgments, err := c.Judgments("train")
	want := []collection.Judgment{{"q2", "d1", -1}, {"q1", "d2", 2}, {"q1", "d3", 1}}
	if err != nil || !slices.Equal(judgments.Rows, want) {
		t.Errorf("rows %+v, %v; want the order of queries, then documents", judgments.Rows, err)
	}
	if c.Name != "made" {
		t.Errorf("name %q", c.Name)
	}
	if d, ok, err := c.Document("d1"); err != nil || !ok || d != docs[1] {
		t.Errorf("document d1: %+v %v %v", d, ok, err)
	}
	if _, ok, err := c.Query("q7"); err != nil || ok {
		t.Errorf("query q7: %v %v", ok, err)
	}
	if err := collection.Write(dir, docs, queries, splits); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing over a folder: %v", err)
	}
}

func TestWriteRefusesWhatCannotBeReadAndLeavesNothing(t *testing.T) {
	docs := []collection.Document{{ID: "d1"}}
	queries := []collection.Query{{ID: "q1"}}
	good := map[string]trec.Qrels{"test": {"q1": {"d1": 1}}}
	for name, c := range map[string]struct {
		docs    []collection.Document
		queries []collection.Query
		splits  map[string]trec.Qrels
		says    string
	}{
		"no document":      {nil, queries, good, "no document"},
		"no query":         {docs, nil, good, "no query"},
		"empty id":         {[]collection.Document{{}}, queries, good, "empty"},
		"duplicate id":     {append(docs, docs...), queries, good, "twice"},
		"space in id":      {docs, []collection.Query{{ID: "q 1"}}, good, "white space"},
		"unknown query":    {docs, queries, map[string]trec.Qrels{"test": {"q9": {"d1": 1}}}, "q9"},
		"unknown document": {docs, queries, map[string]trec.Qrels{"test": {"q1": {"d9": 1}}}, "d9"},
		"empty split":      {docs, queries, map[string]trec.Qrels{"test": {}}, "no judgement"},
		"split as path":    {docs, queries, map[string]trec.Qrels{"../x": {"q1": {"d1": 1}}}, "file name"},
		"invalid text":     {[]collection.Document{{ID: "d1", Text: "\xff"}}, queries, good, "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			err := collection.Write(filepath.Join(parent, "made"), c.docs, c.queries, c.splits)
			wantError(t, err, c.says)
			if left, _ := os.ReadDir(parent); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
