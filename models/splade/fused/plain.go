package fused

import "math"

var negativeInfinity = float32(math.Inf(-1))

// fma is x·y + z rounded once, like a vector unit's fused operation, so that builds
// with and without vector instructions give the same bits. The product is exact in
// float64. The sum is rounded in float64 first, which matters only if the result is
// halfway between two float32 values or subnormal. In those cases it is rounded to
// odd, so that the second rounding sees on which side the exact sum was.
func fma(x, y, z float32) float32 {
	p, a := float64(x)*float64(y), float64(z)
	s := p + a
	bits := math.Float64bits(s)
	if bits&(1<<29-1) != 1<<28 && math.Abs(s) >= 0x1p-126 {
		return float32(s)
	}
	b := s - p
	lost := (p - (s - b)) + (a - b)
	switch {
	case bits&1 == 1 || !(lost < 0 || lost > 0):
	case (lost > 0) == (s > 0):
		bits++
	default:
		bits--
	}
	return float32(math.Float64frombits(bits))
}

// axpyPlain adds a·x to y.
func axpyPlain(a float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = fma(a, v, y[i])
	}
}
