package fused

import "math"

// fma is x·y + z with one rounding to float64 and one to float32. A vector
// unit's fused operation rounds once; the two differ only where the float64
// result lies exactly between two float32, so builds with and without vector
// instructions are close but not promised to be equal.
func fma(x, y, z float32) float32 {
	return float32(math.FMA(float64(x), float64(y), float64(z)))
}

// axpyPlain adds a·x to y.
func axpyPlain(a float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = fma(a, v, y[i])
	}
}
