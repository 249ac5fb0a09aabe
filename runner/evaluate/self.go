package evaluate

import (
	"slices"
	"strings"

	"headroom/data/collection"
	"headroom/data/trec"
)

// Self says which documents count as the query itself and are left out of its ranking before the cut-off.
// In a collection whose queries are documents, each query would find itself first.
type Self int

const (
	// SameText drops a document with the query's id and text, unless it is judged for the query. Equal ids
	// alone prove nothing: queries and documents may both be numbered from 1.
	SameText Self = iota
	// KeepSelf drops none.
	KeepSelf
	// DropSelf drops any document with the query's id, judged or not, as BEIR's ignore_identical_ids.
	DropSelf
)

// selfQueries returns the queries whose rankings lose the document with their id.
func (s Self) selfQueries(c *collection.Collection, asked judged) (map[string]bool, error) {
	own := map[string]bool{}
	for i, query := range asked.ids {
		drops, err := s.drops(c, query, asked.texts[i], asked.qrels[query])
		if err != nil {
			return nil, err
		}
		if drops {
			own[query] = true
		}
	}
	return own, nil
}

// drops reports whether the document with a query's id is the query itself.
func (s Self) drops(c *collection.Collection, query, text string, grades map[string]int) (bool, error) {
	switch s {
	case KeepSelf:
		return false, nil
	case DropSelf:
		return true, nil
	}
	if _, judged := grades[query]; judged {
		return false, nil
	}
	document, known, err := c.Document(query)
	return known && (sameText(text, document.Text) || sameText(text, document.Content())), err
}

// sameText compares two texts without regard to white space.
func sameText(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

// withoutSelf takes the document with the query's id out of a ranking and reports whether it was there.
func withoutSelf(query string, scored []trec.Scored) (kept []trec.Scored, dropped bool) {
	for i, s := range scored {
		if s.Doc == query {
			return append(scored[:i:i], scored[i+1:]...), true
		}
	}
	return scored, false
}

// JudgedQueries returns a collection's qrels and the queries whose rankings lose the document with their id.
func (s Self) JudgedQueries(c *collection.Collection, split string) (trec.Qrels, map[string]bool, error) {
	o := CollectionOptions{Split: split, Self: s}
	asked, _, err := o.open(c)
	return asked.qrels, asked.self, err
}

// OwnIDs returns the queries whose rankings hold an unjudged document with the query's id.
func OwnIDs(qrels trec.Qrels, run trec.Run) map[string]bool {
	own := map[string]bool{}
	for query, grades := range qrels {
		if _, judged := grades[query]; !judged && slices.ContainsFunc(run[query], func(s trec.Scored) bool { return s.Doc == query }) {
			own[query] = true
		}
	}
	return own
}

// WithoutSelf takes the document with the query's id out of the rankings of these queries and returns how many
// there were. The run is changed.
func WithoutSelf(run trec.Run, queries map[string]bool) int {
	n := 0
	for query := range queries {
		scored, there := run[query]
		if !there {
			continue
		}
		kept, dropped := withoutSelf(query, scored)
		if run[query] = kept; dropped {
			n++
		}
	}
	return n
}
