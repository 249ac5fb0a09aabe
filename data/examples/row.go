package examples

import (
	"errors"
	"fmt"
	"slices"
)

// finish sorts a row's negatives when all columns are read, and refuses a row that lacks something.
func (r *row) finish() error {
	switch {
	case r.layout.query == none:
		return errors.New("no query; " + allowed)
	case r.layout.positive == none:
		return errors.New("no positive; " + allowed)
	}
	if r.lists {
		return r.finishLists()
	}
	if err := r.sortNegatives(); err != nil {
		return err
	}
	n := len(r.negatives)
	switch {
	case !r.layout.scores:
	case n == 0:
		return errors.New("scores without negatives; a teacher's scores are of a positive and its negatives")
	case len(r.scores) != n && len(r.scores) != n+1:
		return fmt.Errorf("%d scores of a positive and %d negatives; allowed are %d (margins: the positive's less the negative's) or %d (of each document, the positive's first)", len(r.scores), n, n, n+1)
	default:
		r.layout.margins = len(r.scores) == n
	}
	return nil
}

// sortNegatives orders negatives by the numbers in their columns' names.
func (r *row) sortNegatives() error {
	if len(r.numbers) == 0 || len(r.numbers) == 1 && r.numbers[0] == 0 {
		return nil
	}
	sorted := make([]string, len(r.negatives))
	for i, number := range r.numbers {
		if number < 1 || number > len(sorted) || slices.Contains(r.numbers[:i], number) {
			return fmt.Errorf("%d negatives with the numbers %v; negative alone, or negative_1, negative_2 … without a gap are allowed", len(sorted), r.numbers)
		}
		sorted[number-1] = r.negatives[i]
	}
	copy(r.negatives, sorted)
	return nil
}

// finishLists keeps each negative once, at its first place, and removes negatives that are positives.
func (r *row) finishLists() error {
	switch {
	case r.layout.query != byID || r.layout.positive != byID || r.layout.negative == byText || len(r.numbers) > 0:
		return errors.New("pos and neg are allowed with qid alone")
	case len(r.positives) == 0:
		return errors.New("pos is empty; at least one positive is needed")
	case r.layout.scores:
		return errors.New("scores are not allowed with pos and neg: they could not be assigned to documents")
	}
	r.layout.negative = byID
	seen := make(map[string]bool, len(r.positives)+len(r.negatives))
	for _, id := range r.positives {
		seen[id] = true
	}
	kept := r.negatives[:0]
	for _, id := range r.negatives {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	r.negatives = kept
	return nil
}

// checkLayout refuses a row with another layout than the first row of its set.
func (r *row) checkLayout(first layout) error {
	mine := r.layout
	if mine.negative == none && first.negative != none && !mine.scores && !first.scores {
		mine.negative = first.negative // a row without negatives is allowed, and counted as having the fewest
	}
	if mine != first {
		return fmt.Errorf("its columns are %s, those of the first row %s; all rows need the same", r.layout, first)
	}
	return nil
}
