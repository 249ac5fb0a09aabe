// Package examples reads training examples: a query, a document that is relevant to it and, if the data has
// them, hard negatives and a teacher's scores.
//
// The examples are either the rows of a train split with a grade above 0, in the file's order (FromCollection),
// or the rows of files (FindFile, FindFolder) with columns named as sentence-transformers names them. Rows hold
// texts, or ids that are resolved against a collection. Files are read and checked whole once (ReadSurvey); after that any
// row can be read at any time, so their size does not matter.
//
// Each example has the keys of all documents that the data call relevant to its query, so that they can be kept out
// of its in-batch negatives (batch.Mark).
package examples

import (
	"context"
	"fmt"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/kept"
)

// Example is the training data of one slot of a batch.
type Example struct {
	Query, Positive string
	// Negatives are hard negatives, as many as were asked for.
	Negatives []string
	// Scores are a teacher's scores of the positive and of each negative; nil if the data has none. If the
	// data has margins, the positive's score is 0 and a negative's is minus its margin: losses use differences only.
	Scores []float32
}

// Source has the examples of a run. It is safe for concurrent use, Close excepted.
type Source interface {
	// Len is the number of examples.
	Len() int
	// Whole reports whether all examples are in memory.
	Whole() bool
	// Survey describes the files; it is zero for a collection.
	Survey() Survey
	// Marks returns the marks of the rows in the ranges, for an epoch, counted from 0.
	Marks(ranges []batch.Range, epoch int) ([]batch.Mark, error)
	// Examples returns the examples at places.
	Examples(places []batch.Place) ([]Example, error)
	Close() error
}

// Options say what a run needs of each example.
type Options struct {
	// Negatives is the number of hard negatives.
	Negatives int
	// Seed decides which negatives are used if a row has more of them, in no order.
	Seed int64
}

// Open opens a set for training. Files that were never read whole are read whole now, until ctx ends.
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
		return fmt.Errorf("open examples: %d hard negatives per example are asked for: %s has %d", o.Negatives, s.Fewest, s.Negatives)
	}
	return nil
}

// ReadSurvey reads the files of a set whole, unless its result is kept, and returns their description.
func ReadSurvey(ctx context.Context, set Set, store kept.Store) (Survey, error) {
	f, err := openFiles(ctx, set, store)
	if err != nil {
		return Survey{}, err
	}
	return f.survey, f.Close()
}

// memory holds the pairs of a train split.
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
