//go:build amd64 && goexperiment.simd

package fused

import (
	"math"
	"simd/archsimd"
)

// fastestForm is the form that this CPU multiplies fastest.
func fastestForm() form {
	if level == levelBytes {
		return quads
	}
	return pairs
}

// raise raises the running maxima in lanes to the products with groups of four rows,
// [groups, words, 4].
func (p wholePanel) raise(rows []word, lanes *wholeLanes) {
	words := len(p.data) / p.width
	groups := len(rows) / (4 * words)
	switch {
	case p.form == quads && level == levelBytes && p.width == 32:
		bytes4x32(&p.data[0], &rows[0], words, groups, &lanes[0])
		return
	case p.form == quads && level == levelBytes:
		bytes4x16(&p.data[0], &rows[0], words, groups, &lanes[0])
		return
	case p.form == quads || level == 0:
		p.raisePlain(rows, lanes)
		return
	}
	for g := range groups {
		four, best := rows[g*words*4:(g+1)*words*4], (*[4][16]int32)(lanes[4*g:4*g+4])
		switch {
		case level == 256:
			p.max4x8(four, best)
		case p.width == 32:
			p.max4x32(four, best)
		default:
			p.max4x16(four, best)
		}
	}
	archsimd.ClearAVXUpperBits()
}

// tokens is [words, 32] quads of a panel, rows [groups, words, 4] of a block,
// best [groups, 4].
//
//go:noescape
func bytes4x32(tokens, rows *word, words, groups int, best *[16]int32)

// bytes4x16 is the same for panels of 16 tokens.
//
//go:noescape
func bytes4x16(tokens, rows *word, words, groups int, best *[16]int32)

// tops writes the maximum over the lanes of each of the first n rows to tops.
func (l *wholeLanes) tops(n int, tops *[rowBlock]int32) {
	if level < 512 {
		l.topsPlain(n, tops)
		return
	}
	for r := 0; r < n; r += 4 {
		// Interleaving two registers and taking the maximum halves the number of lanes per row:
		// after two rounds every fourth lane belongs to one row.
		ab, cd := halves(&l[r], &l[r+1]), halves(&l[r+2], &l[r+3])
		x := ab.InterleaveLoGrouped(cd).AsInt32x16().Max(ab.InterleaveHiGrouped(cd).AsInt32x16())
		y := x.GetLo().Max(x.GetHi())
		y.GetLo().Max(y.GetHi()).StoreArray((*[4]int32)(tops[r : r+4]))
	}
	archsimd.ClearAVXUpperBits()
}

// halves interleaves the maxima of neighbouring pairs of lanes of two rows.
func halves(x, y *[16]int32) archsimd.Int64x8 {
	a, b := archsimd.LoadInt32x16Array(x), archsimd.LoadInt32x16Array(y)
	return a.InterleaveLoGrouped(b).Max(a.InterleaveHiGrouped(b)).AsInt64x8()
}

// word is 32 bits of whole numbers. Only its bits count. It is a float because a
// broadcast reads from a float register; a detour by an integer register costs as much
// as the products.
type word = float32

func newWord(w uint32) word { return math.Float32frombits(w) }

func bits(w word) uint32 { return math.Float32bits(w) }

func pairs512(w word) archsimd.Int16x32 { return archsimd.BroadcastFloat32x16(w).AsInt16x32() }

func pairs256(w word) archsimd.Int16x16 { return archsimd.BroadcastFloat32x8(w).AsInt16x16() }

// max4x32 keeps 4 rows × 32 tokens of pairs in eight registers.
func (p wholePanel) max4x32(rows []word, best *[4][16]int32) {
	var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Int32x16
	for data := p.data; len(data) >= 32 && len(rows) >= 4; data, rows = data[32:], rows[4:] {
		h0 := archsimd.LoadFloat32x16Array((*[16]word)(data[:16])).AsInt16x32()
		h1 := archsimd.LoadFloat32x16Array((*[16]word)(data[16:32])).AsInt16x32()
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

// max4x16 keeps 4 rows × 16 tokens of pairs in four registers.
func (p wholePanel) max4x16(rows []word, best *[4][16]int32) {
	var a, b, c, e archsimd.Int32x16
	for data := p.data; len(data) >= 16 && len(rows) >= 4; data, rows = data[16:], rows[4:] {
		h := archsimd.LoadFloat32x16Array((*[16]word)(data[:16])).AsInt16x32()
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

// max4x8 keeps 4 rows × 16 tokens of pairs in eight 256-bit registers.
func (p wholePanel) max4x8(rows []word, best *[4][16]int32) {
	for col := 0; col < p.width; col += 16 {
		var a0, a1, b0, b1, c0, c1, d0, d1 archsimd.Int32x8
		data := p.data[col:]
		for w4 := rows; len(data) >= 16 && len(w4) >= 4; w4 = w4[4:] {
			h0 := archsimd.LoadFloat32x8Array((*[8]word)(data[:8])).AsInt16x16()
			h1 := archsimd.LoadFloat32x8Array((*[8]word)(data[8:16])).AsInt16x16()
			w := pairs256(w4[0])
			a0, a1 = a0.Add(h0.DotProductPairs(w)), a1.Add(h1.DotProductPairs(w))
			w = pairs256(w4[1])
			b0, b1 = b0.Add(h0.DotProductPairs(w)), b1.Add(h1.DotProductPairs(w))
			w = pairs256(w4[2])
			c0, c1 = c0.Add(h0.DotProductPairs(w)), c1.Add(h1.DotProductPairs(w))
			w = pairs256(w4[3])
			d0, d1 = d0.Add(h0.DotProductPairs(w)), d1.Add(h1.DotProductPairs(w))
			data = data[min(p.width, len(data)):]
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
