//go:build amd64 && goexperiment.simd

package search

import (
	"math/bits"
	"simd/archsimd"
)

// level is what this CPU offers: 512 or 256 bits, or 0.
var level = func() int {
	switch {
	case archsimd.X86.AVX512():
		return 512
	case archsimd.X86.AVX2():
		return 256
	}
	return 0
}()

// passOver is passOverPlain. Sums are not negative, so their bits order as integers do.
func passOver(sums []float32, worst uint32) int {
	n := 0
	switch level {
	case 512:
		most := archsimd.BroadcastInt32x16(int32(worst))
		for ; len(sums) >= n+16; n += 16 {
			above := archsimd.LoadFloat32x16Array((*[16]float32)(sums[n : n+16])).AsInt32x16().Greater(most).ToBits()
			if above != 0 {
				return n + bits.TrailingZeros16(above)&^(group-1)
			}
		}
	case 256:
		most := archsimd.BroadcastInt32x8(int32(worst))
		for ; len(sums) >= n+8; n += 8 {
			if archsimd.LoadFloat32x8Array((*[8]float32)(sums[n:n+8])).AsInt32x8().Greater(most).ToBits() != 0 {
				return n
			}
		}
	}
	return n + passOverPlain(sums[n:], worst)
}
