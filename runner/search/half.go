package search

import "math"

// toHalf rounds a weight to the nearest float16, of two equally near to the even one. A weight above 0 stays above 0:
// below the least float16 it becomes that. The weight is at most maxHalf.
func toHalf(weight float32) uint16 {
	const least, normal = 0x1p-24, 0x1p-14
	switch {
	case weight < least:
		return 1
	case weight < normal:
		return uint16(math.RoundToEven(float64(weight) / least))
	}
	bits := math.Float32bits(weight)
	bits += 0xfff + bits>>13&1 // a carry goes on into the exponent, as it should
	return uint16(bits>>13 - (127-15)<<10)
}

// maxHalf is the largest weight that a float16 holds.
const maxHalf = 65504

// fromHalf is the float32 of a float16 that is not negative and finite. The shift puts the exponent where a float32
// has it; the factor, a power of two, mends its bias and is exact.
func fromHalf(half uint16) float32 { return math.Float32frombits(uint32(half)<<13) * 0x1p112 }
