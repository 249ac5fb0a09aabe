package collection_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
)

func readAll(text string) ([]collection.Document, error) {
	var read []collection.Document
	err := collection.ReadJSONL(strings.NewReader(text), "f.jsonl", func(d collection.Document) error {
		read = append(read, d)
		return nil
	})
	return read, err
}

func TestMalformedRowsNameFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ line, says string }{
		"cut off":            {`{"_id":"b","text":"x"`, "EOF"},
		"not JSON":           {`_id=b`, "JSON"},
		"array":              {`["b"]`, "object"},
		"null":               {`null`, "null"},
		"string":             {`"b"`, "object"},
		"two objects":        {`{"_id":"b","text":""}{"_id":"c","text":""}`, "after"},
		"no id":              {`{"text":"x"}`, "_id"},
		"null id":            {`{"_id":null,"text":"x"}`, "_id"},
		"empty id":           {`{"_id":"","text":"x"}`, "empty"},
		"number as id":       {`{"_id":7,"text":"x"}`, "number"},
		"wrong case":         {`{"_ID":"b","text":"x"}`, "_id"},
		"no text":            {`{"_id":"b"}`, "text"},
		"null text":          {`{"_id":"b","text":null}`, "text"},
		"list as text":       {`{"_id":"b","text":["x"]}`, "array"},
		"object as title":    {`{"_id":"b","title":{},"text":"x"}`, "object"},
		"member twice":       {`{"_id":"b","text":"x","text":"y"}`, "duplicate"},
		"id of an earlier":   {`{"_id":"a","text":"x"}`, "already on line 1"},
		"invalid UTF-8":      {"{\"_id\":\"b\",\"text\":\"\xff\xfe\"}", "UTF-8"},
		"lone surrogate":     {`{"_id":"b","text":"\ud800"}`, "surrogate"},
		"raw tab in text":    {"{\"_id\":\"b\",\"text\":\"x\ty\"}", "character"},
		"trailing comma":     {`{"_id":"b","text":"x",}`, "character"},
		"bytes of an object": {"\x00\x01\x02", "character"},
	} {
		t.Run(name, func(t *testing.T) {
			read, err := readAll("{\"_id\":\"a\",\"text\":\"\"}\n\n" + c.line + "\n{\"_id\":\"z\",\"text\":\"\"}\n")
			wantError(t, err, "f.jsonl:3:", c.says)
			if len(read) != 1 {
				t.Errorf("%d rows before the fault, want 1", len(read))
			}
		})
	}
}

func TestWhatIsAllowedInARow(t *testing.T) {
	got, err := readAll("\ufeff{\"_id\":\"a\",\"text\":\"\\u00e9\\n\"}\r\n \n{\"text\":\"x\",\"_id\":\"b\",\"title\":null,\"more\":[1,{}]}")
	want := []collection.Document{{ID: "a", Text: "é\n"}, {ID: "b", Text: "x"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := readAll(""); err != nil || len(got) != 0 {
		t.Errorf("empty text: %v, %v", got, err)
	}
}

func TestCallersErrorIsWrappedWithItsLine(t *testing.T) {
	stop := errors.New("stop here")
	err := collection.ReadJSONL(strings.NewReader("\n{\"_id\":\"a\",\"text\":\"\"}\n"), "f", func(collection.Document) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("%v does not wrap the caller's error", err)
	}
	wantError(t, err, "f:2:")
}

func TestDamagedGzipIsAnError(t *testing.T) {
	packed := zipped(t, strings.Repeat("{\"_id\":\"a\",\"text\":\"\"}", 1))
	for name, data := range map[string][]byte{"cut off": packed[:len(packed)-9], "header only": packed[:5],
		"bad sum": append(slices.Clone(packed[:len(packed)-8]), 1, 2, 3, 4, 5, 6, 7, 8)} {
		t.Run(name, func(t *testing.T) {
			err := collection.ReadJSONL(strings.NewReader(string(data)), "f.jsonl.gz", func(collection.Document) error { return nil })
			wantError(t, err, "f.jsonl.gz")
		})
	}
}

// FuzzReadJSONL: any input gives rows or an error, never a panic, and what is given satisfies the contract.
func FuzzReadJSONL(f *testing.F) {
	for _, seed := range []string{goodCorpus, goodQueries, "", "\ufeff\n", "{}", "{\"_id\":\"\\ud83d\\ude00\",\"text\":\"\"}", "\x1f\x8b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		seen := map[string]bool{}
		err := collection.ReadJSONL(strings.NewReader(string(data)), "f", func(d collection.Document) error {
			if d.ID == "" || seen[d.ID] {
				t.Errorf("id %q empty or twice", d.ID)
			}
			seen[d.ID] = true
			return nil
		})
		if err != nil && !strings.Contains(err.Error(), "read f") {
			t.Errorf("error %q does not name the file", err)
		}
	})
}

// What a cut leaves of a line is not the line's fault.
func TestAFileThatIsCutShortIsToldFromABadRow(t *testing.T) {
	text := ""
	for i := range 500 {
		text += fmt.Sprintf(`{"_id":"d%d","text":"text of %d"}`+"\n", i, i*i)
	}
	whole := string(zipped(t, text))
	if rows, err := readAll(whole); err != nil || len(rows) != 500 {
		t.Fatal(len(rows), err)
	}
	for cut := 12; cut < len(whole); cut += 1 + len(whole)/200 {
		if _, err := readAll(whole[:cut]); err == nil || !strings.Contains(err.Error(), "read f.jsonl:") || !strings.Contains(err.Error(), "the file is cut short") {
			t.Fatalf("cut to %d of %d bytes: %v", cut, len(whole), err)
		}
	}
}
