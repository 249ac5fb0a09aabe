package live

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"headroom/metrics/store"
	"headroom/runner/workspace"
)

// Band summarizes one series over the runs of a group: for each bucket of steps the mean
// over the runs, and the least and the greatest value.
type Band struct {
	Runs   int
	Bucket int
	// Steps are the first steps of the buckets; the other slices have a value for each.
	Steps           []int
	Mean, Low, High []float64
	NonFinite       []store.NonFinite
	// Last is the greatest step of any run, -1 if there is none.
	Last int
}

// BandOf summarizes curves that were read in the same buckets. In a bucket it leaves out
// runs without a finite value.
func BandOf(curves []store.Thin) Band {
	b := Band{Runs: len(curves), Bucket: 1, Last: -1}
	type cell struct {
		sum, low, high float64
		n              int
	}
	cells := map[int]*cell{}
	at := func(step int) *cell {
		k := step / b.Bucket
		if cells[k] == nil {
			cells[k] = &cell{low: math.Inf(1), high: math.Inf(-1)}
		}
		return cells[k]
	}
	for _, c := range curves {
		b.Bucket, b.Last = max(1, c.Bucket), max(b.Last, c.Last)
		for i, step := range c.At {
			one := at(step)
			one.sum, one.n = one.sum+c.Mean[i], one.n+1
		}
		for i, step := range c.Steps {
			one := at(step)
			one.low, one.high = min(one.low, c.Values[i]), max(one.high, c.Values[i])
		}
		b.NonFinite = append(b.NonFinite, c.NonFinite...)
	}
	for k, c := range cells {
		if c.n > 0 {
			b.Steps = append(b.Steps, k)
		}
	}
	slices.Sort(b.Steps)
	for i, k := range b.Steps {
		c := cells[k]
		b.Steps[i] = k * b.Bucket
		b.Mean, b.Low, b.High = append(b.Mean, c.sum/float64(c.n)), append(b.Low, c.low), append(b.High, c.high)
	}
	slices.SortFunc(b.NonFinite, func(x, y store.NonFinite) int { return cmp.Compare(x.Step, y.Step) })
	return b
}

// cachedCurves is the number of curves that a Curves keeps. With at most some hundred
// points each they take some megabytes.
const cachedCurves = 2000

// Curves reads thinned curves, and keeps those of unchanged runs.
type Curves struct {
	watcher *Watcher
	mu      sync.Mutex
	kept    map[curveKey]store.Thin
}

type curveKey struct {
	run, series string
	span        store.Span
	bucket      int
	changed     uint64
}

// NewCurves reads from a watcher's workspace.
func NewCurves(w *Watcher) *Curves { return &Curves{watcher: w, kept: map[curveKey]store.Thin{}} }

// Read returns a run's curve, which is shared and must not be changed.
func (c *Curves) Read(ctx context.Context, r *Run, series string, span store.Span, bucket int) (store.Thin, error) {
	key := curveKey{r.Run.Run, series, span, bucket, r.Changed}
	c.mu.Lock()
	found, ok := c.kept[key]
	c.mu.Unlock()
	if ok {
		return found, nil
	}
	var thin store.Thin
	err := c.watcher.Read(func(_ workspace.Workspace, s *store.Store) (err error) {
		thin, err = s.Thin(ctx, r.Run.Run, series, span, bucket)
		return err
	})
	if err != nil {
		return thin, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= cachedCurves {
		clear(c.kept) // as if the program had just begun
	}
	c.kept[key] = thin
	return thin, nil
}
