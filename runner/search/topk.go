package search

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// topK keeps the k best documents. The bits of positive float32 numbers have the order of their values, so score and
// document fit into one integer, a key: the score's bits above the document's number. Candidates gather in a buffer,
// which is cut to the best k whenever it is full. Among equal scores the smaller rank wins; ranks are looked up only
// where a cut divides equal scores, and at the end.
type topK struct {
	k     int
	ranks []uint32 // by document
	keys  []uint64
	n     int    // keys in use
	least uint32 // bits of the least score that a candidate has, at least 1
	last  uint32 // a candidate with that score must have a smaller rank
	above [chunk / group]uint64
}

const (
	// group is the number of sums that are compared with the worst at once, one bit each. Most groups have no candidate.
	group = 64
	// chunk is the number of sums that are compared before their candidates are added.
	chunk = 64 * group
)

func (t *topK) reset(k int, ranks []uint32) {
	t.k, t.ranks, t.n, t.least, t.last = k, ranks, 0, 1, math.MaxUint32
	if size := max(4*k, 1024) + 1; len(t.keys) < size {
		t.keys = make([]uint64, size)
	}
}

// offer takes the sums of the documents from start on. Each document is offered once.
func (t *topK) offer(sums []float32, start uint32) {
	if t.n == 0 {
		if t.least = max(1, t.guess(sums)); t.least > 1 {
			t.gather(sums, start)
			if t.n >= t.k {
				return // k documents have at least the guessed score, so no other can be among the best k
			}
			t.n, t.least, t.last = 0, 1, math.MaxUint32
		}
	}
	t.gather(sums, start)
}

// guess returns the bits of a score that probably somewhat more than k of the sums reach, so that not all of the
// first documents are candidates; 0 if a guess does not pay. It looks at an evenly spread sample, which has about
// k/stride of the best k.
func (t *topK) guess(sums []float32) uint32 {
	const leastBest, mostBest = 8, 32 // of k in the sample
	stride := max(t.k/mostBest, len(sums)/len(t.keys)+1)
	if t.k/stride < leastBest || len(sums) < 8*t.k {
		return 0
	}
	sample := t.keys[:0]
	for i := stride / 2; i < len(sums); i += stride {
		sample = append(sample, key(sums[i], 0))
	}
	expected := float64(t.k) / float64(stride)
	score, _ := kthLargest(sample, int(expected+3*math.Sqrt(expected))) // three standard deviations more
	return score
}

func key(score float32, doc uint32) uint64 { return uint64(math.Float32bits(score))<<32 | uint64(doc) }

// gather appends the candidates among the sums of the documents from start on.
func (t *topK) gather(sums []float32, start uint32) {
	for len(sums) >= group {
		part := sums[:min(chunk, len(sums)/group*group)]
		above := t.above[:len(part)/group]
		compare(above, part, t.least-1)
		for g, set := range above {
			for ; set != 0; set &= set - 1 {
				i := g*group + bits.TrailingZeros64(set)
				t.take(part[i], start+uint32(i))
			}
		}
		sums, start = sums[len(part):], start+uint32(len(part))
	}
	for i, sum := range sums {
		t.take(sum, start+uint32(i))
	}
}

// take adds a candidate.
func (t *topK) take(score float32, doc uint32) {
	// The least score may have grown since the score was compared.
	if b := math.Float32bits(score); b < t.least || b == t.least && t.ranks[doc] >= t.last {
		return
	}
	t.keys[t.n] = key(score, doc)
	if t.n++; t.n == len(t.keys) {
		t.cut()
	}
}

// comparePlain sets bit i of above[g] if sum 64g + i exceeds worst. sums has 64 elements per element of above.
func comparePlain(above []uint64, sums []float32, worst uint32) {
	for g := range above {
		var set uint64
		for i, sum := range sums[g*group : (g+1)*group] {
			set |= (uint64(worst) - uint64(math.Float32bits(sum))) >> 63 << i
		}
		above[g] = set
	}
}

// cut drops all but the best k.
func (t *topK) cut() {
	if t.n <= t.k {
		return
	}
	score, equal := kthLargest(t.keys[:t.n], t.k)
	better, tied := 0, t.n
	for i := 0; i < tied; { // better ones to the front, equal ones to the back, the others between
		switch this := uint32(t.keys[i] >> 32); {
		case this > score:
			t.keys[better], t.keys[i] = t.keys[i], t.keys[better]
			better++
			i++
		case this == score:
			tied--
			t.keys[tied], t.keys[i] = t.keys[i], t.keys[tied]
		default:
			i++
		}
	}
	ties := t.keys[tied:t.n]
	for i, key := range ties {
		ties[i] = uint64(^t.ranks[uint32(key)])<<32 | uint64(uint32(key))
	}
	worst, _ := kthLargest(ties, equal) // all ranks differ
	n := better
	for _, tie := range ties {
		if uint32(tie>>32) >= worst {
			t.keys[n] = uint64(score)<<32 | uint64(uint32(tie))
			n++
		}
	}
	t.n, t.least, t.last = n, score, ^worst
}

// compareRanks orders keys of equal score.
func (t *topK) compareRanks(a, b uint64) int {
	return cmp.Compare(t.ranks[uint32(a)], t.ranks[uint32(b)])
}

// kthLargest returns the k-th largest score of the keys, 0 < k ≤ len(keys), and the number of the best k that have it.
// It finds the score byte by byte: the counts of a byte's values show which value the k-th has.
func kthLargest(keys []uint64, k int) (score uint32, equal int) {
	for shift := 56; shift >= 32; shift -= 8 {
		var counts [256]int
		for _, key := range keys {
			if uint32(key>>shift>>8) == score {
				counts[byte(key>>shift)]++
			}
		}
		value := 255
		for ; k > counts[value]; value-- {
			k -= counts[value]
		}
		score = score<<8 | uint32(value)
	}
	return score, k
}

// sortKeys returns the keys by descending score. It is a radix sort of each key's distance from the best: byte by byte
// from the last, as many bytes as the largest distance has.
func sortKeys(keys, scratch []uint64) []uint64 {
	least, most := uint32(math.MaxUint32), uint32(0)
	for _, key := range keys {
		least, most = min(least, uint32(key>>32)), max(most, uint32(key>>32))
	}
	for shift := 0; shift < 32 && (most-least)>>shift > 0; shift += 8 {
		var places [256]int
		for _, key := range keys {
			places[byte((most-uint32(key>>32))>>shift)]++
		}
		next := 0
		for value, n := range places {
			places[value], next = next, next+n
		}
		for _, key := range keys {
			place := &places[byte((most-uint32(key>>32))>>shift)]
			scratch[*place] = key
			*place++
		}
		keys, scratch = scratch, keys
	}
	return keys
}

func (t *topK) hits(x *Index) []Hit {
	if t.n > len(t.keys)/2 {
		t.cut()
	}
	best := sortKeys(t.keys[:t.n], t.keys[t.n:2*t.n])
	for i := 0; i < len(best); {
		end := i + 1
		for end < len(best) && best[end]>>32 == best[i]>>32 {
			end++
		}
		if end > i+1 {
			slices.SortFunc(best[i:end], t.compareRanks)
		}
		i = end
	}
	hits := make([]Hit, min(t.k, t.n))
	for i := range hits {
		doc := uint32(best[i])
		hits[i] = Hit{Doc: int32(doc), ID: x.ids.at(int(doc)), Score: math.Float32frombits(uint32(best[i] >> 32))}
	}
	return hits
}
