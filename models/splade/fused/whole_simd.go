//go:build amd64 && goexperiment.simd

package fused

import (
	"math"
	"simd/archsimd"
)

// max4 raises best by the products with a group of four rows, [ceil(dim/2), 4].
func (p wholePanel) max4(rows []pair, best *[4][16]int32) {
	switch {
	case level == 512 && p.width == 32:
		p.max4x32(rows, best)
	case level == 512:
		p.max4x16(rows, best)
	case level == 256:
		p.max4x8(rows, best)
	default:
		p.max4Plain(rows, best)
	}
}

// pair is two neighbouring int16 elements of a row. Only its bits count: a
// broadcast reads from a float register, and a way round by an integer one
// costs as much as the products.
type pair = float32

func newPair(lo, hi int16) pair {
	return math.Float32frombits(uint32(uint16(lo)) | uint32(uint16(hi))<<16)
}

func elements(p pair) (lo, hi int16) {
	w := math.Float32bits(p)
	return int16(w), int16(w >> 16)
}

func pairs512(p pair) archsimd.Int16x32 { return archsimd.BroadcastFloat32x16(p).AsInt16x32() }

func pairs256(p pair) archsimd.Int16x16 { return archsimd.BroadcastFloat32x8(p).AsInt16x16() }

// max4x32 keeps 4 rows × 32 tokens in eight registers.
func (p wholePanel) max4x32(rows []pair, best *[4][16]int32) {
	var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Int32x16
	for data := p.data; len(data) >= 64 && len(rows) >= 4; data, rows = data[64:], rows[4:] {
		h0 := archsimd.LoadInt16x32Array((*[32]int16)(data[:32]))
		h1 := archsimd.LoadInt16x32Array((*[32]int16)(data[32:64]))
		w := pairs512(rows[0])
		a0, a1 = a0.Add(h0.DotProductPairs(w)), a1.Add(h1.DotProductPairs(w))
		w = pairs512(rows[1])
		b0, b1 = b0.Add(h0.DotProductPairs(w)), b1.Add(h1.DotProductPairs(w))
		w = pairs512(rows[2])
		c0, c1 = c0.Add(h0.DotProductPairs(w)), c1.Add(h1.DotProductPairs(w))
		w = pairs512(rows[3])
		d0, d1 = d0.Add(h0.DotProductPairs(w)), d1.Add(h1.DotProductPairs(w))
	}
	raise512(&best[0], a0.Max(a1))
	raise512(&best[1], b0.Max(b1))
	raise512(&best[2], c0.Max(c1))
	raise512(&best[3], d0.Max(d1))
}

// max4x16 keeps 4 rows × 16 tokens in four registers.
func (p wholePanel) max4x16(rows []pair, best *[4][16]int32) {
	var a, b, c, e archsimd.Int32x16
	for data := p.data; len(data) >= 32 && len(rows) >= 4; data, rows = data[32:], rows[4:] {
		h := archsimd.LoadInt16x32Array((*[32]int16)(data[:32]))
		a = a.Add(h.DotProductPairs(pairs512(rows[0])))
		b = b.Add(h.DotProductPairs(pairs512(rows[1])))
		c = c.Add(h.DotProductPairs(pairs512(rows[2])))
		e = e.Add(h.DotProductPairs(pairs512(rows[3])))
	}
	raise512(&best[0], a)
	raise512(&best[1], b)
	raise512(&best[2], c)
	raise512(&best[3], e)
}

func raise512(best *[16]int32, x archsimd.Int32x16) {
	archsimd.LoadInt32x16Array(best).Max(x).StoreArray(best)
}

// max4x8 keeps 4 rows × 16 tokens in eight 256-bit registers.
func (p wholePanel) max4x8(rows []pair, best *[4][16]int32) {
	for col := 0; col < p.width; col += 16 {
		var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Int32x8
		data := p.data[2*col:]
		for w4 := rows; len(data) >= 32 && len(w4) >= 4; w4 = w4[4:] {
			h0 := archsimd.LoadInt16x16Array((*[16]int16)(data[:16]))
			h1 := archsimd.LoadInt16x16Array((*[16]int16)(data[16:32]))
			w := pairs256(w4[0])
			a0, a1 = a0.Add(h0.DotProductPairs(w)), a1.Add(h1.DotProductPairs(w))
			w = pairs256(w4[1])
			b0, b1 = b0.Add(h0.DotProductPairs(w)), b1.Add(h1.DotProductPairs(w))
			w = pairs256(w4[2])
			c0, c1 = c0.Add(h0.DotProductPairs(w)), c1.Add(h1.DotProductPairs(w))
			w = pairs256(w4[3])
			d0, d1 = d0.Add(h0.DotProductPairs(w)), d1.Add(h1.DotProductPairs(w))
			data = data[min(2*p.width, len(data)):]
		}
		raise256(&best[0], a0, a1)
		raise256(&best[1], b0, b1)
		raise256(&best[2], c0, c1)
		raise256(&best[3], d0, d1)
	}
}

func raise256(best *[16]int32, x, y archsimd.Int32x8) {
	lo, hi := (*[8]int32)(best[:8]), (*[8]int32)(best[8:])
	archsimd.LoadInt32x8Array(lo).Max(x).StoreArray(lo)
	archsimd.LoadInt32x8Array(hi).Max(y).StoreArray(hi)
}
