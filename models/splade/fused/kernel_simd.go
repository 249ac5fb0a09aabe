//go:build amd64 && goexperiment.simd

package fused

import "simd/archsimd"

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

// wide reports whether the CPU has the registers for tiles of wideRows rows and wideTokens tokens.
func wide() bool { return level >= 512 }

// max32 pools a group of 32 rows, [dim, 32], over a panel of 8 tokens. Each sum takes the dimensions in the order in
// which max4 does.
func (p panel) max32(rows []float32, best *[wideRows]float32, at *[wideRows]int32) {
	raise32x8(&rows[0], &p.data[0], len(rows)/wideRows, p.first, best, at)
}

// raise32x8 raises best to the products of 32 rows, [dim, 32], with 8 tokens, [dim, 8], the first of which has the
// given number, and notes in at which token has raised it: the first of equal ones. A NaN stays.
//
//go:noescape
func raise32x8(rows, tokens *float32, dim, first int, best *[wideRows]float32, at *[wideRows]int32)

// max4 pools a group of four rows, [dim, 4], over the panel. Like all vector code here it clears the upper halves of
// the registers at its end: Go's own float32 code is SSE, which is slow while upper halves are in use.
func (p panel) max4(rows []float32, best *[4]float32, at *[4]int32) {
	if level < 256 {
		p.max4Plain(rows, best, at)
		return
	}
	p.max4x8(rows, best, at)
	archsimd.ClearAVXUpperBits()
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
