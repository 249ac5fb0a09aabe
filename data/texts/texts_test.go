package texts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"

	"headroom/data/collection"
	"headroom/data/kept"
	"headroom/data/texts"
	"headroom/internal/testfile"
)

type passage struct {
	ID      string `parquet:"passage_id"`
	Passage string `parquet:"passage"`
}

type titled struct {
	ID    int64  `parquet:"_id"`
	Title string `parquet:"title"`
	Text  string `parquet:"text"`
}

func writeParquet[T any](t testing.TB, path string, rows []T) string {
	t.Helper()
	if err := parquetgo.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return testfile.Age(t, path)
}

func TestEveryFormHasTheSameTexts(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{}
	var jsonl, tsv strings.Builder
	var plain []passage
	var withTitle []titled
	for i := range 1000 {
		id, title, text := fmt.Sprint(i), fmt.Sprintf("Title %d", i), strings.Repeat(fmt.Sprintf("text \\ %d ", i), i%5)
		if i%3 == 0 {
			title = ""
		}
		full := collection.Document{Title: title, Text: text}.Content()
		want[id] = full
		fmt.Fprintf(&jsonl, "{\"_id\":%q,\"title\":%q,\"text\":%q}\n", id, title, text)
		fmt.Fprintf(&tsv, "%s\t%s\n", id, full)
		plain = append(plain, passage{id, full})
		withTitle = append(withTitle, titled{int64(i), title, text})
	}
	files := [][]string{
		{testfile.Put(t, filepath.Join(dir, "a.jsonl"), jsonl.String())},
		{testfile.Put(t, filepath.Join(dir, "b.jsonl.gz"), jsonl.String())},
		{testfile.Put(t, filepath.Join(dir, "c.tsv"), tsv.String())},
		{testfile.Put(t, filepath.Join(dir, "d.tsv.gz"), strings.ReplaceAll(tsv.String(), "\n", "\r\n"))},
		{writeParquet(t, filepath.Join(dir, "e.parquet"), plain)},
		{writeParquet(t, filepath.Join(dir, "f-0.parquet"), withTitle[:400]), writeParquet(t, filepath.Join(dir, "f-1.parquet"), withTitle[400:])},
	}
	digests := map[string]bool{}
	for _, files := range files {
		for _, store := range []kept.Store{{}, {Dir: filepath.Join(dir, "cache")}, {Dir: filepath.Join(dir, "cache")}} {
			all, err := texts.Open(context.Background(), texts.Documents, files, store)
			if err != nil {
				t.Fatal(err)
			}
			digests[all.Digest()] = true
			var group sync.WaitGroup
			for part := range 4 {
				group.Go(func() {
					for i := part; i < 1100; i += 4 {
						text, found, err := all.Text(fmt.Sprint(i))
						if full, known := want[fmt.Sprint(i)]; err != nil || found != known || text != full {
							t.Errorf("%v: text %d is %q, %v, %v; want %q", files, i, text, found, err, full)
						}
					}
				})
			}
			group.Wait()
			if err := all.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if len(digests) != 5 { // gzipping the first changes nothing; the second's lines end otherwise
		t.Errorf("%d digests of six sets of files", len(digests))
	}
	if kept, err := filepath.Glob(filepath.Join(dir, "cache", "texts", "*")); err != nil || len(kept) != 6 {
		t.Errorf("kept %v, %v", kept, err)
	}
}

func TestQueriesHaveNoTitle(t *testing.T) {
	path := testfile.Put(t, filepath.Join(t.TempDir(), "q.jsonl"), `{"_id":"q","title":"T","text":"what"}`)
	all, err := texts.Open(context.Background(), texts.Queries, []string{path}, kept.Store{})
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if text, found, err := all.Text("q"); text != "what" || !found || err != nil {
		t.Errorf("%q %v %v", text, found, err)
	}
}

func TestBadFilesAreErrorsThatSayWhere(t *testing.T) {
	dir := t.TempDir()
	type other struct {
		ID    string `parquet:"passage_id"`
		Other string `parquet:"other"`
	}
	type twice struct {
		ID   string `parquet:"pid"`
		Same string `parquet:"passage_id"`
		Text string `parquet:"text"`
	}
	for name, c := range map[string]struct{ path, says string }{
		"twice":             {testfile.Put(t, filepath.Join(dir, "twice.tsv"), "1\ta\n2\tb\n\n1\tc\n"), `twice.tsv:4: id "1": already in ` + filepath.Join(dir, "twice.tsv:1")},
		"three columns":     {testfile.Put(t, filepath.Join(dir, "three.tsv"), "1\ta\n2\tb\tc\n"), "three.tsv:2: 3 columns; a row is id ⇥ text"},
		"one column":        {testfile.Put(t, filepath.Join(dir, "one.tsv"), "1 a\n"), "one.tsv:1: 1 columns"},
		"not UTF-8":         {testfile.Put(t, filepath.Join(dir, "bytes.tsv"), "1\ta\n2\t\xff\n"), "bytes.tsv:2: the line is not UTF-8"},
		"no id":             {testfile.Put(t, filepath.Join(dir, "empty.tsv"), "\ta\n"), "empty.tsv:1: the id is empty"},
		"no text":           {testfile.Put(t, filepath.Join(dir, "text.jsonl"), "{\"_id\":\"1\"}\n"), "text.jsonl:1: _id \"1\": no text"},
		"nothing":           {testfile.Put(t, filepath.Join(dir, "nothing.tsv"), "\n"), "it holds no documents"},
		"another name":      {testfile.Put(t, filepath.Join(dir, "texts.csv"), "1,a\n"), ".tsv.gz or .parquet is allowed"},
		"unknown column":    {writeParquet(t, filepath.Join(dir, "other.parquet"), []other{{"1", "a"}}), `column "other" of text is not known`},
		"two ids":           {writeParquet(t, filepath.Join(dir, "ids.parquet"), []twice{{"1", "1", "a"}}), "one of them is allowed"},
		"not there":         {filepath.Join(dir, "none.tsv"), "none.tsv"},
		"no Parquet at all": {testfile.Put(t, filepath.Join(dir, "lies.parquet"), "1\ta some longer text\n"), "does not end as a Parquet file"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, store := range []kept.Store{{}, {Dir: filepath.Join(dir, "cache")}} {
				all, err := texts.Open(context.Background(), texts.Documents, []string{c.path}, store)
				if err == nil {
					all.Close()
				}
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("error %v does not say %q", err, c.says)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	long := testfile.Put(t, filepath.Join(dir, "long.tsv"), strings.Repeat("1\ta\n", 5000))
	if _, err := texts.Open(ctx, texts.Documents, []string{long}, kept.Store{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reading: %v", err)
	}
}

func TestAChangedFileIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	path := filepath.Join(dir, "a.tsv")
	for _, text := range []string{"first", "second one"} {
		testfile.Put(t, path, "1\t"+text+"\n")
		all, err := texts.Open(context.Background(), texts.Documents, []string{path}, store)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := all.Text("1"); got != text || err != nil {
			t.Errorf("%q, %v; want %q", got, err, text)
		}
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestADamagedIndexIsMadeAgain flips bits of what is kept about a file.
func TestADamagedIndexIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	path := testfile.Put(t, filepath.Join(dir, "a.tsv"), "1\tone\n2\t \n3\tthree\n")
	look := func() string {
		all, err := texts.Open(context.Background(), texts.Documents, []string{path}, store)
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		n, first := all.Empty()
		said := fmt.Sprint(all.Digest(), n, first)
		for _, id := range []string{"1", "2", "3", "4"} {
			text, found, err := all.Text(id)
			said += fmt.Sprint(text, found, err)
		}
		return said
	}
	want := look()
	names, err := filepath.Glob(filepath.Join(store.Dir, "texts", "*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("kept %q, %v", names, err)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 5 {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		if err := os.WriteFile(names[0], flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := look(); got != want {
			t.Fatalf("a bit of byte %d: %q, want %q", at, got, want)
		}
		if after, err := os.ReadFile(names[0]); err != nil || !bytes.Equal(after, whole) {
			t.Fatalf("a bit of byte %d: the index is not made again: %v", at, err)
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add("1\ta\n2\tb\n", ".tsv")
	f.Add("{\"_id\":\"1\",\"title\":\"t\",\"text\":\"a\"}\n", ".jsonl")
	f.Add("1\ta\n\n1\tb", ".tsv")
	f.Fuzz(func(t *testing.T, text, format string) {
		if format != ".tsv" && format != ".jsonl" || strings.HasPrefix(text, "\x1f\x8b") {
			t.Skip("another format, or gzipped: another way through the reader")
		}
		all, err := texts.Open(context.Background(), texts.Documents, []string{testfile.Put(t, filepath.Join(t.TempDir(), "a"+format), text)}, kept.Store{})
		if err != nil {
			return
		}
		defer all.Close()
		for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
			line = strings.TrimSuffix(line, "\r")
			if strings.Trim(line, " ") == "" {
				continue
			}
			id, want, _ := strings.Cut(line, "\t")
			if got, found, err := all.Text(id); format == ".tsv" && (!found || err != nil || got != want) {
				t.Fatalf("%q has %q, %v, %v; want %q", id, got, found, err, want)
			}
		}
	})
}

// TestACacheThatCannotBeWrittenIsNoTrouble: what cannot be kept is found out again.
func TestACacheThatCannotBeWrittenIsNoTrouble(t *testing.T) {
	dir := t.TempDir()
	path := testfile.Put(t, filepath.Join(dir, "a.tsv"), "1\tone\n")
	store := kept.Store{Dir: testfile.Put(t, filepath.Join(dir, "cache"), "a file where a folder should be")}
	all, err := texts.Open(t.Context(), texts.Documents, []string{path}, store)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if text, found, err := all.Text("1"); text != "one" || !found || err != nil {
		t.Errorf("%q %v %v", text, found, err)
	}
}
