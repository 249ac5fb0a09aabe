// Package mine makes hard negatives of a ranking: documents that it places high for a training query and that are
// not relevant to it.
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
	// Depth is how many documents of a query's ranking are looked at.
	Depth int
	// Negatives is how many each example gets, the highest ranked first.
	Negatives int
	// SkipTop passes over that many candidates: the highest ranked are often relevant and not judged.
	SkipTop int
	// Margin, where it is set, keeps only candidates whose score is lower than the positive's by at least that
	// much; it is not negative. A positive that the ranking does not have, and that is thus below all that it has,
	// then has no negatives.
	Margin *float64
	// Scores asks for the ranking's scores as a teacher's. An example whose positive the ranking does not have has
	// no such score, and then no negatives.
	Scores bool
}

// Row is an example: a query, a document that is relevant to it, and negatives. Texts are what is trained on.
type Row struct {
	Query     collection.Query
	Positive  collection.Document
	Negatives []collection.Document
	// Scores are those of the positive and of each negative, in order; nil where they were not asked for.
	Scores []float64
}

// Rows returns an example for each row of a split's qrels with a grade above 0, in their order: those that got all
// their negatives, and those that did not. Never a negative is a document that is relevant to the query, nor one
// with the text of such a document, the query's own (under its id, as where a collection asks for what is like
// one of its documents), or a text that is a negative already.
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
	query    string              // whose ranking is
	ranking  []trec.Scored
}

func (m *miner) row(j collection.Judgment, scored []trec.Scored) (row Row, err error) {
	if m.query != j.Query { // rows of one query mostly stand together
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
	taken := map[string]bool{} // texts that are no candidates, or no more
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
				row.Scores = append(row.Scores, s.Score)
			}
		}
	}
	return row, nil
}

// score is what the ranking gives a document: less than all that it has, where it does not have the document.
func (m *miner) score(document string) (score float64, ranked bool) {
	for _, s := range m.ranking {
		if s.Doc == document {
			return s.Score, true
		}
	}
	return math.Inf(-1), false
}

func (m *miner) document(id string) (collection.Document, error) {
	d, known, err := m.c.Document(id)
	if err == nil && !known {
		err = fmt.Errorf("mine negatives: document %q (query %q) is not in the corpus", id, m.query)
	}
	return d, err
}

// Write writes rows as JSON lines that are read as training data: texts, or ids that are resolved against the
// collection, and the scores of rows that have them.
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
