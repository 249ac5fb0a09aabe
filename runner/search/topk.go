package search

import (
	"math"
	"slices"
)

// topK keeps the k best documents. A positive float32's bits order as its value does, so that score and
// document fit into one integer: the score's bits above the complement of the number, of which the smaller
// wins a tie. Candidates gather in a buffer, which is cut to the best k whenever it is full: that takes less
// time than a heap, as most of the early candidates soon fall out again.
type topK struct {
	k     int
	keys  []uint64
	n     int    // keys in use
	worst uint32 // bits of the score that a candidate must exceed
}

// group is how many sums are looked at together; most groups have no candidate and are passed over.
const group = 8

func (t *topK) reset(k int) {
	t.k, t.n, t.worst = k, 0, 0
	if size := max(4*k, 1024) + group; len(t.keys) < size {
		t.keys = make([]uint64, size)
	}
}

// offer takes the sums of the documents from start on. Calls come in ascending order of start.
func (t *topK) offer(sums []float32, start uint32) {
	if t.n == 0 {
		if t.worst = t.guess(sums); t.worst > 0 {
			t.gather(sums, start)
			if t.n >= t.k {
				return // k documents are above the guess, so no other can be among the best k
			}
			t.n, t.worst = 0, 0
		}
	}
	t.gather(sums, start)
}

// guess is the bits of a score that somewhat more than k of the sums probably exceed, so that the first
// documents are not all candidates; 0 where a guess does not pay. It looks at a sample, evenly spread, which
// has about k/stride of the best k.
func (t *topK) guess(sums []float32) uint32 {
	const leastBest, mostBest = 8, 32 // of k in the sample
	stride := max(t.k/mostBest, len(sums)/len(t.keys)+1)
	if t.k/stride < leastBest || len(sums) < 8*t.k {
		return 0
	}
	sample := t.keys[:0]
	for i := stride / 2; i < len(sums); i += stride {
		sample = append(sample, uint64(math.Float32bits(sums[i]))<<32|uint64(i))
	}
	expected := float64(t.k) / float64(stride)
	rank := int(expected + 3*math.Sqrt(expected)) // three standard deviations more
	best(sample, rank)
	return uint32(slices.Min(sample[:rank]) >> 32)
}

// gather appends the candidates among the sums of the documents from start on.
func (t *topK) gather(sums []float32, start uint32) {
	for {
		n := passOver(sums, t.worst)
		sums, start = sums[n:], start+uint32(n)
		if len(sums) < group {
			break
		}
		t.take(sums[:group], start)
		sums, start = sums[group:], start+group
	}
	t.take(sums, start)
}

// passOverPlain is the number of sums, a multiple of group, before the first group that has one above worst,
// or of all whole groups.
func passOverPlain(sums []float32, worst uint32) int {
	n := 0
	for ; len(sums) >= group; sums = sums[group:] {
		g := (*[group]float32)(sums)
		most := max(
			max(math.Float32bits(g[0]), math.Float32bits(g[1]), math.Float32bits(g[2]), math.Float32bits(g[3])),
			max(math.Float32bits(g[4]), math.Float32bits(g[5]), math.Float32bits(g[6]), math.Float32bits(g[7])))
		if most > worst {
			break
		}
		n += group
	}
	return n
}

// take appends the candidates among at most group sums. A document whose score only equals the worst loses:
// its number is larger than those of the documents before it.
func (t *topK) take(sums []float32, start uint32) {
	keys, n := t.keys[t.n:t.n+group], 0
	for i, sum := range sums {
		bits := math.Float32bits(sum)
		keys[n&(group-1)] = uint64(bits)<<32 | uint64(^(start + uint32(i)))
		// 1 if bits > worst, without a branch that would be mispredicted half of the time.
		n += int((uint64(t.worst) - uint64(bits)) >> 63)
	}
	t.n += n
	if t.n+group > len(t.keys) {
		t.cut()
	}
}

// cut drops all but the best k.
func (t *topK) cut() {
	if t.n <= t.k {
		return
	}
	best(t.keys[:t.n], t.k)
	t.n = t.k
	least := t.keys[0]
	for _, key := range t.keys[:t.n] {
		least = min(least, key)
	}
	t.worst = uint32(least >> 32)
}

// best moves the k largest keys to the front; 0 < k < len(keys). Keys differ from each other.
func best(keys []uint64, k int) {
	from, to := 0, len(keys)
	for to-from > 12 {
		a, b, c := keys[from], keys[from+(to-from)/2], keys[to-1]
		pivot := max(min(a, b), min(max(a, b), c)) // the median
		i, j := from, to-1
		for i <= j {
			for keys[i] > pivot {
				i++
			}
			for keys[j] < pivot {
				j--
			}
			if i <= j {
				keys[i], keys[j] = keys[j], keys[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			to = j + 1
		case k >= i:
			from = i
		default:
			return
		}
	}
	slices.SortFunc(keys[from:to], descending)
}

func descending(a, b uint64) int {
	if a > b {
		return -1
	}
	if a < b {
		return 1
	}
	return 0
}

func (t *topK) hits(x *Index) []Hit {
	t.cut()
	found := t.keys[:t.n]
	slices.Sort(found)
	hits := make([]Hit, len(found))
	for i, key := range found {
		doc := ^uint32(key)
		hits[len(hits)-1-i] = Hit{
			Doc:   int32(x.positions[doc]),
			ID:    x.ids[doc],
			Score: math.Float32frombits(uint32(key >> 32)),
		}
	}
	return hits
}
