// Package sparsity measures how sparse a set of vectors is: active dims (mean terms per vector, L0) and
// the FLOPS metric, the expected number of products when a random query meets a random document.
package sparsity

// Counter counts vectors and, for each term, the vectors that have it. The zero value is ready. It is
// not safe for concurrent use: give each goroutine a Counter and Merge them.
type Counter struct {
	vectors   int64
	active    int64
	frequency []int64 // by term
}

// Add counts one vector by its terms with a weight other than 0; they must differ from each other.
func (c *Counter) Add(terms []uint32) {
	c.vectors++
	c.active += int64(len(terms))
	for _, term := range terms {
		c.grow(int(term) + 1)
		c.frequency[term]++
	}
}

func (c *Counter) grow(n int) {
	if n > len(c.frequency) {
		c.frequency = append(c.frequency, make([]int64, n-len(c.frequency))...)
	}
}

// Merge adds what another counter counted.
func (c *Counter) Merge(other *Counter) {
	c.vectors += other.vectors
	c.active += other.active
	c.grow(len(other.frequency))
	for term, n := range other.frequency {
		c.frequency[term] += n
	}
}

// N is the number of vectors.
func (c *Counter) N() int { return int(c.vectors) }

// Mean is the mean number of active terms, 0 without vectors.
func (c *Counter) Mean() float64 {
	if c.vectors == 0 {
		return 0
	}
	return float64(c.active) / float64(c.vectors)
}

// Frequency is the number of vectors that have the term.
func (c *Counter) Frequency(term uint32) int {
	if uint64(term) >= uint64(len(c.frequency)) {
		return 0
	}
	return int(c.frequency[term])
}

// Used is the number of terms that at least one vector has.
func (c *Counter) Used() int {
	used := 0
	for _, n := range c.frequency {
		if n > 0 {
			used++
		}
	}
	return used
}

// FLOPS is the sum over terms of the share of queries that have the term times the share of documents that
// have it; 0 if one side is empty. Times the number of documents it is the mean number of postings that
// a query touches.
func FLOPS(queries, documents *Counter) float64 {
	if queries.vectors == 0 || documents.vectors == 0 {
		return 0
	}
	sum := 0.0
	for term := range min(len(queries.frequency), len(documents.frequency)) {
		sum += float64(queries.frequency[term]) / float64(queries.vectors) *
			(float64(documents.frequency[term]) / float64(documents.vectors))
	}
	return sum
}
