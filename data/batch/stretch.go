package batch

import "slices"

// stretch is an arrangement of n examples, which take the places begin … begin+n−1 in the endless sequence. It
// consists of the batches that end within it. The first batch may begin with the tail of the stretch before; the
// tail of this stretch belongs to the first batch of the next one.
type stretch struct {
	n, size, begin int
	// conflict takes the numbers of the stretch's own examples, 0 … n−1, and those in begun.
	conflict func(i, j int) bool
	// company makes an empty batch that knows which examples it can take; nil compares every pair by conflict.
	company func() company
	// marks, if there are any, are the marks of the same examples, by which conflict decides.
	marks []Mark
	// permutation is the raw order of the examples.
	permutation []int
	// begun are the examples of the stretch before with which the first batch begins.
	begun []int
	// fallback is one batch without conflicts. It is used if no example fits the free slots of an arrangement.
	fallback []int
	// turn is the example at which the search for an example to repeat begins.
	turn int

	firstStep int
	batches   [][]int
	// spent is the cost of the search for exchanges so far.
	spent int
}

// patience bounds the cost of the search for exchanges in one stretch, counted in members and rivals looked at: about
// a second. If one query has far more rows than there are batches, the cost would otherwise grow with the cube of
// the stretch, and the search would find nothing.
const patience = 1 << 27

// arrange arranges a stretch. It chooses the tail first, from this stretch's permutation alone, so that the next
// stretch can know the tail without this arrangement. So no stretch depends on more than the one before it.
func (e *stretch) arrange() {
	e.firstStep = e.begin / e.size
	rest, _ := e.tail()
	q := &queue{fresh: rest}
	begun := e.begun
	for len(e.batches) < (e.begin+e.n)/e.size-e.firstStep {
		e.batches = append(e.batches, e.fillBatch(begun, q))
		begun = nil
	}
	e.repair(slices.Concat(q.deferred, q.fresh))
}

// queue holds the examples of a stretch that are in no batch yet. Deferred ones come first.
type queue struct{ deferred, fresh []int }

// tail splits the permutation into the first examples of the last, shared batch, and the rest.
func (e *stretch) tail() (rest, tail []int) {
	wanted := (e.begin + e.n) % e.size
	members := e.gather(nil)
	for _, example := range e.permutation {
		if len(tail) < wanted && members.canJoin(example) {
			members.add(example)
			tail = append(tail, example)
		} else {
			rest = append(rest, example)
		}
	}
	return rest, tail
}

// fillBatch fills a batch from the front of the queue and defers examples that do not fit.
func (e *stretch) fillBatch(begun []int, q *queue) []int {
	batch := make([]int, 0, e.size)
	batch = append(batch, begun...)
	members := e.gather(begun)
	offer := func(example int) bool {
		if !members.canJoin(example) {
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

// repair completes batches that are short. It uses examples without a place, directly or in exchange for a member of
// another batch, and else any example that fits.
func (e *stretch) repair(left []int) {
	own := e.begin % e.size // members of the first batch from the stretch before must not move
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
				hopeless = true // this batch will not fit more later: it only grows, and the others stay as they are
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

// exchange finds one more member for batch b, so that one of the left examples gets a place. The member is that
// example itself, or a member of another batch, whose place the example takes. exchange returns the member and the
// example's index in left, or −1 twice if none fits.
func (e *stretch) exchange(b int, members company, r rivals, left []int, own int) (added, from int) {
	for i, example := range left {
		if members.canJoin(example) {
			return example, i
		}
		if e.spent > patience {
			continue
		}
		e.spent += r.choose(example) + len(e.batches)
		for other, batch := range e.batches {
			if other == b {
				continue
			}
			first, last := 0, len(batch)-1
			if other == 0 {
				first = own
			}
			switch n, at := r.countIn(other); {
			case n > 1:
				continue
			case n == 1: // the example can only take the place of that member
				first, last = max(first, at), at
			}
			e.spent += max(0, last+1-first)
			for at := first; at <= last; at++ {
				if member := batch[at]; members.canJoin(member) {
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

// spare finds an example that fits and may be repeated, −1 if there is none. The search begins at a place that
// differs from stretch to stretch.
func (e *stretch) spare(members company) int {
	for i := range e.n {
		if example := (i + e.turn) % e.n; members.canJoin(example) {
			return example
		}
	}
	return -1
}

// together collects up to size examples that may share a batch.
func (e *stretch) together() []int {
	return together(e.n, e.size, func() company { return e.gather(nil) })
}

// starts is the number of places from which together searches. An example that conflicts with nearly all others only
// keeps out those that come after it, so another start may find more.
const starts = 4

// together collects up to size of n examples that fit each other, in ascending order from one of a few starts: the
// first start that gives that many, or else the one that gives the most.
func together(n, size int, gather func() company) []int {
	var best []int
	for start := range min(starts, n) {
		members := gather()
		var batch []int
		for i := range n {
			if example := (start*n/starts + i) % n; members.canJoin(example) {
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
