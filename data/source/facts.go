package source

import (
	"encoding/json"
	"fmt"

	"headroom/data/collection"
	"headroom/data/examples"
)

// Facts describes one split of a collection. All lines were read and are sound.
type Facts struct {
	// Positives is the number of judgements with a grade above 0: the examples, if the
	// split is used for training. It is at least 1.
	Positives int `json:"positives"`
	// Lost is how many of them have a document that is not in the corpus.
	Lost int `json:"lost"`
	// EmptyQueries is the number of judged queries, and EmptyDocuments that of documents
	// (in the train split, of relevant ones), with nothing but white space. FirstEmpty… is
	// file and line of the first.
	EmptyQueries       int    `json:"empty_queries"`
	FirstEmptyQuery    string `json:"first_empty_query"`
	EmptyDocuments     int    `json:"empty_documents"`
	FirstEmptyDocument string `json:"first_empty_document"`
	// Together is how many examples of the train split can share a batch; Apart names two
	// that cannot, if there are such.
	Together int    `json:"together"`
	Apart    string `json:"apart"`
}

// CollectionFacts reads a collection whole, as CheckCollection does, and returns the facts
// of a split.
func (r *Resolver) CollectionFacts(folder, split string) (Facts, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return Facts{}, err
	}
	paths, err := c.Files(split)
	if err != nil {
		return Facts{}, err
	}
	result, err := r.Remember("split "+split, paths, func() (string, error) {
		facts, err := factsOf(c, split)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(facts)
		return string(text), err
	})
	var facts Facts
	if err == nil {
		err = json.Unmarshal([]byte(result), &facts)
	}
	return facts, err
}

// factsOf reads the collection whole.
func factsOf(c *collection.Collection, split string) (Facts, error) {
	documents, err := c.EmptyDocuments() // reads the corpus, and keeps no text of it
	if err != nil {
		return Facts{}, err
	}
	judged, err := c.Judgments(split)
	if err != nil {
		return Facts{}, err
	}
	queries, err := c.EmptyQueries()
	if err != nil {
		return Facts{}, err
	}
	var f Facts
	relevant := map[string]bool{}
	asked := map[string]bool{}
	for _, row := range judged.Rows {
		asked[row.Query] = true
		if row.Grade <= 0 {
			continue
		}
		f.Positives++
		relevant[row.Document] = true
		if known, err := c.Has(row.Document); err != nil {
			return Facts{}, err
		} else if !known {
			f.Lost++
		}
	}
	if f.Positives == 0 {
		return Facts{}, fmt.Errorf("read collection %s: qrels %q have no row with a grade above 0", c.Folder, split)
	}
	if f.Lost == f.Positives {
		return Facts{}, fmt.Errorf("read collection %s: none of the %d documents with a grade above 0 in qrels %q is in the corpus, the first is %q; allowed: qrels of this corpus", c.Folder, f.Positives, split, firstPositive(judged))
	}
	training := split == collection.Train
	f.EmptyQueries, f.FirstEmptyQuery = firstOf(queries, func(id string) bool { return asked[id] })
	f.EmptyDocuments, f.FirstEmptyDocument = firstOf(documents, func(id string) bool { return !training || relevant[id] })
	if f.EmptyQueries == len(asked) {
		return Facts{}, fmt.Errorf("read collection %s: every query that qrels %q judge is empty, the first at %s; allowed: at least one with a word", c.Folder, split, f.FirstEmptyQuery)
	}
	if !training && f.EmptyDocuments > 0 {
		if all, err := c.Len(); err != nil {
			return Facts{}, err
		} else if f.EmptyDocuments == all {
			return Facts{}, fmt.Errorf("read collection %s: every document is empty, the first at %s; allowed: at least one with a word", c.Folder, f.FirstEmptyDocument)
		}
	}
	if training {
		f.Together, f.Apart, err = examples.LargestBatch(c, split)
	}
	return f, err
}

func firstPositive(judged collection.Judgments) string {
	for _, row := range judged.Rows {
		if row.Grade > 0 {
			return row.Document
		}
	}
	return ""
}

// firstOf counts the empty rows for which counts is true, and returns the place of the
// first.
func firstOf(rows collection.Empty, counts func(id string) bool) (n int, first string) {
	row := 0
	for id, at := range rows {
		if !counts(id) {
			continue
		}
		if n++; n == 1 || at.Row < row {
			row, first = at.Row, at.Where
		}
	}
	return n, first
}

// splitsOf lists the splits of a collection's folder.
func splitsOf(folder string) ([]string, error) {
	c, err := collection.Open(folder)
	if err != nil {
		return nil, err
	}
	return c.Splits(), nil
}
