package examples_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/internal/testfile"
)

func look(set examples.Set) (examples.Survey, error) {
	return examples.ReadSurvey(context.Background(), set, kept.Store{})
}

// TestBadRowsAreErrorsThatSayWhere: file, line, what is wrong and what is allowed.
func TestBadRowsAreErrorsThatSayWhere(t *testing.T) {
	dir := t.TempDir()
	testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), `{"_id":"1","text":"a"}`+"\n"+`{"_id":"02","text":"b"}`)
	testfile.Put(t, filepath.Join(dir, "queries.jsonl"), `{"_id":"1","text":"q"}`)
	const triple, ids = "q\tp\tn\n", "1\t1\t02\n"
	for name, c := range map[string]struct{ name, text, says string }{
		"too few columns":            {"a.tsv", triple + "q\tp\n", "a.tsv:2: 2 columns; the others have 3 (query, positive, negative)"},
		"too many columns":           {"a.tsv", triple + "\n" + "q\tp\tn\tx\n", "a.tsv:3: 4 columns; the others have 3"},
		"no header and two columns":  {"a.tsv", "q\tp\n", "2 columns, and the first line is no header; a row without one is query ⇥ positive ⇥ negative"},
		"no header and five columns": {"a.tsv", "a\tb\tc\td\te\n", "5 columns, and the first line is no header"},
		"a misspelt header":          {"a.tsv", "qurey\tpositive\tnegative\nq\tp\tn\n", `column "qurey" is not known; allowed are query`},
		"not UTF-8":                  {"a.tsv", triple + "q\tp\t\xffn\n", "a.tsv:2: the line is not UTF-8"},
		"nothing":                    {"a.tsv", "\n", "it holds no examples"},
		"a header alone":             {"a.tsv", "query\tpositive\n", "it holds no examples"},
		"no positive":                {"a.tsv", "query\tnegative\nq\tn\n", "a.tsv:2: no positive; allowed are"},
		"no query":                   {"a.jsonl", `{"positive":"p"}`, "a.jsonl:1: no query"},
		"a column twice":             {"a.tsv", "query\tqid\tpositive\nq\t1\tp\n", `a.tsv:2: column "qid": there is another such column`},
		"a score that is no number":  {"a.tsv", "query\tpositive\tnegative\tscore\nq\tp\tn\thigh\n", `a.tsv:2: column "score": "high": a finite number is allowed`},
		"a score that is not finite": {"a.tsv", "query\tpositive\tnegative\tscore\nq\tp\tn\tnan\n", `"nan": a finite number`},
		"scores without negatives":   {"a.jsonl", `{"query":"q","positive":"p","score":1}`, "scores without negatives"},
		"a score too many":           {"a.jsonl", `{"query":"q","positive":"p","negative":"n","scores":[1,2,3]}`, "3 scores of a positive and 1 negatives; allowed are 1 (margins"},
		"one margin of two":          {"a.jsonl", `{"query":"q","positive":"p","negatives":["n","m"],"scores":[1]}`, "allowed are 2 (margins: the positive's less the negative's) or 3"},
		"a row without a score":      {"a.jsonl", `{"query":"q","positive":"p","negative":"n","score":1}` + "\n" + `{"query":"q","positive":"p","negative":"n"}`, "a.jsonl:2: its columns are query, positive, negative, those of the first row query, positive, negative, score (margins)"},
		"margins among scores":       {"a.jsonl", `{"query":"q","positive":"p","negative":"n","scores":[2,1]}` + "\n" + `{"query":"q","positive":"p","negative":"n","scores":[2]}`, "a.jsonl:2: its columns are query, positive, negative, score (margins), those of the first row query, positive, negative, score"},
		"a score of null":            {"a.jsonl", `{"query":"q","positive":"p","negative":"n","score":null}`, `column "score": null; a text, a number or a list`},
		"a gap in the negatives":     {"a.jsonl", `{"query":"q","positive":"p","negative_1":"n","negative_3":"m"}`, "2 negatives with the numbers [1 3]"},
		"negative 0":                 {"a.jsonl", `{"query":"q","positive":"p","negative_0":"n"}`, `column "negative_0" is not known`},
		"negative and negative_1":    {"a.jsonl", `{"query":"q","positive":"p","negative":"n","negative_1":"m"}`, "negative alone, or negative_1"},
		"negatives as texts and ids": {"a.jsonl", `{"query":"q","positive":"p","negative_1":"n","negative_2":2}`, "there is another such column"},
		"a list where a text is due": {"a.jsonl", `{"query":["q"],"positive":"p"}`, `column "query": a list of texts; a text or an integer is allowed`},
		"a text where a list is due": {"a.jsonl", `{"query":"q","positive":"p","negatives":"n"}`, `column "negatives": a text; a list of texts or of integers is allowed`},
		"a mixed list":               {"a.jsonl", `{"query":"q","positive":"p","negatives":["n",1]}`, "a list with texts and numbers"},
		"a list in a list":           {"a.jsonl", `{"query":"q","positive":"p","negatives":[["n"]]}`, "[ in a list"},
		"a fraction as an id":        {"a.jsonl", `{"qid":1.5,"positive_id":"1"}`, `column "qid": a number; a text or an integer is allowed`},
		"an object":                  {"a.jsonl", `{"query":{"text":"q"},"positive":"p"}`, `column "query": {; a text`},
		"a list as a row":            {"a.jsonl", `["q","p"]`, "a.jsonl:1: want a JSON object"},
		"no JSON":                    {"a.jsonl", `{"query":"q","positive":"p"}` + "\nq p\n", "a.jsonl:2: not JSON"},
		"half a row":                 {"a.jsonl", `{"query":"q","positive":`, "a.jsonl:1: "},
		"more behind the row":        {"a.jsonl", `{"query":"q","positive":"p"} {}`, `"{}" after the object`},
		"a name twice":               {"a.jsonl", `{"query":"q","query":"q","positive":"p"}`, "duplicate"},
		"JSON that is not UTF-8":     {"a.jsonl", "{\"query\":\"q\xff\",\"positive\":\"p\"}", "invalid UTF-8"},
		"texts, then ids":            {"a.jsonl", `{"query":"q","positive":"p"}` + "\n" + `{"query":1,"positive":"p"}`, "a.jsonl:2: its columns are query_id, positive, those of the first row query, positive"},
		"an unknown query":           {"a.tsv", ids + "2\t1\t02\n", `a.tsv:2: query "2" is not in ` + filepath.Join(dir, "queries.jsonl")},
		"an unknown positive":        {"a.tsv", ids + "1\t2\t02\n", `a.tsv:2: positive "2" is not in ` + filepath.Join(dir, "corpus.jsonl")},
		"an unknown negative":        {"a.tsv", ids + "1\t1\t2\n", `a.tsv:2: negative "2" is not in`},
		"an id with a zero less":     {"a.tsv", "1\t1\t02\n1\t1\t2\n", `a.tsv:2: negative "2" is not in`},
		"an empty id":                {"a.jsonl", `{"qid":"","positive_id":"1"}`, `query "" is not in`},
		"no positive in a list":      {"a.jsonl", `{"qid":1,"pos":[],"neg":{}}`, "pos is empty"},
		"texts with a list":          {"a.jsonl", `{"query":"q","pos":[1],"neg":{}}`, "pos and neg are allowed with qid alone"},
		"a column with a list":       {"a.jsonl", `{"qid":1,"pos":[1],"neg":{},"negative_id":1}`, "another such column"},
		"scores with a list":         {"a.jsonl", `{"qid":1,"pos":[1],"neg":{"a":["02"]},"scores":[1]}`, "scores are not allowed with pos and neg"},
		"a system that is no list":   {"a.jsonl", `{"qid":1,"pos":[1],"neg":{"bm25":1}}`, `system "bm25": number; a list of ids is allowed`},
		"systems of two minds":       {"a.jsonl", `{"qid":1,"pos":[1],"neg":{"bm25":[1],"dense":["1"]}}`, `system "dense" has a list of texts`},
		"a broken list in a cell":    {"a.tsv", "query\tpositive\tnegatives\nq\tp\tn, m\n", `"n, m"; a list is written as JSON`},
		"a list and more in a cell":  {"a.tsv", "query\tpositive\tnegatives\nq\tp\t[\"n\"] x\n", "a list and more"},
	} {
		t.Run(name, func(t *testing.T) {
			path := testfile.Put(t, filepath.Join(dir, c.name), c.text)
			_, err := look(fileSet(t, path))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("error %v does not name the file", err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestColumnsOfAllFilesAgree: shards are one set.
func TestColumnsOfAllFilesAgree(t *testing.T) {
	dir := t.TempDir()
	testfile.Put(t, filepath.Join(dir, "train-0.jsonl"), `{"query":"q","positive":"p","negative":"n"}`)
	other := testfile.Put(t, filepath.Join(dir, "train-1.jsonl"), `{"query":"q","positive":"p","negative":"n","score":1}`)
	set, err := examples.FindFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := look(set); err == nil || !strings.Contains(err.Error(), other+":1: its columns are") {
		t.Errorf("error %v", err)
	}
	testfile.Put(t, other, `{"query":"q","positive":"p"}`)
	if survey, err := look(set); err != nil || survey.Rows != 2 || survey.Negatives != 0 || survey.Fewest != other+":1" {
		t.Errorf("survey %+v, %v", survey, err)
	}
}

func TestIdsNeedACollection(t *testing.T) {
	dir := t.TempDir()
	path := testfile.Put(t, filepath.Join(dir, "sub", "train.tsv"), "1\t1\t2\n")
	for _, step := range []struct{ file, text, says string }{
		{"", "", "find the documents of " + path + ": its rows have ids: put corpus.jsonl or collection.tsv or corpus.parquet into " + filepath.Join(dir, "sub") + " or the folder above"},
		{"collection.tsv", "1\ta\n2\tb\n", "find the queries of"},
		{"queries.tsv", "1\tq\n", ""},
		{"corpus.jsonl", `{"_id":"1","text":"a"}`, "collection.tsv are there; one of them is allowed"},
		{"sub/corpus.jsonl", `{"_id":"1","text":"a"}`, `negative "2" is not in ` + filepath.Join(dir, "sub", "corpus.jsonl")},
		{"sub/corpus.jsonl", `{"_id":"1","text":"a"}` + "\n" + `{"_id":"2","text":"b"}`, ""},
	} {
		if step.file != "" {
			testfile.Put(t, filepath.Join(dir, step.file), step.text)
		}
		_, err := look(fileSet(t, path))
		if step.says == "" && err != nil || step.says != "" && (err == nil || !strings.Contains(err.Error(), step.says)) {
			t.Errorf("with %s: error %v does not say %q", step.file, err, step.says)
		}
	}
}

func TestFoldersAreSearched(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	find := func(published ...string) (examples.Set, error) { return examples.FindFolder(dir, published...) }
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "neither train.tsv, train.jsonl or train.parquet (or shards train-*) nor a collection") {
		t.Errorf("nothing: %v", err)
	}
	testfile.Put(t, at("qrels/train.tsv"), "x")
	if set, err := find(); err != nil || set.Folder != dir {
		t.Errorf("a collection: %+v %v", set, err)
	}
	testfile.Put(t, at("train.jsonl.gz"), "x")
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "it has train.jsonl.gz and qrels/train.tsv; name the file to train on") {
		t.Errorf("examples and a collection: %v", err)
	}
	if err := os.RemoveAll(at("qrels")); err != nil {
		t.Fatal(err)
	}
	if set, err := find(); err != nil || len(set.Files) != 1 || set.Files[0] != at("train.jsonl.gz") {
		t.Errorf("a file: %+v %v", set, err)
	}
	testfile.Put(t, at("train-01.parquet"), "x")
	testfile.Put(t, at("train-00.parquet"), "x")
	if _, err := find(); err == nil || !strings.Contains(err.Error(), "name the file") {
		t.Errorf("two kinds of files: %v", err)
	}
	if err := os.Remove(at("train.jsonl.gz")); err != nil {
		t.Fatal(err)
	}
	if set, err := find(); err != nil || len(set.Files) != 2 || set.Files[0] != at("train-00.parquet") {
		t.Errorf("shards: %+v %v", set, err)
	}
	if _, err := examples.FindFile(at("train.csv")); err == nil || !strings.Contains(err.Error(), ".tsv, .tsv.gz, .jsonl, .jsonl.gz, .parquet are allowed") {
		t.Errorf("another ending: %v", err)
	}
	if _, err := examples.FindFile(at("none.tsv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	odd := filepath.Join(dir, "odd [name]* \\")
	testfile.Put(t, filepath.Join(odd, "triples.train.small.tsv"), "x")
	if set, err := examples.FindFolder(odd, "triples.*.tsv"); err != nil || len(set.Files) != 1 {
		t.Errorf("a published name in an odd folder: %+v %v", set, err)
	}
}

// TestDigestsStandForContents: of the examples, and of the collection if it matters.
func TestDigestsStandForContents(t *testing.T) {
	dir := t.TempDir()
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	digest := func(name string) string {
		t.Helper()
		survey, err := examples.ReadSurvey(context.Background(), fileSet(t, filepath.Join(dir, name)), store)
		if err != nil {
			t.Fatal(err)
		}
		return survey.Digest
	}
	collection := func(text string) {
		testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), `{"_id":"1","text":"`+text+`"}`)
	}
	collection("a")
	testfile.Put(t, filepath.Join(dir, "queries.jsonl"), `{"_id":"1","text":"q"}`)
	testfile.Put(t, filepath.Join(dir, "ids.tsv"), "query_id\tpositive_id\n1\t1\n")
	testfile.Put(t, filepath.Join(dir, "ids2.tsv.gz"), "query_id\tpositive_id\n1\t1\n")
	testfile.Put(t, filepath.Join(dir, "texts.tsv"), "query\tpositive\nq\ta\n")
	ids, texts := digest("ids.tsv"), digest("texts.tsv")
	if ids == texts || ids != digest("ids2.tsv.gz") || !strings.HasPrefix(ids, "sha256:") {
		t.Errorf("digests %s %s %s", ids, texts, digest("ids2.tsv.gz"))
	}
	if err := os.Remove(filepath.Join(dir, "corpus.jsonl")); err != nil {
		t.Fatal(err)
	}
	collection("another")
	if digest("ids.tsv") == ids || digest("texts.tsv") != texts {
		t.Error("the collection does not count, or counts where no id is")
	}
	testfile.Put(t, filepath.Join(dir, "texts.tsv"), "query\tpositive\nq\tanother\n")
	if digest("texts.tsv") == texts {
		t.Error("another text has the same digest")
	}
}

// TestAChangeDuringTrainingIsAnError: what was checked is not what is read.
func TestAChangeDuringTrainingIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := testfile.Put(t, filepath.Join(dir, "a.tsv"), strings.Repeat("q\tp\tn\n", 600))
	source := open(t, fileSet(t, path), kept.Store{}, examples.Options{Negatives: 1})
	if err := os.WriteFile(path, []byte(strings.Repeat("q\tp\n\n\n", 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, place := range []batch.Place{{Row: 0, At: -1}, {Row: 599, At: -1}, {Row: 1, At: 6}, {Row: 2, At: 1 << 40}} {
		if _, err := source.Examples([]batch.Place{place}); err == nil {
			t.Errorf("place %+v was read", place)
		}
	}
	if _, err := source.Marks([]batch.Range{{From: 256, To: 512}}, 0); err == nil {
		t.Error("marks were made")
	}
}

func FuzzRows(f *testing.F) {
	for _, seed := range []string{
		"q\tp\tn\n1\t2\t3\n", "query\tpositive\tscores\tnegatives\nq\tp\t[1,2]\t[\"n\"]\n", "0.5\t1\t2\t3\t4\n",
		`{"query":"q","positive":"p","negative_1":"n","label":[1,0]}`, `{"qid":1,"pos":[1],"neg":{"a":[2,3]}}`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, tabs bool) {
		dir := t.TempDir()
		name := "a.jsonl"
		if tabs {
			name = "a.tsv"
		}
		if len(text) > 1 && text[0] == 0x1f && text[1] == 0x8b {
			t.Skip("gzipped input: another way through the reader")
		}
		testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), `{"_id":"2","text":"a"}`+"\n"+`{"_id":"3","text":"b"}`)
		testfile.Put(t, filepath.Join(dir, "queries.jsonl"), `{"_id":"1","text":"a"}`)
		set := fileSet(t, testfile.Put(t, filepath.Join(dir, name), text))
		survey, err := look(set)
		if err != nil {
			return
		}
		n := min(survey.Negatives, 3)
		for _, e := range all(t, open(t, set, kept.Store{}, examples.Options{Negatives: n}), 1) {
			if len(e.Negatives) != n || survey.Scores && len(e.Scores) != n+1 || !survey.Scores && e.Scores != nil {
				t.Fatalf("%+v of %+v", e, survey)
			}
		}
	})
}
