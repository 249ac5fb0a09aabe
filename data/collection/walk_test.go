package collection_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"headroom/data/collection"
)

// walked are the ids of a walk.
func walked(t *testing.T, c *collection.Collection) (ids []string) {
	t.Helper()
	if err := c.Walk(func(d collection.Document) error { ids = append(ids, d.ID+"="+d.Content()); return nil }); err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestAWalkSeesWhatDocumentsHoldBeforeAndAfterTheyAreHeld(t *testing.T) {
	dir := folder(t, map[string]string{"corpus.jsonl": goodCorpus + `{"_id":"q2","text":" "}` + "\n", "queries.jsonl": goodQueries, "qrels/test.tsv": header + "q1\td1\t1\nq1\tgone\t1\n"})
	for _, held := range []bool{false, true} {
		c := open(t, dir)
		if held {
			if _, err := c.Documents(); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"d1=T  one ", "d2=two", "q2= "}
		for range 2 {
			if got := walked(t, c); !slices.Equal(got, want) {
				t.Errorf("held %v: %q", held, got)
			}
		}
		n, err := c.Len()
		has, missing := c.Has("d2")
		hasNot, other := c.Has("gone")
		if n != 3 || !has || hasNot || errors.Join(err, missing, other) != nil {
			t.Errorf("held %v: %d documents, %v, %v", held, n, has, hasNot)
		}
		selected, err := c.Select(map[string]bool{"d2": true, "gone": true})
		if err != nil || len(selected) != 1 || selected["d2"].Text != "two" {
			t.Errorf("held %v: %v, %v", held, selected, err)
		}
		if d, known, err := c.Document("q2"); err != nil || !known || d.Text != " " {
			t.Errorf("held %v: %v, %v, %v", held, d, known, err)
		}
		judged, err := c.Judgments("test")
		if err != nil || judged.Unknown != 1 {
			t.Errorf("held %v: %+v, %v", held, judged, err)
		}
		empty, err := c.EmptyDocuments()
		if err != nil || len(empty) != 1 || empty["q2"].Row != 2 || !strings.HasSuffix(empty["q2"].Where, "corpus.jsonl:3") {
			t.Errorf("held %v: %+v, %v", held, empty, err)
		}
		documents, err := c.Documents()
		if err != nil || len(documents) != 3 || documents[2].ID != "q2" {
			t.Errorf("held %v: %+v, %v", held, documents, err)
		}
		if d, known, err := c.Document("d1"); err != nil || !known || d.Title != "T" {
			t.Errorf("held %v: %v, %v, %v", held, d, known, err)
		}
		stop := errors.New("enough")
		if err := c.Walk(func(collection.Document) error { return stop }); err != stop {
			t.Errorf("held %v: the walk ends with %v", held, err)
		}
	}
}

// A file that changes between the look at its ids and the walk is no longer what was looked at.
func TestAWalkSeesThatTheFileHasChanged(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"another document":  {strings.Replace(goodCorpus, `"d2"`, `"d3"`, 1), `corpus.jsonl:2: _id "d3" was not there before`},
		"a document less":   {goodCorpus[:strings.Index(goodCorpus, "\n")+1], "1 documents, before there were 2"},
		"a line that is no": {goodCorpus + "{\n", "corpus.jsonl:3"},
	} {
		dir := folder(t, map[string]string{"corpus.jsonl": goodCorpus, "queries.jsonl": goodQueries})
		opened := open(t, dir)
		if _, err := opened.Len(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "corpus.jsonl"), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := opened.Walk(func(collection.Document) error { return nil }); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: walk says %v", name, err)
		}
		if _, err := opened.Documents(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: documents say %v", name, err)
		}
	}
}

// What judgements, ids and empty rows need of a corpus is not its texts.
func TestOnlyDocumentsHoldsTexts(t *testing.T) {
	const documents, size = 500, 20_000
	var text strings.Builder
	for i := range documents {
		text.WriteString(`{"_id":"d` + strconv.Itoa(i) + `","text":"` + strings.Repeat("x", size) + `"}` + "\n")
	}
	c := open(t, folder(t, map[string]string{"corpus.jsonl": text.String(), "queries.jsonl": goodQueries, "qrels/test.tsv": header + "q1\td1\t1\n"}))
	text.Reset()
	holds := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := holds()
	grown := func(use func() error) uint64 {
		if err := use(); err != nil {
			t.Fatal(err)
		}
		return max(holds(), before) - before
	}
	little := grown(func() error {
		_, judging := c.Judgments("test")
		_, looking := c.EmptyDocuments()
		return errors.Join(judging, looking, c.Walk(func(collection.Document) error { return nil }))
	})
	all := grown(func() error { _, err := c.Documents(); return err })
	if little > documents*size/10 || all < documents*size {
		t.Errorf("of %d bytes of texts %d are held for judgements and %d for documents", documents*size, little, all)
	}
	runtime.KeepAlive(c)
}
