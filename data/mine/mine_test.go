package mine_test

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/mine"
	"headroom/data/trec"
)

func world(t *testing.T) *collection.Collection {
	t.Helper()
	var documents []collection.Document
	for i, text := range strings.Fields("zero one two three four five six seven eight nine") {
		documents = append(documents, collection.Document{ID: fmt.Sprintf("d%d", i), Text: text})
	}
	documents = append(documents,
		collection.Document{ID: "twin1", Text: "one"}, // the text of d1
		collection.Document{ID: "twin5", Title: "", Text: "five"},
		collection.Document{ID: "q2", Title: "T", Text: "\"quoted\"\n"}) // under a query's id
	queries := []collection.Query{{ID: "q1", Text: "first"}, {ID: "q2", Text: "second"}, {ID: "q3", Text: "third"}}
	dir := filepath.Join(t.TempDir(), "c")
	err := collection.Write(dir, documents, queries, map[string]trec.Qrels{
		"train": {"q1": {"d1": 1, "d2": 2, "d3": 0, "d4": -1}, "q2": {"d0": 1}, "q3": {"d9": 1}},
		"dev":   {"q3": {"d9": 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := collection.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ranking scores documents from best to worst: 100, 99, …
func ranking(ids string) []trec.Scored {
	var scored []trec.Scored
	for i, id := range strings.Fields(ids) {
		scored = append([]trec.Scored{{Doc: id, Score: float64(100 - i)}}, scored...) // worst first
	}
	return scored
}

func show(rows []mine.Row) string {
	var parts []string
	for _, row := range rows {
		text := row.Query.ID + "+" + row.Positive.ID
		for _, d := range row.Negatives {
			text += "-" + d.ID
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

func TestNegativesAreWhatRanksHighAndIsNotRelevant(t *testing.T) {
	c := world(t)
	run := trec.Run{
		"q1": ranking("d2 twin1 d3 d5 twin5 d1 d4 d6 d7"),
		"q2": ranking("d7 q2 d0 d8 d6"),
	}
	margin := func(m float64) *float64 { return &m }
	for name, c2 := range map[string]struct {
		o           mine.Options
		rows, short string
	}{
		// d1 and d2 are relevant, twin1 has d1's text, twin5 is d5 once more; what was judged 0 or less is a negative.
		"the highest ranked": {mine.Options{Depth: 100, Negatives: 3}, "q1+d1-d3-d5-d4 q1+d2-d3-d5-d4 q2+d0-d7-d8-d6", "q3+d9"},
		"some are skipped":   {mine.Options{Depth: 100, Negatives: 2, SkipTop: 2}, "q1+d1-d4-d6 q1+d2-d4-d6", "q2+d0-d6 q3+d9"},
		"not far down":       {mine.Options{Depth: 4, Negatives: 2}, "q1+d1-d3-d5 q1+d2-d3-d5 q2+d0-d7-d8", "q3+d9"},
		"lower by a margin":  {mine.Options{Depth: 100, Negatives: 2, Margin: margin(1)}, "q1+d1-d4-d6 q1+d2-d3-d5 q2+d0-d8-d6", "q3+d9"},
		"lower by more":      {mine.Options{Depth: 100, Negatives: 1, Margin: margin(3)}, "q1+d1-d7 q1+d2-d5", "q2+d0 q3+d9"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, short, err := mine.Rows(c, "train", run, c2.o)
			if err != nil {
				t.Fatal(err)
			}
			if show(rows) != c2.rows || show(short) != c2.short {
				t.Errorf("rows %q, short %q; want %q, %q", show(rows), show(short), c2.rows, c2.short)
			}
		})
	}
}

func TestRunsOfSomethingElseAreErrors(t *testing.T) {
	c := world(t)
	o := mine.Options{Depth: 10, Negatives: 1}
	for says, run := range map[string]trec.Run{
		`the run has none of the 3 queries of split "train"`: {"q7": ranking("d1")},
		`document "elsewhere" (query "q1")`:                  {"q1": ranking("elsewhere d5")},
	} {
		if _, _, err := mine.Rows(c, "train", run, o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
	if _, _, err := mine.Rows(c, "test", trec.Run{}, o); err == nil || !strings.Contains(err.Error(), "it has dev, train") {
		t.Errorf("another split: %v", err)
	}
}

func TestRowsAreWrittenAsTextsOrIds(t *testing.T) {
	rows, _, err := mine.Rows(world(t), "train", trec.Run{"q1": ranking("q2 d5")}, mine.Options{Depth: 10, Negatives: 2})
	if err != nil {
		t.Fatal(err)
	}
	for ids, want := range map[bool]string{
		false: `{"query":"first","positive":"one","negative_1":"T \"quoted\"\n","negative_2":"five"}` + "\n" + `{"query":"first","positive":"two","negative_1":"T \"quoted\"\n","negative_2":"five"}` + "\n",
		true:  `{"query_id":"q1","positive_id":"d1","negative_id_1":"q2","negative_id_2":"d5"}` + "\n" + `{"query_id":"q1","positive_id":"d2","negative_id_1":"q2","negative_id_2":"d5"}` + "\n",
	} {
		var b bytes.Buffer
		if err := mine.Write(&b, rows, ids); err != nil || b.String() != want {
			t.Errorf("%v %s, want %s", err, b.String(), want)
		}
	}
}

// TestScoresOfTheRunAreTheTeachers: the positive's first; who has none is left out.
func TestScoresOfTheRunAreTheTeachers(t *testing.T) {
	run := trec.Run{"q1": ranking("q2 d5 d1"), "q3": ranking("d1 d2 d3")}
	run["q1"][0].Score = 0.1 // d1, worst first
	rows, short, err := mine.Rows(world(t), "train", run, mine.Options{Depth: 2, Negatives: 2, Scores: true})
	if err != nil {
		t.Fatal(err)
	}
	// q1's d2, q2's d0 and q3's d9 are not ranked.
	if show(rows) != "q1+d1-q2-d5" || show(short) != "q1+d2 q2+d0 q3+d9" {
		t.Fatalf("rows %q, short %q", show(rows), show(short))
	}
	var b bytes.Buffer
	want := `{"query_id":"q1","positive_id":"d1","negative_id_1":"q2","negative_id_2":"d5","scores":[0.1,100,99]}` + "\n"
	if err := mine.Write(&b, rows, true); err != nil || b.String() != want {
		t.Errorf("%v %s, want %s", err, b.String(), want)
	}
}

// TestInfiniteScoresTeachNothing: a run may have them, a teacher may not.
func TestInfiniteScoresTeachNothing(t *testing.T) {
	for name, at := range map[string]int{"of the positive": 0, "of a negative": 2} {
		run := trec.Run{"q1": ranking("q2 d5 d1")} // worst first: d1, d5, q2
		run["q1"][at].Score = math.Inf(1)
		o := mine.Options{Depth: 3, Negatives: 2, Scores: true}
		if _, _, err := mine.Rows(world(t), "train", run, o); err == nil || !strings.Contains(err.Error(), "a teacher's scores must be finite") {
			t.Errorf("%s: %v", name, err)
		}
		o.Scores = false
		if _, _, err := mine.Rows(world(t), "train", run, o); err != nil {
			t.Errorf("%s, without scores: %v", name, err)
		}
	}
}
