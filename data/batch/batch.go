// Package batch says which examples make up each training step, as a pure function of seed and step.
//
// In the order "shuffle" the examples of an epoch come in a seeded order. Epochs follow one another without
// a gap: the last batch of an epoch is completed with examples of the next, so all batches have the same size
// and no example is dropped. No batch holds two examples that conflict (a query's other positive would be a
// false negative). An example that does not fit a batch is deferred to the next batch of its stretch that it
// fits, or exchanged with an example of an earlier batch. Each example comes exactly once per epoch, unless
// there are so many conflicts that no arrangement is found. Then a free slot is filled with another example of
// the epoch that fits, and examples without a place are left out of this epoch.
//
// In the order "file" examples come in the order of their file, again and again; batches are never regrouped,
// even if examples conflict.
//
// Any step can be asked for at any time, so a resumed run needs no replay. Examples are arranged in stretches:
// whole epochs with a Sampler, which knows all examples; windows of an epoch with a Stream, which has too many
// examples to know all at once. To arrange a stretch takes time O(examples of the stretch × batch).
package batch

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// Orders that New and NewStream take.
const (
	Shuffle = "shuffle"
	File    = "file"
)

// Sampler composes batches of examples that are all known. It is safe for concurrent use.
type Sampler struct {
	n, size  int
	seed     int64
	order    string
	conflict func(i, j int) bool
	fallback []int

	mu      sync.Mutex
	number  int
	current *stretch
}

// New makes the sampler of n examples. conflict reports whether two different examples must not be in one batch;
// it must be symmetric, and nil allows all. The order is "shuffle" or "file".
func New(n, size int, seed int64, order string, conflict func(i, j int) bool) (*Sampler, error) {
	if err := check(n, size, order); err != nil {
		return nil, err
	}
	s := &Sampler{n: n, size: size, seed: seed, order: order}
	s.conflict = func(i, j int) bool { return i == j || (conflict != nil && conflict(i, j)) }
	if order == File {
		return s, nil
	}
	if s.fallback = s.epoch(0).together(); len(s.fallback) < size {
		return nil, &CrowdedError{Size: size, Found: len(s.fallback), Rows: n}
	}
	return s, nil
}

func check(n, size int, order string) error {
	switch {
	case n < 1:
		return fmt.Errorf("make batches: %d examples: at least 1 is needed", n)
	case size < 1:
		return fmt.Errorf("make batches: batch %d: an integer of at least 1 is allowed", size)
	case size > n:
		return fmt.Errorf("make batches: batch %d is larger than the data (%d examples): at most %d is allowed", size, n, n)
	case order != Shuffle && order != File:
		return fmt.Errorf("make batches: order %q: \"shuffle\" or \"file\" is allowed", order)
	}
	return nil
}

// At returns the indices of the examples of a step, counted from 0; none for a negative step. The slice
// belongs to the caller.
func (s *Sampler) At(step int) []int {
	if step < 0 {
		return nil
	}
	batch := make([]int, 0, s.size)
	first := step * s.size // place in the endless sequence of epochs
	if s.order == File {
		for i := range s.size {
			batch = append(batch, (first+i)%s.n)
		}
		return batch
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A batch that two epochs share was put together by the later one.
	number := (first + s.size - 1) / s.n
	if s.current == nil || s.number != number {
		s.current, s.number = s.arrange(number), number
	}
	return append(batch, s.current.batches[step-s.current.firstStep]...)
}

func (s *Sampler) arrange(number int) *stretch {
	e := s.epoch(number)
	if number > 0 {
		_, e.begun = s.epoch(number - 1).tail()
	}
	e.arrange()
	return e
}

func (s *Sampler) epoch(number int) *stretch {
	return &stretch{
		n: s.n, size: s.size, begin: number * s.n, conflict: s.conflict, fallback: s.fallback,
		permutation: permutation(s.seed, number, s.n), turn: number * s.size,
	}
}

// permutation is the raw order of a stretch.
func permutation(seed int64, number, n int) []int {
	return rand.New(rand.NewPCG(uint64(seed), uint64(number))).Perm(n)
}
