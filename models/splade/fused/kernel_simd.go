//go:build amd64 && goexperiment.simd

package fused

import (
	mathbits "math/bits"
	"simd/archsimd"
)

// levelBytes is a level of 512 bits with products of bytes (AVX512_VNNI).
const levelBytes = 513

// level is what this CPU offers, 0, 256, 512 or levelBytes: fixed for the life of
// a process, so that a run's bits cannot depend on anything but the machine.
var level = func() int {
	switch {
	case archsimd.X86.AVX512() && archsimd.X86.AVX512VNNI():
		return levelBytes
	case archsimd.X86.AVX512():
		return 512
	case archsimd.X86.AVX2() && archsimd.X86.FMA():
		return 256
	}
	return 0
}()

// Vector says whether this build and CPU use vector instructions.
func Vector() bool { return level > 0 }

// max8 pools two groups of four rows, [2, dim, 4], over a panel of 32 tokens, if the CPU has the registers for it:
// each sum is that of max4, in the same order.
func (p panel) max8(rows []float32, best *[8]float32, at *[8]int32) bool {
	if level < 512 || p.width != 32 {
		return false
	}
	var sums [16][16]float32
	floats8x32(&p.data[0], &rows[0], &rows[len(rows)/2], len(rows)/8, &sums)
	for r := range 8 {
		p.merge(archsimd.LoadFloat32x16Array(&sums[2*r]), archsimd.LoadFloat32x16Array(&sums[2*r+1]), &best[r], &at[r])
	}
	archsimd.ClearAVXUpperBits()
	return true
}

// floats8x32 writes the products of 32 tokens, [dim, 32], with two groups of four rows, [dim, 4]: two vectors per row.
//
//go:noescape
func floats8x32(tokens, first, second *float32, dim int, sums *[16][16]float32)

// max4 pools a group of four rows, [dim, 4], over the panel. Like all vector code here it clears the upper halves of
// the registers at its end: Go's own float32 code is SSE, which is slow while upper halves are in use.
func (p panel) max4(rows []float32, best *[4]float32, at *[4]int32) {
	switch {
	case level >= 512 && p.width == 32:
		p.max4x32(rows, best, at)
	case level >= 512:
		p.max4x16(rows, best, at)
	case level == 256:
		p.max4x8(rows, best, at)
	default:
		p.max4Plain(rows, best, at)
		return
	}
	archsimd.ClearAVXUpperBits()
}

// max4x32 keeps 4 rows × 32 tokens in eight registers.
func (p panel) max4x32(rows []float32, best *[4]float32, at *[4]int32) {
	var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Float32x16
	for data := p.data; len(data) >= 32 && len(rows) >= 4; data, rows = data[32:], rows[4:] {
		h0 := archsimd.LoadFloat32x16Array((*[16]float32)(data[:16]))
		h1 := archsimd.LoadFloat32x16Array((*[16]float32)(data[16:32]))
		w := archsimd.BroadcastFloat32x16(rows[0])
		a0, a1 = h0.MulAdd(w, a0), h1.MulAdd(w, a1)
		w = archsimd.BroadcastFloat32x16(rows[1])
		b0, b1 = h0.MulAdd(w, b0), h1.MulAdd(w, b1)
		w = archsimd.BroadcastFloat32x16(rows[2])
		c0, c1 = h0.MulAdd(w, c0), h1.MulAdd(w, c1)
		w = archsimd.BroadcastFloat32x16(rows[3])
		d0, d1 = h0.MulAdd(w, d0), h1.MulAdd(w, d1)
	}
	p.merge(a0, a1, &best[0], &at[0])
	p.merge(b0, b1, &best[1], &at[1])
	p.merge(c0, c1, &best[2], &at[2])
	p.merge(d0, d1, &best[3], &at[3])
}

// max4x16 keeps 4 rows × 16 tokens in four registers.
func (p panel) max4x16(rows []float32, best *[4]float32, at *[4]int32) {
	var a, b, c, e archsimd.Float32x16
	for data := p.data; len(data) >= 16 && len(rows) >= 4; data, rows = data[16:], rows[4:] {
		h := archsimd.LoadFloat32x16Array((*[16]float32)(data[:16]))
		a = h.MulAdd(archsimd.BroadcastFloat32x16(rows[0]), a)
		b = h.MulAdd(archsimd.BroadcastFloat32x16(rows[1]), b)
		c = h.MulAdd(archsimd.BroadcastFloat32x16(rows[2]), c)
		e = h.MulAdd(archsimd.BroadcastFloat32x16(rows[3]), e)
	}
	p.merge(a, a, &best[0], &at[0])
	p.merge(b, b, &best[1], &at[1])
	p.merge(c, c, &best[2], &at[2])
	p.merge(e, e, &best[3], &at[3])
}

// merge updates the running maximum with the sums of a panel, lowest token first; NaN
// stays. Two comparisons show that most panels cannot raise it.
func (p panel) merge(x, y archsimd.Float32x16, best *float32, at *int32) {
	t := archsimd.BroadcastFloat32x16(*best)
	if x.LessEqual(t).ToBits()&y.LessEqual(t).ToBits() == 1<<16-1 {
		return
	}
	if x.IsNaN().Or(y.IsNaN()).ToBits() != 0 || *best != *best {
		var sums [32]float32
		x.StoreArray((*[16]float32)(sums[:16]))
		y.StoreArray((*[16]float32)(sums[16:]))
		mergeSums(sums[:p.count], p.first, best, at)
		return
	}
	m := x.Max(y)
	half := m.GetLo().Max(m.GetHi())
	quarter := half.GetLo().Max(half.GetHi())
	var q [4]float32
	quarter.StoreArray(&q)
	top := q[0]
	for _, z := range q[1:] {
		if z > top {
			top = z
		}
	}
	t = archsimd.BroadcastFloat32x16(top)
	hit := uint32(x.Equal(t).ToBits()) | uint32(y.Equal(t).ToBits())<<16
	*best, *at = top, int32(p.first+mathbits.TrailingZeros32(hit))
}

// max4x8 keeps 4 rows × 16 tokens in eight 256-bit registers.
func (p panel) max4x8(rows []float32, best *[4]float32, at *[4]int32) {
	for col := 0; col < p.count; col += 16 {
		var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Float32x8
		data := p.data[col:]
		for w4 := rows; len(data) >= 16 && len(w4) >= 4; w4 = w4[4:] {
			h0 := archsimd.LoadFloat32x8Array((*[8]float32)(data[:8]))
			h1 := archsimd.LoadFloat32x8Array((*[8]float32)(data[8:16]))
			w := archsimd.BroadcastFloat32x8(w4[0])
			a0, a1 = h0.MulAdd(w, a0), h1.MulAdd(w, a1)
			w = archsimd.BroadcastFloat32x8(w4[1])
			b0, b1 = h0.MulAdd(w, b0), h1.MulAdd(w, b1)
			w = archsimd.BroadcastFloat32x8(w4[2])
			c0, c1 = h0.MulAdd(w, c0), h1.MulAdd(w, c1)
			w = archsimd.BroadcastFloat32x8(w4[3])
			d0, d1 = h0.MulAdd(w, d0), h1.MulAdd(w, d1)
			data = data[min(p.width, len(data)):]
		}
		for r, pair := range [4][2]archsimd.Float32x8{{a0, a1}, {b0, b1}, {c0, c1}, {d0, d1}} {
			var sums [16]float32
			pair[0].StoreArray((*[8]float32)(sums[:8]))
			pair[1].StoreArray((*[8]float32)(sums[8:]))
			mergeSums(sums[:min(16, p.count-col)], p.first+col, &best[r], &at[r])
		}
	}
}

// axpy adds a·x to y.
func axpy(a float32, x, y []float32) {
	n := 0
	y = y[:len(x)]
	switch {
	case level >= 512:
		w := archsimd.BroadcastFloat32x16(a)
		for ; n+16 <= len(x); n += 16 {
			yy := (*[16]float32)(y[n : n+16])
			w.MulAdd(archsimd.LoadFloat32x16Array((*[16]float32)(x[n:n+16])), archsimd.LoadFloat32x16Array(yy)).StoreArray(yy)
		}
	case level == 256:
		w := archsimd.BroadcastFloat32x8(a)
		for ; n+8 <= len(x); n += 8 {
			yy := (*[8]float32)(y[n : n+8])
			w.MulAdd(archsimd.LoadFloat32x8Array((*[8]float32)(x[n:n+8])), archsimd.LoadFloat32x8Array(yy)).StoreArray(yy)
		}
	}
	if level > 0 {
		archsimd.ClearAVXUpperBits()
	}
	axpyPlain(a, x[n:], y[n:])
}
