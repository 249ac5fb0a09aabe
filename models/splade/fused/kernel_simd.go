//go:build amd64 && goexperiment.simd

package fused

import (
	"math/bits"
	"simd/archsimd"
)

// level is what this CPU offers: fixed for the life of a process, so that a
// run's bits cannot depend on anything but the machine.
var level = func() int {
	switch {
	case archsimd.X86.AVX512():
		return 512
	case archsimd.X86.AVX2() && archsimd.X86.FMA():
		return 256
	}
	return 0
}()

// Vector says whether this build and CPU use vector instructions.
func Vector() bool { return level > 0 }

// max4 pools four rows over the panel. Rows beyond the first are consecutive.
func (p panel) max4(rows []float32, dim int, best *[4]float32, at *[4]int32, wantArg bool) {
	var sums [4][panelWidth]float32
	switch {
	case level == 512 && p.width == 32:
		p.max4x32(rows, dim, best, at)
		return
	case level == 512:
		p.dot4x16(rows, dim, &sums)
	case level == 256:
		for c := 0; c < p.width; c += 16 {
			p.dot4x8x2(rows, dim, c, &sums)
		}
	default:
		for r := range 4 {
			p.max1(rows[r*dim:(r+1)*dim], &best[r], &at[r])
		}
		return
	}
	for r := range 4 {
		take(sums[r][:p.count], p.first, &best[r], &at[r])
	}
}

// max4x32 keeps 4 rows × 32 tokens in eight registers.
func (p panel) max4x32(rows []float32, dim int, best *[4]float32, at *[4]int32) {
	r0, r1, r2, r3 := rows[:dim], rows[dim:2*dim], rows[2*dim:3*dim], rows[3*dim:4*dim]
	var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Float32x16
	data := p.data[:32*dim]
	for d := range r0 {
		h := (*[32]float32)(data[32*d : 32*d+32])
		h0 := archsimd.LoadFloat32x16Array((*[16]float32)(h[:16]))
		h1 := archsimd.LoadFloat32x16Array((*[16]float32)(h[16:]))
		w := archsimd.BroadcastFloat32x16(r0[d])
		a0, a1 = h0.MulAdd(w, a0), h1.MulAdd(w, a1)
		w = archsimd.BroadcastFloat32x16(r1[d])
		b0, b1 = h0.MulAdd(w, b0), h1.MulAdd(w, b1)
		w = archsimd.BroadcastFloat32x16(r2[d])
		c0, c1 = h0.MulAdd(w, c0), h1.MulAdd(w, c1)
		w = archsimd.BroadcastFloat32x16(r3[d])
		d0, d1 = h0.MulAdd(w, d0), h1.MulAdd(w, d1)
	}
	p.merge(a0, a1, &best[0], &at[0])
	p.merge(b0, b1, &best[1], &at[1])
	p.merge(c0, c1, &best[2], &at[2])
	p.merge(d0, d1, &best[3], &at[3])
}

// merge takes 32 sums into the running maximum, lowest token first; NaN stays.
func (p panel) merge(x, y archsimd.Float32x16, best *float32, at *int32) {
	if nan := x.IsNaN().Or(y.IsNaN()).ToBits(); nan != 0 || *best != *best {
		var sums [32]float32
		x.StoreArray((*[16]float32)(sums[:16]))
		y.StoreArray((*[16]float32)(sums[16:]))
		if *best == *best {
			take(sums[:p.count], p.first, best, at)
		}
		return
	}
	m := x.Max(y)
	half := m.GetLo().Max(m.GetHi())
	quarter := half.GetLo().Max(half.GetHi())
	var q [4]float32
	quarter.StoreArray(&q)
	top := max(max(q[0], q[1]), max(q[2], q[3]))
	if top <= *best {
		return
	}
	t := archsimd.BroadcastFloat32x16(top)
	hit := uint32(x.Equal(t).ToBits()) | uint32(y.Equal(t).ToBits())<<16
	*best, *at = top, int32(p.first+bits.TrailingZeros32(hit))
}

// dot4x16 sums 4 rows × 16 tokens.
func (p panel) dot4x16(rows []float32, dim int, sums *[4][panelWidth]float32) {
	r0, r1, r2, r3 := rows[:dim], rows[dim:2*dim], rows[2*dim:3*dim], rows[3*dim:4*dim]
	var a, b, c, e archsimd.Float32x16
	data := p.data[:16*dim]
	for d := range r0 {
		h := archsimd.LoadFloat32x16Array((*[16]float32)(data[16*d : 16*d+16]))
		a = h.MulAdd(archsimd.BroadcastFloat32x16(r0[d]), a)
		b = h.MulAdd(archsimd.BroadcastFloat32x16(r1[d]), b)
		c = h.MulAdd(archsimd.BroadcastFloat32x16(r2[d]), c)
		e = h.MulAdd(archsimd.BroadcastFloat32x16(r3[d]), e)
	}
	a.StoreArray((*[16]float32)(sums[0][:16]))
	b.StoreArray((*[16]float32)(sums[1][:16]))
	c.StoreArray((*[16]float32)(sums[2][:16]))
	e.StoreArray((*[16]float32)(sums[3][:16]))
}

// dot4x8x2 sums 4 rows × 16 tokens from column c with 256-bit registers.
func (p panel) dot4x8x2(rows []float32, dim, col int, sums *[4][panelWidth]float32) {
	r0, r1, r2, r3 := rows[:dim], rows[dim:2*dim], rows[2*dim:3*dim], rows[3*dim:4*dim]
	var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Float32x8
	for d := range r0 {
		h := (*[16]float32)(p.data[p.width*d+col : p.width*d+col+16])
		h0 := archsimd.LoadFloat32x8Array((*[8]float32)(h[:8]))
		h1 := archsimd.LoadFloat32x8Array((*[8]float32)(h[8:]))
		w := archsimd.BroadcastFloat32x8(r0[d])
		a0, a1 = h0.MulAdd(w, a0), h1.MulAdd(w, a1)
		w = archsimd.BroadcastFloat32x8(r1[d])
		b0, b1 = h0.MulAdd(w, b0), h1.MulAdd(w, b1)
		w = archsimd.BroadcastFloat32x8(r2[d])
		c0, c1 = h0.MulAdd(w, c0), h1.MulAdd(w, c1)
		w = archsimd.BroadcastFloat32x8(r3[d])
		d0, d1 = h0.MulAdd(w, d0), h1.MulAdd(w, d1)
	}
	for r, pair := range [4][2]archsimd.Float32x8{{a0, a1}, {b0, b1}, {c0, c1}, {d0, d1}} {
		pair[0].StoreArray((*[8]float32)(sums[r][col : col+8]))
		pair[1].StoreArray((*[8]float32)(sums[r][col+8 : col+16]))
	}
}

// axpy adds a·x to y.
func axpy(a float32, x, y []float32) {
	n := 0
	y = y[:len(x)]
	switch level {
	case 512:
		w := archsimd.BroadcastFloat32x16(a)
		for ; n+16 <= len(x); n += 16 {
			yy := (*[16]float32)(y[n : n+16])
			w.MulAdd(archsimd.LoadFloat32x16Array((*[16]float32)(x[n:n+16])), archsimd.LoadFloat32x16Array(yy)).StoreArray(yy)
		}
	case 256:
		w := archsimd.BroadcastFloat32x8(a)
		for ; n+8 <= len(x); n += 8 {
			yy := (*[8]float32)(y[n : n+8])
			w.MulAdd(archsimd.LoadFloat32x8Array((*[8]float32)(x[n:n+8])), archsimd.LoadFloat32x8Array(yy)).StoreArray(yy)
		}
	}
	axpyPlain(a, x[n:], y[n:])
}
