// Package examples reads training examples: a query, a document that is relevant to it, and with them hard
// negatives and a teacher's scores where the data has these.
//
// The examples are either the rows of a train split with a grade above 0, in the file's order (FromCollection),
// or the rows of files (FindFile, FindFolder) with columns named as sentence-transformers names them. Rows hold
// texts, or ids that are resolved against a collection. Files are checked whole before anything else (Look); then
// any row is read at any time, so that their size does not matter.
//
// Each example knows what else is relevant to its query, as far as the data says, so that whoever composes batches
// can keep that out of its in-batch negatives (batch.Mark).
package examples

import (
	"context"
	"fmt"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/kept"
)

// Example is what one slot of a batch trains on.
type Example struct {
	Query, Positive string
	// Negatives are hard negatives, as many as were asked for.
	Negatives []string
	// Scores are a teacher's, of the positive and of each negative; nil where the data has none. Of data with
	// margins the positive's is 0 and a negative's is minus its margin: losses take differences only.
	Scores []float32
}

// Source has the examples of a run. It is safe for concurrent use, Close excepted.
type Source interface {
	// Len is the number of examples.
	Len() int
	// Whole tells that all are in memory.
	Whole() bool
	// Survey is what was found of files; the zero one of a collection.
	Survey() Survey
	// Marks are those of the rows in the ranges, as they are in an epoch, counted from 0.
	Marks(ranges []batch.Range, epoch int) ([]batch.Mark, error)
	// Examples returns those of places.
	Examples(places []batch.Place) ([]Example, error)
	Close() error
}

// Options say what a run wants of each example.
type Options struct {
	// Negatives is the number of hard negatives.
	Negatives int
	// Seed chooses among more negatives than that, where they have no order.
	Seed int64
}

// Open opens a set for training. Files that were not read whole before are, which ends with ctx.
func Open(ctx context.Context, set Set, store kept.Store, o Options) (Source, error) {
	if set.Folder == "" {
		f, err := openFiles(ctx, set, store)
		if err != nil {
			return nil, err
		}
		if err := o.check(f.survey); err != nil {
			f.Close()
			return nil, err
		}
		return &reader{files: f, Options: o}, nil
	}
	if o.Negatives > 0 {
		return nil, o.check(Survey{Fewest: set.Folder})
	}
	c, err := collection.Open(set.Folder)
	if err != nil {
		return nil, err
	}
	list, err := FromCollection(c, collection.Train)
	if err != nil {
		return nil, err
	}
	return &memory{pairs: list, marks: Marks(list)}, nil
}

func (o Options) check(s Survey) error {
	if o.Negatives > s.Negatives {
		return fmt.Errorf("open examples: %d hard negatives an example are asked for: %s has %d", o.Negatives, s.Fewest, s.Negatives)
	}
	return nil
}

// Look reads the files of a set whole, unless what that found is kept, and says what they have.
func Look(ctx context.Context, set Set, store kept.Store) (Survey, error) {
	f, err := openFiles(ctx, set, store)
	if err != nil {
		return Survey{}, err
	}
	return f.survey, f.Close()
}

// memory are the pairs of a train split.
type memory struct {
	pairs []Pair
	marks []batch.Mark
}

func (m *memory) Len() int       { return len(m.pairs) }
func (m *memory) Whole() bool    { return true }
func (m *memory) Survey() Survey { return Survey{} }
func (m *memory) Close() error   { return nil }

func (m *memory) Marks(ranges []batch.Range, _ int) ([]batch.Mark, error) {
	var marks []batch.Mark
	for _, r := range ranges {
		marks = append(marks, m.marks[r.From:r.To]...)
	}
	return marks, nil
}

func (m *memory) Examples(places []batch.Place) ([]Example, error) {
	list := make([]Example, len(places))
	for i, place := range places {
		list[i] = Example{Query: m.pairs[place.Row].Query, Positive: m.pairs[place.Row].Positive}
	}
	return list, nil
}
