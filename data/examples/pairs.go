package examples

import (
	"fmt"

	"headroom/data/collection"
)

// Pair is one training example.
type Pair struct {
	Query, Positive     string // texts; the positive is the document's Content
	QueryID, PositiveID string
	// Positives are the ids of all documents that are relevant to the query, PositiveID among them, in file
	// order. Pairs of one query share the slice.
	Positives []string
}

// FromCollection returns the pairs of a split. It is an error if there is none, or if the split names a
// document that the corpus lacks.
func FromCollection(c *collection.Collection, split string) ([]Pair, error) {
	pairs, err := fromCollection(c, split)
	if err != nil {
		return nil, fmt.Errorf("read examples of split %q: %w", split, err)
	}
	return pairs, nil
}

func fromCollection(c *collection.Collection, split string) ([]Pair, error) {
	judgments, err := c.Judgments(split)
	if err != nil {
		return nil, err
	}
	positives, relevant := map[string][]string{}, map[string]bool{}
	count := 0
	for _, row := range judgments.Rows {
		if row.Grade > 0 {
			positives[row.Query] = append(positives[row.Query], row.Document)
			relevant[row.Document] = true
			count++
		}
	}
	if count == 0 {
		return nil, fmt.Errorf("collection %q: none of its %d rows has a grade above 0", c.Folder, len(judgments.Rows))
	}
	documents, err := c.Select(relevant)
	if err != nil {
		return nil, err
	}
	pairs := make([]Pair, 0, count)
	for _, row := range judgments.Rows {
		if row.Grade <= 0 {
			continue
		}
		query, known, err := c.Query(row.Query)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, fmt.Errorf("collection %q: query %q is not in its queries", c.Folder, row.Query)
		}
		document, known := documents[row.Document]
		if !known {
			return nil, fmt.Errorf("collection %q: document %q (query %q) is not in its corpus", c.Folder, row.Document, row.Query)
		}
		pairs = append(pairs, Pair{
			Query: query.Text, Positive: document.Content(),
			QueryID: row.Query, PositiveID: row.Document, Positives: positives[row.Query],
		})
	}
	return pairs, nil
}
