package stats

import "math/bits"

// generator is SplitMix64: one addition and three mixing steps a number. It is
// written out here because an interval in a report must not change when a
// library changes how it draws.
type generator struct{ state uint64 }

func (g *generator) next() uint64 {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// index draws one of n indices: the high word of next()·n. Its bias is below
// n/2^64.
func (g *generator) index(n int) int {
	high, _ := bits.Mul64(g.next(), uint64(n))
	return int(high)
}
