package evaluate

import (
	"fmt"

	"headroom/data/collection"
	"headroom/metrics/measure"
)

// countFaults counts faults of the data that make figures low.
func (s *Summary) countFaults(c *collection.Collection, asked judged) error {
	queries, err := c.EmptyQueries()
	if err != nil {
		return err
	}
	documents, err := c.EmptyDocuments()
	if err != nil {
		return err
	}
	s.EmptyDocuments = len(documents)
	for _, grades := range asked.qrels {
		for document, grade := range grades {
			if grade <= 0 {
				continue
			}
			if known, err := c.Has(document); err != nil {
				return err
			} else if !known {
				s.Missing++
			}
		}
	}
	for _, id := range asked.ids {
		if _, empty := queries[id]; empty {
			s.EmptyQueries++
		}
	}
	return nil
}

// Notices returns sentences about queries and documents that lower the figures of these measures or are
// left out.
func (s Summary) Notices(measures []measure.Measure) []string {
	list := s.RankingNotices(measures)
	say := func(n int, format string) {
		if n > 0 {
			list = append(list, fmt.Sprintf(format, n))
		}
	}
	say(s.Missing, "documents with a grade above 0 that the corpus lacks: %d; they count as not found")
	say(s.EmptyQueries, "judged queries without a word: %d; an empty text is encoded as its special tokens alone")
	say(s.EmptyDocuments, "documents without a word: %d; an empty text is encoded as its special tokens alone")
	return list
}

// RankingNotices returns those about the rankings alone, which a plan cannot foresee.
func (s Summary) RankingNotices(measures []measure.Measure) []string {
	list := s.Coverage.Notices()
	if uncut := measure.Uncut(measures); len(uncut) > 0 && s.Cut > 0 {
		list = append(list, fmt.Sprintf("%s looks at the whole of a ranking and is measured on its first %d documents; rankings that have more: %d", uncut[0], s.Depth, s.Cut))
	}
	return list
}
