package batch

import "slices"

// epoch is one arrangement of all examples: the batches that end within it. The first of them may begin with
// the tail of the epoch before; the tail that is left at the end belongs to the next epoch's first batch.
type epoch struct {
	number    int
	firstStep int
	batches   [][]int
}

// arrange puts an epoch together. The tail is chosen first and from this epoch's permutation alone, so that
// the next epoch can know it without this one's arrangement: no epoch depends on more than the one before.
func (s *Sampler) arrange(number int) *epoch {
	begin, end := number*s.n, (number+1)*s.n
	e := &epoch{number: number, firstStep: begin / s.size}
	rest, _ := s.tail(number)
	q := &queue{fresh: rest}
	var begun []int
	if begin%s.size > 0 {
		_, begun = s.tail(number - 1)
	}
	for len(e.batches) < end/s.size-e.firstStep {
		e.batches = append(e.batches, s.take(begun, q))
		begun = nil
	}
	s.repair(e, slices.Concat(q.deferred, q.fresh))
	return e
}

// queue holds the examples of an epoch that are in no batch yet: those that were passed over come first.
type queue struct{ deferred, fresh []int }

// tail splits an epoch's permutation into the examples that its last, shared batch begins with, and the rest.
func (s *Sampler) tail(number int) (rest, tail []int) {
	permutation := s.permutation(number)
	wanted := (number + 1) * s.n % s.size
	for _, example := range permutation {
		if len(tail) < wanted && s.fits(example, tail) {
			tail = append(tail, example)
		} else {
			rest = append(rest, example)
		}
	}
	return rest, tail
}

// take fills a batch from the front of the queue and defers what does not fit.
func (s *Sampler) take(begun []int, q *queue) []int {
	batch := make([]int, 0, s.size)
	batch = append(batch, begun...)
	var deferred []int
	for i, example := range q.deferred {
		if len(batch) == s.size {
			deferred = append(deferred, q.deferred[i:]...)
			break
		}
		if s.fits(example, batch) {
			batch = append(batch, example)
		} else {
			deferred = append(deferred, example)
		}
	}
	for len(batch) < s.size && len(q.fresh) > 0 {
		example := q.fresh[0]
		q.fresh = q.fresh[1:]
		if s.fits(example, batch) {
			batch = append(batch, example)
		} else {
			deferred = append(deferred, example)
		}
	}
	q.deferred = deferred
	return batch
}

// repair fills batches that stayed short with the examples that found no place: as they are, or in exchange
// for a member of another batch, else with any example that fits.
func (s *Sampler) repair(e *epoch, left []int) {
	own := 0 // what the first batch has of the epoch before is not to be moved
	if shared := e.number * s.n % s.size; shared > 0 {
		own = shared
	}
	for b := range e.batches {
		for len(e.batches[b]) < s.size {
			if i := s.exchange(e, b, left, own); i >= 0 {
				left = slices.Delete(left, i, i+1)
				continue
			}
			if !s.fill(e, b) {
				e.batches[b] = slices.Clone(s.fallback)
			}
		}
	}
}

// exchange gives batch b a member for the sake of one left example: that example itself, or a member of
// another batch whose place the example can take. It returns the example's place in left, -1 if none fits.
func (s *Sampler) exchange(e *epoch, b int, left []int, own int) int {
	for i, example := range left {
		if s.fits(example, e.batches[b]) {
			e.batches[b] = append(e.batches[b], example)
			return i
		}
		for other, batch := range e.batches {
			if other == b {
				continue
			}
			from := 0
			if other == 0 {
				from = own
			}
			for at := from; at < len(batch); at++ {
				member := batch[at]
				if s.fits(member, e.batches[b]) && s.fits(example, without(batch, at)) {
					batch[at] = example
					e.batches[b] = append(e.batches[b], member)
					return i
				}
			}
		}
	}
	return -1
}

func without(batch []int, at int) []int {
	return append(slices.Clone(batch[:at]), batch[at+1:]...)
}

// fill repeats an example that fits, going through them from a place that differs from epoch to epoch.
func (s *Sampler) fill(e *epoch, b int) bool {
	for i := range s.n {
		example := (i + e.number*s.size) % s.n
		if s.fits(example, e.batches[b]) {
			e.batches[b] = append(e.batches[b], example)
			return true
		}
	}
	return false
}
