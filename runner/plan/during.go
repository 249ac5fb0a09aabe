package plan

import (
	"fmt"
	"slices"
	"strings"

	"headroom/data/collection"
	"headroom/metrics/record"
	"headroom/sweeps"
)

// DuringSplit is the split on which a run is measured during training.
const DuringSplit = record.DuringSplit

// duringDigest finds the dev data on which a run is measured while it trains. digest covers
// all of them; it is "" if some are not there yet, and why gives the reason.
func (m *maker) duringDigest(c sweeps.RunConfig) (digest, why string) {
	var digests []string
	for _, ref := range c.Evaluate.During {
		data := m.found.data("evaluate.during", ref, DuringSplit)
		if data.digest == "" {
			why = data.why
			continue
		}
		digests = append(digests, data.digest)
	}
	if why != "" || len(digests) < len(c.Evaluate.During) {
		return "", why
	}
	return strings.Join(digests, "+"), ""
}

// noteOverlaps adds a notice if dev data are test data. Data that cannot be read are reported elsewhere.
func (m *maker) noteOverlaps(c sweeps.RunConfig) {
	if len(c.Evaluate.During) == 0 {
		return
	}
	key := strings.Join(c.Evaluate.During, "\x00") + "\x01" + strings.Join(slices.Concat(c.Evaluate.Final, c.Evaluate.Full), "\x00")
	if m.compared[key] {
		return
	}
	m.compared[key] = true
	found, err := TestedOn(c, func(ref string) (*collection.Collection, error) {
		folder, err := m.found.resolver.Data(ref)
		if err != nil {
			return nil, err
		}
		return collection.Open(folder)
	})
	if err == nil {
		for _, o := range found {
			m.found.note("%s", o.String())
		}
	}
}

// Overlap counts the dev queries of a collection that are test queries of a collection.
type Overlap struct {
	Dev, Test     string // references
	Shared, Asked int
}

func (o Overlap) String() string {
	return fmt.Sprintf("evaluate.during: %d of the %d dev queries of %s are test queries of %s: what is chosen during training is chosen on the test set", o.Shared, o.Asked, o.Dev, o.Test)
}

// TestedOn finds queries on which a run is measured during training and which are also
// queries of a test set: of the same collection, or of one in evaluate.final or
// evaluate.full. Two queries are the same if their texts are equal and a document is
// relevant to both.
func TestedOn(c sweeps.RunConfig, open func(ref string) (*collection.Collection, error)) ([]Overlap, error) {
	var found []Overlap
	for _, ref := range c.Evaluate.During {
		dev, err := open(ref)
		if err != nil {
			return nil, err
		}
		asked, err := relevant(dev, DuringSplit)
		if err != nil {
			return nil, err
		}
		for _, other := range append([]string{ref}, slices.DeleteFunc(slices.Concat(c.Evaluate.Final, c.Evaluate.Full), func(f string) bool { return f == ref })...) {
			test, err := open(other)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(test.Splits(), FinalSplit) {
				continue
			}
			tested, err := relevant(test, FinalSplit)
			if err != nil {
				return nil, err
			}
			if n := countShared(asked, tested); n > 0 {
				found = append(found, Overlap{Dev: ref, Test: other, Shared: n, Asked: len(asked)})
			}
		}
	}
	return found, nil
}

// relevant returns the documents relevant to each query of a split, by the query's text.
func relevant(c *collection.Collection, split string) (map[string][]string, error) {
	qrels, err := c.JudgedQueries(split) // without the corpus, which may be large: plans are made often
	if err != nil {
		return nil, err
	}
	queries, err := c.Queries()
	if err != nil {
		return nil, err
	}
	asked := map[string][]string{}
	for _, q := range queries {
		for document, grade := range qrels[q.ID] {
			if grade > 0 {
				text := strings.TrimSpace(q.Text)
				asked[text] = append(asked[text], document)
			}
		}
	}
	return asked, nil
}

// countShared counts the queries of a that b has too.
func countShared(a, b map[string][]string) int {
	n := 0
	for text, documents := range a {
		if slices.ContainsFunc(b[text], func(d string) bool { return slices.Contains(documents, d) }) {
			n++
		}
	}
	return n
}
