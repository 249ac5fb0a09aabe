package examples_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/batch"
	"headroom/data/examples"
	"headroom/data/kept"
	"headroom/internal/testfile"
)

func TestCouplesAreGivenOnceAndInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ n, keys, most int }{{0, 5, 8}, {1, 5, 8}, {7, 5, 8}, {500, 5, 8}, {500, 40, 8}, {500, 1 << 20, 8}, {5000, 60, 64}, {64, 1 << 20, 64}} {
		var couples, want [][2]uint64
		for range c.n {
			couples = append(couples, [2]uint64{uint64(random.IntN(c.keys)) << 40, uint64(random.IntN(c.keys))})
		}
		want = slices.Clone(couples)
		slices.SortFunc(want, func(a, b [2]uint64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
		want = slices.Compact(want)
		dir := filepath.Join(t.TempDir(), "made")
		got, files, err := examples.Distinct(dir, c.most, couples)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: %d couples, want %d (%v)", c, len(got), len(want), err)
		}
		if more := len(want) > c.most; more != (files > 0) && len(want) != c.most {
			t.Errorf("%+v: %d files for %d couples", c, files, len(want))
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%+v: left behind: %v", c, left)
		}
	}
	file := testfile.Put(t, filepath.Join(t.TempDir(), "file"), "")
	if _, _, err := examples.Distinct(file, 4, [][2]uint64{{1, 1}, {2, 2}, {3, 3}, {4, 4}}); err == nil || !strings.Contains(err.Error(), "HEADROOM_CACHE") {
		t.Errorf("a folder that cannot be made: %v", err)
	}
}

// said is a row of the trial data: texts and ids of few queries and documents.
type said struct {
	query     int
	positives []int
	negative  int
}

// Several queries and documents have one text.
func queryText(id int) string    { return fmt.Sprintf("query %d", id%13) }
func documentText(id int) string { return fmt.Sprintf("text %d", id%12) }

// TestARowsMarkKnowsAllOfTheData: marks of single rows, by the definition over all rows: however the rows are written,
// cut into files, kept or held.
func TestARowsMarkKnowsAllOfTheData(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for trial := range 36 {
		rows := make([]said, 4+random.IntN(30))
		for i := range rows {
			rows[i] = said{random.IntN(20), []int{random.IntN(24)}, random.IntN(24)}
			if trial%3 == 2 {
				rows[i].positives = append(rows[i].positives, random.IntN(24))
				for slices.Contains(rows[i].positives, rows[i].negative) { // it would be none
					rows[i].negative = random.IntN(24)
				}
			}
		}
		form := []string{"texts", "ids", "lists"}[trial%3]
		set := writeSaid(t, form, rows)
		store := kept.Store{}
		if trial < 6 {
			store.Dir = filepath.Join(t.TempDir(), "cache")
		}
		for range 2 { // read, and found kept
			source := open(t, set, store, examples.Options{Negatives: 1})
			var marks []batch.Mark
			for row := range rows {
				m, err := source.Marks([]batch.Range{{From: row, To: row + 1}}, 0)
				if err != nil || len(m) != 1 {
					t.Fatal(err)
				}
				marks = append(marks, m...)
			}
			for i := range rows {
				for j := range rows {
					if got, want := marks[i].Conflicts(&marks[j]), i == j || conflict(form, rows, i, j); got != want {
						t.Fatalf("%s: rows %+v and %+v: conflict %v, want %v", form, rows[i], rows[j], got, want)
					}
				}
			}
		}
	}
}

// conflict is the definition: one query, or a document that one brings is relevant to the other's query.
func conflict(form string, rows []said, i, j int) bool {
	wants := func(row, by said) bool {
		for _, other := range rows {
			if queryText(other.query) != queryText(row.query) {
				continue
			}
			for _, relevant := range other.positives {
				if documentText(relevant) == documentText(by.positives[0]) {
					return true
				}
				// Hard negatives by id are compared by id.
				if form == "texts" && documentText(relevant) == documentText(by.negative) || relevant == by.negative {
					return true
				}
			}
		}
		return false
	}
	return queryText(rows[i].query) == queryText(rows[j].query) || wants(rows[i], rows[j]) || wants(rows[j], rows[i])
}

// writeSaid writes rows into two files of a form.
func writeSaid(t *testing.T, form string, rows []said) examples.Set {
	t.Helper()
	dir := t.TempDir()
	var corpus, queries strings.Builder
	for id := range 24 {
		fmt.Fprintf(&corpus, `{"_id":"%d","text":%q}`+"\n", id, documentText(id))
	}
	for id := range 20 {
		fmt.Fprintf(&queries, `{"_id":"%d","text":%q}`+"\n", id, queryText(id))
	}
	testfile.Put(t, filepath.Join(dir, "corpus.jsonl"), corpus.String())
	testfile.Put(t, filepath.Join(dir, "queries.jsonl"), queries.String())
	var parts [2]strings.Builder
	for i, r := range rows {
		b := &parts[2*i/len(rows)]
		switch form {
		case "texts":
			fmt.Fprintf(b, `{"query":%q,"positive":%q,"negative":%q}`+"\n", queryText(r.query), documentText(r.positives[0]), documentText(r.negative))
		case "ids":
			fmt.Fprintf(b, `{"query_id":"%d","positive_id":"%d","negative_id":"%d"}`+"\n", r.query, r.positives[0], r.negative)
		default:
			fmt.Fprintf(b, `{"qid":%d,"pos":[%d,%d],"neg":[%d]}`+"\n", r.query, r.positives[0], r.positives[1], r.negative)
		}
	}
	return examples.Set{Files: []string{
		testfile.Put(t, filepath.Join(dir, "train-0.jsonl"), parts[0].String()), testfile.Put(t, filepath.Join(dir, "train-1.jsonl"), parts[1].String()),
	}}
}

// TestFalseNegativesAreKnownAcrossWindows: only a third row, mostly in another window, shows that two rows must not
// share a batch.
func TestFalseNegativesAreKnownAcrossWindows(t *testing.T) {
	const rows, triples, size = 140_000, 10_000, 1024
	random := rand.New(rand.NewPCG(7, 8))
	order := random.Perm(rows)[:3*triples]
	line := make([]string, rows)
	apart := make([]int, rows) // 1 + the number of the triple
	for i := range line {
		line[i] = fmt.Sprintf("q%d\tp%d", i, i)
	}
	for i := range triples {
		a, b, c := order[3*i], order[3*i+1], order[3*i+2]
		line[c] = fmt.Sprintf("q%d\tp%d", a, b)
		apart[a], apart[b] = i+1, i+1
	}
	set := fileSet(t, testfile.Put(t, filepath.Join(t.TempDir(), "train.tsv"), "query\tpositive\n"+strings.Join(line, "\n")))
	source := open(t, set, kept.Store{}, examples.Options{})
	s, err := batch.NewStream(batch.StreamOptions{Rows: rows, Size: size, Seed: 3, Order: batch.Shuffle, Marks: source.Marks})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	near := 0
	for step := range rows / size {
		places, err := s.At(step)
		if err != nil {
			t.Fatal(err)
		}
		in := map[int]bool{}
		for _, p := range places {
			if of := apart[p.Row]; of > 0 {
				near++
				if in[of] {
					t.Fatalf("step %d: two rows of which a third says that one's document is relevant to the other's query", step)
				}
				in[of] = true
			}
		}
	}
	if near < triples {
		t.Errorf("%d rows of such triples came in an epoch", near)
	}
}
