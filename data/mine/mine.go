// Package mine makes hard negatives from a ranking: documents that rank high for a training query and are not relevant
// to it.
package mine

import (
	"bufio"
	"encoding/json/jsontext"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"headroom/data/collection"
	"headroom/data/trec"
)

// Options say which documents of a ranking become negatives.
type Options struct {
	// Depth is the number of documents of a query's ranking that are looked at.
	Depth int
	// Negatives is the number of negatives that each example gets, the highest ranked first.
	Negatives int
	// SkipTop is the number of candidates to skip: the highest ranked are often relevant but not judged.
	SkipTop int
	// Margin, if it is set, keeps only candidates whose score is below the positive's by at least that much; it is
	// not negative. A positive that is not in the ranking counts as below all of it, and so gets no negatives.
	Margin *float64
	// Scores asks for the ranking's scores as those of a teacher. An example whose positive is not in the ranking has
	// no such score, and so gets no negatives.
	Scores bool
}

// Row is an example: a query, a document that is relevant to it, and negatives. Training uses the texts.
type Row struct {
	Query     collection.Query
	Positive  collection.Document
	Negatives []collection.Document
	// Scores are the scores of the positive and of each negative, in order; nil if they were not asked for.
	Scores []float64
}

// Rows returns an example for each row of a split's qrels with a grade above 0, in their order: rows with all their
// negatives, and short ones. These documents are never negatives of a query: a relevant one; one with the text of a
// relevant one; one with the query's id (some collections use documents as queries); one with the text of another
// negative.
func Rows(c *collection.Collection, split string, run trec.Run, o Options) (rows, short []Row, err error) {
	judged, err := c.Judgments(split)
	if err != nil {
		return nil, nil, err
	}
	m := &miner{c: c, o: o, relevant: map[string][]string{}}
	for _, j := range judged.Rows {
		if j.Grade > 0 {
			m.relevant[j.Query] = append(m.relevant[j.Query], j.Document)
		}
	}
	ranked := 0
	for query := range m.relevant {
		if len(run[query]) > 0 {
			ranked++
		}
	}
	if ranked == 0 {
		return nil, nil, fmt.Errorf("mine negatives: the run has none of the %d queries of split %q", len(m.relevant), split)
	}
	for _, j := range judged.Rows {
		if j.Grade <= 0 {
			continue
		}
		row, err := m.row(j, run[j.Query])
		if err != nil {
			return nil, nil, err
		}
		if len(row.Negatives) < o.Negatives {
			short = append(short, row)
		} else {
			rows = append(rows, row)
		}
	}
	return rows, short, nil
}

// miner carries one call of Rows.
type miner struct {
	c        *collection.Collection
	o        Options
	relevant map[string][]string // documents by query
	query    string              // the query of the current ranking
	ranking  []trec.Scored
}

func (m *miner) row(j collection.Judgment, scored []trec.Scored) (row Row, err error) {
	if m.query != j.Query { // in most files the rows of a query follow one another
		m.query, m.ranking = j.Query, slices.Clone(scored)
		trec.Rank(m.ranking)
	}
	query, known, err := m.c.Query(j.Query)
	if err == nil && !known {
		err = fmt.Errorf("mine negatives: query %q is not among the queries", j.Query)
	}
	if err != nil {
		return row, err
	}
	row.Query = query
	if row.Positive, err = m.document(j.Document); err != nil {
		return row, err
	}
	taken := map[string]bool{} // texts that may not become negatives
	for _, id := range m.relevant[j.Query] {
		d, err := m.document(id)
		if err != nil {
			return row, err
		}
		taken[d.Content()] = true
	}
	positive, ranked := m.score(j.Document)
	if m.o.Scores {
		if !ranked {
			return row, nil
		}
		if err := m.finite(j.Document, positive); err != nil {
			return row, err
		}
		row.Scores = []float64{positive}
	}
	candidates := 0
	for _, s := range m.ranking[:min(m.o.Depth, len(m.ranking))] {
		if len(row.Negatives) == m.o.Negatives {
			break
		}
		d, err := m.document(s.Doc)
		if err != nil {
			return row, err
		}
		text := d.Content()
		if s.Doc == j.Query || taken[text] {
			continue
		}
		taken[text] = true
		if candidates++; candidates > m.o.SkipTop && (m.o.Margin == nil || s.Score <= positive-*m.o.Margin) {
			row.Negatives = append(row.Negatives, d)
			if m.o.Scores {
				if err := m.finite(s.Doc, s.Score); err != nil {
					return row, err
				}
				row.Scores = append(row.Scores, s.Score)
			}
		}
	}
	return row, nil
}

// score is the score of a document in the ranking. A document that is not in it gets less than all others.
func (m *miner) score(document string) (score float64, ranked bool) {
	for _, s := range m.ranking {
		if s.Doc == document {
			return s.Score, true
		}
	}
	return math.Inf(-1), false
}

// finite refuses an infinite score, which a run may have: no loss can learn from it, and JSON has no such number.
func (m *miner) finite(document string, score float64) error {
	if math.IsInf(score, 0) {
		return fmt.Errorf("mine negatives: the run gives document %q of query %q the score %v; a teacher's scores must be finite", document, m.query, score)
	}
	return nil
}

func (m *miner) document(id string) (collection.Document, error) {
	d, known, err := m.c.Document(id)
	if err == nil && !known {
		err = fmt.Errorf("mine negatives: document %q (query %q) is not in the corpus", id, m.query)
	}
	return d, err
}

// Write writes rows as JSON lines for training: texts, or ids that are resolved against the collection, and the scores
// of rows that have them.
func Write(to io.Writer, rows []Row, ids bool) error {
	w := bufio.NewWriterSize(to, 1<<16)
	var line []byte
	for _, row := range rows {
		member := func(name, id, text string) (err error) {
			if len(line) > 1 {
				line = append(line, ',')
			}
			if ids {
				name, text = strings.Replace(name, "@", "_id", 1), id
			} else {
				name = strings.Replace(name, "@", "", 1)
			}
			if line, err = jsontext.AppendQuote(line, name); err == nil {
				line, err = jsontext.AppendQuote(append(line, ':'), text)
			}
			return err
		}
		line = append(line[:0], '{')
		err := member("query@", row.Query.ID, row.Query.Text)
		if err == nil {
			err = member("positive@", row.Positive.ID, row.Positive.Content())
		}
		for i := 0; i < len(row.Negatives) && err == nil; i++ {
			err = member("negative@_"+strconv.Itoa(i+1), row.Negatives[i].ID, row.Negatives[i].Content())
		}
		for i, score := range row.Scores {
			line = append(line, [...]string{`,"scores":[`, ","}[min(i, 1)]...)
			line = strconv.AppendFloat(line, score, 'g', -1, 64)
		}
		if row.Scores != nil {
			line = append(line, ']')
		}
		if err == nil {
			_, err = w.Write(append(line, '}', '\n'))
		}
		if err != nil {
			return fmt.Errorf("write examples: %w", err)
		}
	}
	return w.Flush()
}
