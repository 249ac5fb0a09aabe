package examples

import (
	"context"
	"errors"
	"fmt"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/kept"
)

// Batches describes the batches that a run makes of examples in the order "shuffle".
type Batches struct {
	Options
	// Size is the number of queries per batch, Steps the number of batches.
	Size, Steps int
}

// LargestBatch returns the size of the largest batch that can be made of a collection's split. If that is not the whole
// split, apart names two examples that must not share a batch.
func LargestBatch(c *collection.Collection, split string) (n int, apart string, err error) {
	pairs, err := FromCollection(c, split)
	if err != nil {
		return 0, "", err
	}
	n, one, other := batch.LargestBatch(Marks(pairs))
	if one >= 0 {
		name := func(p Pair) string { return fmt.Sprintf("query %q with document %q", p.QueryID, p.PositiveID) }
		apart = name(pairs[one]) + " and " + name(pairs[other])
	}
	return n, apart, nil
}

// CrowdedError returns the error for data that cannot fill a batch: of rows examples, found can share one. apart names two
// that cannot.
func CrowdedError(found, rows int, apart string) error {
	example := ""
	if apart != "" {
		example = " (" + apart + " do not)"
	}
	return fmt.Errorf("only %d of the %d examples that are shuffled together can share a batch: two examples cannot if they have the same query, or if a document of one is relevant to the other's query%s", found, rows, example)
}

// CheckBatches returns the error with which the batches of a run would fail, as far as the windows of the first epoch
// show it. Files without a fault are not checked again until one of them changes.
func CheckBatches(ctx context.Context, set Set, store kept.Store, b Batches) error {
	f, err := openFiles(ctx, set, store)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := b.check(f.survey); err != nil {
		return err
	}
	key, err := kept.KeyOf(fmt.Sprintf("batches 1 %+v", b), f.sources...)
	if err != nil {
		return err
	}
	if _, sound := store.Get(key); sound {
		return nil
	}
	r := &reader{files: f, Options: b.Options}
	marks := func(ranges []batch.Range, epoch int) ([]batch.Mark, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return r.Marks(ranges, epoch)
	}
	err = batch.Check(batch.StreamOptions{Rows: f.survey.Rows, Size: b.Size, Seed: b.Seed, Order: batch.Shuffle, Marks: marks}, b.Steps)
	var crowded *batch.CrowdedError
	if errors.As(err, &crowded) {
		apart := ""
		if crowded.Apart {
			apart = f.table.Where(crowded.One.At) + " and " + f.table.Where(crowded.Other.At)
		}
		return CrowdedError(crowded.Found, crowded.Rows, apart)
	}
	if err != nil {
		return err
	}
	store.Put(key, "sound")
	return nil
}
