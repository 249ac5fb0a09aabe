package search

import "math"

// toHalf rounds a weight to the nearest float16, ties to even. A weight above 0 that is below the least float16 becomes
// the least float16, so that it stays above 0. The weight must be at most maxHalf.
func toHalf(weight float32) uint16 {
	const least, normal = 0x1p-24, 0x1p-14
	switch {
	case weight < least:
		return 1
	case weight < normal:
		return uint16(math.RoundToEven(float64(weight) / least))
	}
	bits := math.Float32bits(weight)
	bits += 0xfff + bits>>13&1 // a carry correctly raises the exponent
	return uint16(bits>>13 - (127-15)<<10)
}

// maxHalf is the largest float16.
const maxHalf = 65504

// fromHalf converts a finite, non-negative float16 to float32. The shift moves the exponent to its place in a float32;
// the factor, a power of two, corrects its bias and is exact.
func fromHalf(half uint16) float32 { return math.Float32frombits(uint32(half)<<13) * 0x1p112 }
