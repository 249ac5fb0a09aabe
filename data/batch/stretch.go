package batch

import "slices"

// stretch is an arrangement of n examples, which take the places begin … begin+n−1 in the endless sequence:
// the batches that end within it. The first of them may begin with the tail of the stretch before; the tail
// that is left at the end belongs to the next stretch's first batch.
type stretch struct {
	n, size, begin int
	// conflict is asked about the stretch's own examples, 0 … n−1, and those in begun.
	conflict func(i, j int) bool
	// company makes an empty batch that knows whom it can take; nil asks conflict of every pair.
	company func() company
	// marks, where there are any, are what conflict goes by: of the same examples.
	marks []Mark
	// permutation is the raw order of the examples.
	permutation []int
	// begun are the examples of the stretch before with which the first batch begins.
	begun []int
	// fallback is one batch without conflicts, for where an arrangement leaves slots that nothing fits.
	fallback []int
	// turn is the example from which on a slot that nothing fits is filled.
	turn int

	firstStep int
	batches   [][]int
	// spent is what looking for exchanges has cost so far.
	spent int
}

// patience is how much looking for exchanges may cost in one stretch, in members and rivals looked at: a second
// or so. Where the rows of one query are far more than there are batches it would else grow with the cube of the
// stretch, and find nothing.
const patience = 1 << 27

// arrange puts a stretch together. The tail is chosen first and from this stretch's permutation alone, so
// that the next can know it without this one's arrangement: none depends on more than the one before.
func (e *stretch) arrange() {
	e.firstStep = e.begin / e.size
	rest, _ := e.tail()
	q := &queue{fresh: rest}
	begun := e.begun
	for len(e.batches) < (e.begin+e.n)/e.size-e.firstStep {
		e.batches = append(e.batches, e.take(begun, q))
		begun = nil
	}
	e.repair(slices.Concat(q.deferred, q.fresh))
}

// queue holds the examples of a stretch that are in no batch yet: those that were passed over come first.
type queue struct{ deferred, fresh []int }

// tail splits the permutation into the examples that the last, shared batch begins with, and the rest.
func (e *stretch) tail() (rest, tail []int) {
	wanted := (e.begin + e.n) % e.size
	members := e.gather(nil)
	for _, example := range e.permutation {
		if len(tail) < wanted && members.fits(example) {
			members.add(example)
			tail = append(tail, example)
		} else {
			rest = append(rest, example)
		}
	}
	return rest, tail
}

// take fills a batch from the front of the queue and defers what does not fit.
func (e *stretch) take(begun []int, q *queue) []int {
	batch := make([]int, 0, e.size)
	batch = append(batch, begun...)
	members := e.gather(begun)
	offer := func(example int) bool {
		if !members.fits(example) {
			return false
		}
		members.add(example)
		batch = append(batch, example)
		return true
	}
	var deferred []int
	for i, example := range q.deferred {
		if len(batch) == e.size {
			deferred = append(deferred, q.deferred[i:]...)
			break
		}
		if !offer(example) {
			deferred = append(deferred, example)
		}
	}
	for len(batch) < e.size && len(q.fresh) > 0 {
		example := q.fresh[0]
		q.fresh = q.fresh[1:]
		if !offer(example) {
			deferred = append(deferred, example)
		}
	}
	q.deferred = deferred
	return batch
}

// repair fills batches that stayed short with the examples that found no place: as they are, or in exchange
// for a member of another batch, else with any example that fits.
func (e *stretch) repair(left []int) {
	own := e.begin % e.size // what the first batch has of the stretch before is not to be moved
	var r rivals
	for b := range e.batches {
		if len(e.batches[b]) == e.size {
			continue
		}
		if r == nil {
			r = e.rivals()
		}
		members := e.gather(e.batches[b])
		hopeless := false
		for len(e.batches[b]) < e.size {
			added, from := -1, -1
			if !hopeless {
				added, from = e.exchange(b, members, r, left, own)
			}
			if from >= 0 {
				left = slices.Delete(left, from, from+1)
			} else {
				hopeless = true // the batch only grows, and the others stay as they are
				added = e.spare(members)
			}
			if added < 0 {
				for at, member := range e.batches[b] {
					r.leaves(member, b, at)
				}
				e.batches[b] = nil
				for _, member := range e.fallback {
					e.join(b, member, r)
				}
				break
			}
			members.add(added)
			e.join(b, added, r)
		}
	}
}

// join adds a member to a batch.
func (e *stretch) join(b, member int, r rivals) {
	r.enters(member, b, len(e.batches[b]))
	e.batches[b] = append(e.batches[b], member)
}

// exchange finds a further member of batch b for the sake of one left example: that example itself, or a
// member of another batch, whose place the example takes. It returns the member and the example's place in
// left; −1 twice if none fits.
func (e *stretch) exchange(b int, members company, r rivals, left []int, own int) (added, from int) {
	for i, example := range left {
		if members.fits(example) {
			return example, i
		}
		if e.spent > patience {
			continue
		}
		e.spent += r.of(example) + len(e.batches)
		for other, batch := range e.batches {
			if other == b {
				continue
			}
			first, last := 0, len(batch)-1
			if other == 0 {
				first = own
			}
			switch n, at := r.in(other); {
			case n > 1:
				continue
			case n == 1: // the example could take the place of that member only
				first, last = max(first, at), at
			}
			e.spent += max(0, last+1-first)
			for at := first; at <= last; at++ {
				if member := batch[at]; members.fits(member) {
					r.leaves(member, other, at)
					r.enters(example, other, at)
					batch[at] = example
					return member, i
				}
			}
		}
	}
	return -1, -1
}

// spare finds an example to repeat that fits, going through them from a place that differs from stretch to
// stretch; −1 if none does.
func (e *stretch) spare(members company) int {
	for i := range e.n {
		if example := (i + e.turn) % e.n; members.fits(example) {
			return example
		}
	}
	return -1
}

// together collects up to size examples that may stand in one batch.
func (e *stretch) together() []int {
	return together(e.n, e.size, func() company { return e.gather(nil) })
}

// starts is from how many places on together looks: an example that goes with hardly any other keeps only those
// out that are looked at after it.
const starts = 4

// together collects up to size of n examples that fit each other, in ascending order from one of a few starts on,
// the first that gives that many; otherwise the most that one gave.
func together(n, size int, gather func() company) []int {
	var best []int
	for start := range min(starts, n) {
		members := gather()
		var batch []int
		for i := range n {
			if example := (start*n/starts + i) % n; members.fits(example) {
				members.add(example)
				if batch = append(batch, example); len(batch) == size {
					return batch
				}
			}
		}
		if len(batch) > len(best) {
			best = batch
		}
	}
	return best
}
