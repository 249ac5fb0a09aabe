//go:build amd64 && goexperiment.simd

package search

import "simd/archsimd"

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

// compare is comparePlain. Sums are not negative, so their bits have the same order as integers.
func compare(above []uint64, sums []float32, worst uint32) {
	switch level {
	case 512:
		most := archsimd.BroadcastInt32x16(int32(worst))
		for g := range above {
			s := (*[group]float32)(sums[g*group:])
			a := archsimd.LoadFloat32x16(s[:16]).AsInt32x16().Greater(most).ToBits()
			b := archsimd.LoadFloat32x16(s[16:32]).AsInt32x16().Greater(most).ToBits()
			c := archsimd.LoadFloat32x16(s[32:48]).AsInt32x16().Greater(most).ToBits()
			d := archsimd.LoadFloat32x16(s[48:]).AsInt32x16().Greater(most).ToBits()
			above[g] = uint64(a) | uint64(b)<<16 | uint64(c)<<32 | uint64(d)<<48
		}
	case 256:
		most := archsimd.BroadcastInt32x8(int32(worst))
		for g := range above {
			var set uint64
			for i := 0; i < group; i += 8 {
				part := archsimd.LoadFloat32x8(sums[g*group+i:]).AsInt32x8()
				set |= uint64(part.Greater(most).ToBits()) << i
			}
			above[g] = set
		}
	default:
		comparePlain(above, sums, worst)
		return
	}
	// Go's own float32 code is SSE, which is slow while AVX code has left the upper halves of registers in use:
	// without this, add takes twice the time until other code clears them.
	archsimd.ClearAVXUpperBits()
}
