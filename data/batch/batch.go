// Package batch says which examples make up each training step, as a pure function of seed and step.
//
// In the order "shuffle" an epoch is a seeded permutation of all examples. Epochs follow one another without
// a gap: a batch that an epoch's end leaves incomplete is filled from the next, so batches always have the
// same size and no example is dropped. No batch holds two examples that conflict (a query's other positive
// would be a false negative of it): an example that does not fit is deferred to the next batch of its epoch
// that it fits, or exchanged with an example of an earlier one. Each example comes exactly once an epoch,
// unless so many conflict that no arrangement was found; then a slot that stays free is filled with an
// example that fits, of this epoch's, and what found no place is left out of this epoch.
//
// In the order "file" examples come in their file's order and from its start again at its end; batches are
// never regrouped, whatever conflicts.
//
// Any step can be asked for at any time: a resumed run needs no replay. What is computed and kept is one
// epoch's arrangement, in time O(examples × batch).
package batch

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// Orders that New takes.
const (
	Shuffle = "shuffle"
	File    = "file"
)

// Sampler composes batches. It is safe for concurrent use.
type Sampler struct {
	n, size  int
	seed     int64
	order    string
	conflict func(i, j int) bool
	// fallback is one batch without conflicts, for where an arrangement leaves slots that nothing fits.
	fallback []int

	mu      sync.Mutex
	current *epoch
}

// New makes the sampler of n examples. The function conflict tells whether two different examples may not
// stand in one batch; it must be symmetric, and nil means that all may. The order is "shuffle" or "file".
func New(n, size int, seed int64, order string, conflict func(i, j int) bool) (*Sampler, error) {
	if n < 1 {
		return nil, fmt.Errorf("make batches: %d examples: at least 1 is needed", n)
	}
	if size < 1 {
		return nil, fmt.Errorf("make batches: batch %d: an integer of at least 1 is allowed", size)
	}
	if size > n {
		return nil, fmt.Errorf("make batches: batch %d is larger than the data (%d examples): at most %d is allowed", size, n, n)
	}
	if order != Shuffle && order != File {
		return nil, fmt.Errorf("make batches: order %q: \"shuffle\" or \"file\" is allowed", order)
	}
	s := &Sampler{n: n, size: size, seed: seed, order: order}
	s.conflict = func(i, j int) bool { return i == j || (conflict != nil && conflict(i, j)) }
	if order == File {
		return s, nil
	}
	for i := range n {
		if len(s.fallback) < size && s.fits(i, s.fallback) {
			s.fallback = append(s.fallback, i)
		}
	}
	if len(s.fallback) < size {
		return nil, fmt.Errorf("make batches: batch %d: only %d of %d examples were found to stand together without one being a false negative of another: a smaller batch is needed", size, len(s.fallback), n)
	}
	return s, nil
}

// At returns the indices of the examples of a step, from 0 on; none for a negative step. The slice is the
// caller's.
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
	if s.current == nil || s.current.number != number {
		s.current = s.arrange(number)
	}
	return append(batch, s.current.batches[step-s.current.firstStep]...)
}

func (s *Sampler) fits(example int, batch []int) bool {
	for _, other := range batch {
		if s.conflict(example, other) {
			return false
		}
	}
	return true
}

// permutation is the raw order of an epoch.
func (s *Sampler) permutation(number int) []int {
	return rand.New(rand.NewPCG(uint64(s.seed), uint64(number))).Perm(s.n)
}
