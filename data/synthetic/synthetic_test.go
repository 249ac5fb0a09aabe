package synthetic_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/synthetic"
)

// words cuts a text into lower-case words.
func words(text string) []string {
	return strings.Fields(strings.ToLower(strings.ReplaceAll(text, ".", "")))
}

// meanings are the concepts that a text names, each by its first synonym. It reads the text alone, not what
// the generator knows of it.
func meanings(w *synthetic.World, text string) []string {
	named := map[string]bool{}
	for _, word := range words(text) {
		if synonyms := w.Synonyms(word); len(synonyms) > 0 {
			named[synonyms[0]] = true
		}
	}
	return slices.Sorted(maps.Keys(named))
}

func TestSizesAndLengths(t *testing.T) {
	w := demo(t)
	if len(w.Documents) != 2400 || len(w.Queries) != 4900 || len(w.Qrels["train"]) != 4000 || len(w.Qrels["dev"]) != 200 ||
		len(w.Qrels["test"]) != 700 || len(w.NoOverlap) < 100 {
		t.Errorf("%d documents, %d queries: %d train, %d dev, %d test, %d without overlap", len(w.Documents), len(w.Queries),
			len(w.Qrels["train"]), len(w.Qrels["dev"]), len(w.Qrels["test"]), len(w.NoOverlap))
	}
	vocabulary := map[string]bool{}
	total := 0
	for _, d := range w.Documents {
		inIt := words(d.Content())
		total += len(inIt)
		if len(inIt) < 17 || len(inIt) > 43 {
			t.Errorf("document %s has %d words: %q", d.ID, len(inIt), d.Content())
		}
		for _, word := range inIt {
			vocabulary[word] = true
		}
	}
	if mean := float64(total) / 2400; mean < 25 || mean > 31 {
		t.Errorf("documents of %.1f words", mean)
	}
	if len(vocabulary) < 1200 || len(vocabulary) > 1300 {
		t.Errorf("vocabulary of %d words", len(vocabulary))
	}
	total = 0
	for _, q := range w.Queries {
		total += len(words(q.Text))
		for _, word := range words(q.Text) {
			if w.Content(word) && !vocabulary[word] {
				t.Errorf("query %s %q: %q is in no document", q.ID, q.Text, word)
			}
		}
	}
	if mean := float64(total) / float64(len(w.Queries)); mean < 4.2 || mean > 5 {
		t.Errorf("queries of %.2f words", mean)
	}
}

// TestQrelsAreExact recomputes relevance from the texts: a document is relevant if and only if it names all
// concepts that the query names.
func TestQrelsAreExact(t *testing.T) {
	w := demo(t)
	about := map[string]map[string]bool{} // concept → documents
	for _, d := range w.Documents {
		for _, m := range meanings(w, d.Content()) {
			if about[m] == nil {
				about[m] = map[string]bool{}
			}
			about[m][d.ID] = true
		}
	}
	asked := map[string]string{}
	rows := 0
	for _, q := range w.Queries {
		wanted := meanings(w, q.Text)
		if len(wanted) < 2 || len(wanted) > 3 {
			t.Errorf("query %s %q names %d concepts", q.ID, q.Text, len(wanted))
		}
		if before, taken := asked[strings.Join(wanted, " ")]; taken {
			t.Errorf("queries %s and %s ask for the same: %q", before, q.ID, wanted)
		}
		asked[strings.Join(wanted, " ")] = q.ID
		want := map[string]int{}
		for id := range about[wanted[0]] {
			all := true
			for _, m := range wanted[1:] {
				all = all && about[m][id]
			}
			if all {
				want[id] = 1
			}
		}
		split, _, _ := strings.Cut(q.ID, "-")
		if got := w.Qrels[split][q.ID]; !maps.Equal(got, want) || len(want) == 0 {
			t.Errorf("query %s %q: relevant %v, the texts say %v", q.ID, q.Text, got, want)
		}
		rows += len(want)
	}
	if mean := float64(rows) / float64(len(w.Queries)); mean < 1.2 || mean > 1.45 {
		t.Errorf("%.3f relevant documents per query", mean)
	}
}

// TestNoOverlapIsExact: of the test queries exactly those of NoOverlap share no content word with any of their
// relevant documents.
func TestNoOverlapIsExact(t *testing.T) {
	w := demo(t)
	texts := map[string]string{}
	for _, d := range w.Documents {
		texts[d.ID] = d.Content()
	}
	for _, q := range w.Queries {
		relevant, test := w.Qrels["test"][q.ID]
		if !test {
			continue
		}
		shared := ""
		for id := range relevant {
			inDocument := words(texts[id])
			for _, word := range words(q.Text) {
				if w.Content(word) && slices.Contains(inDocument, word) {
					shared = word
				}
			}
		}
		if _, listed := w.NoOverlap[q.ID]; listed != (shared == "") {
			t.Errorf("query %s %q shares %q; listed as without overlap: %v", q.ID, q.Text, shared, listed)
		}
		if listed := w.NoOverlap[q.ID]; listed != nil && !maps.Equal(listed, relevant) {
			t.Errorf("query %s: judged %v here and %v in the test split", q.ID, listed, relevant)
		}
	}
}

// TestHalfOfTheWordsDiffer: in the training queries, which nothing was selected for, about half of the
// concepts are named by a word that none of the relevant documents uses.
func TestHalfOfTheWordsDiffer(t *testing.T) {
	w := demo(t)
	uses := map[string][]string{}
	for _, d := range w.Documents {
		uses[d.ID] = words(d.Content())
	}
	named, differ := 0, 0
	for _, q := range w.Queries {
		for _, word := range words(q.Text) {
			if len(w.Qrels["train"][q.ID]) != 1 || len(w.Synonyms(word)) == 0 {
				continue
			}
			for id := range w.Qrels["train"][q.ID] {
				named++
				if !slices.Contains(uses[id], word) {
					differ++
				}
			}
		}
	}
	if share := float64(differ) / float64(named); named < 5000 || share < .46 || share > .52 {
		t.Errorf("%d of %d words differ (%.3f)", differ, named, share)
	}
}

// TestSynonymsMeetInPretrainingText: for nearly all concepts some text names it by two synonyms, and each synonym is
// beside nouns that its concept attracts: without both, the text has nothing about synonyms.
func TestSynonymsMeetInPretrainingText(t *testing.T) {
	w := demo(t)
	met := map[string]int{}
	texts := w.ExtraTexts(8000, .5, 1)
	for _, text := range texts {
		first := map[string]string{}
		for _, word := range words(text) {
			if synonyms := w.Synonyms(word); len(synonyms) > 0 {
				if before, ok := first[synonyms[0]]; ok && before != word {
					met[synonyms[0]]++
				}
				first[synonyms[0]] = word
			}
		}
	}
	if len(met) != 180 {
		t.Errorf("%d of 180 concepts are named by two synonyms in one text", len(met))
	}
	for concept, times := range met {
		if times < 10 {
			t.Errorf("%q: two synonyms in only %d texts", concept, times)
		}
	}
}

func TestExtraTexts(t *testing.T) {
	w := demo(t)
	texts := w.ExtraTexts(400, .25, 3)
	short := 0
	for _, text := range texts {
		if !strings.Contains(text, ".") {
			short++
		}
	}
	if len(texts) != 400 || short != 100 {
		t.Errorf("%d texts, %d of them short; want 400 and 100", len(texts), short)
	}
	if !slices.Equal(texts, w.ExtraTexts(400, .25, 3)) {
		t.Error("the same call gives other texts")
	}
	if slices.Equal(texts, w.ExtraTexts(400, .25, 4)) {
		t.Error("another seed gives the same texts")
	}
	for _, d := range w.Documents {
		if slices.Contains(texts, d.Content()) {
			t.Errorf("document %s is among the extra texts", d.ID)
		}
	}
	for _, c := range []struct {
		n     int
		share float64
	}{{0, .5}, {-4, .5}, {5, -1}, {5, 7}} {
		if got := w.ExtraTexts(c.n, c.share, 1); len(got) != max(c.n, 0) {
			t.Errorf("%d texts with a share of %v: %d", c.n, c.share, len(got))
		}
	}
}

func TestWorldIsAFunctionOfItsSeed(t *testing.T) {
	size := synthetic.Size{Documents: 300, Train: 50, Dev: 10, Test: 20, NoOverlap: 5}
	made := func(seed int64) *synthetic.World {
		w, err := synthetic.New(seed, size)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	a, again, b := made(4), made(4), made(5)
	if !slices.Equal(a.Documents, again.Documents) || !slices.Equal(a.Queries, again.Queries) {
		t.Error("one seed gives two worlds")
	}
	if slices.EqualFunc(a.Documents, b.Documents, func(x, y collection.Document) bool { return x == y }) {
		t.Error("two seeds give one world")
	}
}

func TestImpossibleSizesAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		size synthetic.Size
		says string
	}{
		"nothing":           {synthetic.Size{}, "documents"},
		"too many ids":      {synthetic.Size{Documents: 100000, Train: 1, Dev: 1, Test: 1, NoOverlap: 1}, "9999"},
		"negative queries":  {synthetic.Size{Documents: 10, Train: -1, Dev: 1, Test: 1, NoOverlap: 1}, "at least 1"},
		"more than of test": {synthetic.Size{Documents: 10, Train: 1, Dev: 1, Test: 1, NoOverlap: 2}, "at most the test"},
		"too few documents": {synthetic.Size{Documents: 2, Train: 500, Dev: 1, Test: 2, NoOverlap: 1}, "train queries found about 2 documents"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := synthetic.New(1, c.size)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v does not say %q", err, c.says)
			}
		})
	}
}
