package fused

import (
	"fmt"
	"math"
)

// Screen proves, with products of whole numbers, that the pooled logits of most
// vocabulary rows are not positive; only the other rows need float32 products. It is
// a snapshot of the weights: make another one after they have changed, or Renew it.
//
// The bound. A text's tokens share a step s and a row has a step p:
// h = s·q + e and w = p·r + f, with q and r whole numbers. Then
//
//	h·w = h·(p·r + f) = s·p·(q·r) + e·(p·r) + h·f
//	    ≤ s·p·(q·r) + ‖e‖‖p·r‖ + ‖h‖‖f‖
//
// and q·r is exact in int32. The norms are computed from e, f, r and h themselves, so
// the bound holds however q and r were rounded. The float32 kernel's result for h·w
// has an error of at most n·u/(1−n·u)·‖h‖‖w‖ for n fused operations, u = 2⁻²⁴, and of
// half the least subnormal for each; twice that is added. The float64 roundings here,
// some 2⁻⁵⁰·‖h‖‖w‖, are covered eight times by the eight operations added to n. A sum
// of two float32 is positive only if the exact sum is, so bound + bias ≤ 0 proves that
// the kernel's logit is not positive. Rows and texts that are not finite, or so large
// that the kernel might overflow, are never screened.
type Screen struct {
	head  Head
	form  form
	words []word // [ceil(vocab/4), words, 4]
	rows  []rowBound
}

// rowBound holds the parts of the bound that depend on a row.
type rowBound struct {
	scale float64 // p
	kept  float64 // ‖p·r‖ or a little more
	left  float64 // ‖f‖ and the kernel's error by ‖h‖, or more; infinite for rows never screened
	shift int32   // the part of each product that comes from the tokens' shift
}

// largestNorm keeps products of a text and a row, and every partial sum of
// them, a hundred times below the largest float32.
const largestNorm = 1e18

// mostDims keeps n·u below 1/100, the sums of squares within sqrtUpward's margin, and
// sums of products of bytes within an int32.
const mostDims = 1 << 16

// NewScreen prepares a head. It costs about as much as one long text. Weight and
// Bias are referred to, not copied.
func NewScreen(h Head, threads int) (*Screen, error) { return newScreen(h, fastestForm(), threads) }

func newScreen(h Head, f form, threads int) (*Screen, error) {
	if err := h.check(nil, 0); err != nil {
		return nil, err
	}
	s := &Screen{head: h, form: f, words: make([]word, (h.Vocab+3)/4*f.words(h.Dim)*4), rows: make([]rowBound, h.Vocab)}
	s.prepare(threads)
	return s, nil
}

// Renew is NewScreen in the memory of a screen of a head of the same size.
func (s *Screen) Renew(h Head, threads int) error {
	if err := h.check(nil, 0); err != nil {
		return err
	}
	if h.Vocab != s.head.Vocab || h.Dim != s.head.Dim {
		return fmt.Errorf("renew screen of a head [%d, %d]: the other is [%d, %d]", s.head.Vocab, s.head.Dim, h.Vocab, h.Dim)
	}
	s.head = h
	s.prepare(threads)
	return nil
}

// prepare fills words and rows from the head's weights.
func (s *Screen) prepare(threads int) {
	h, f := s.head, s.form
	words, groups := f.words(h.Dim), (h.Vocab+3)/4
	kernel := float64(h.Dim+8) * 0x1p-23
	parallel(groups, threads, func(from, to int) {
		q := make([]int16, words*int(f))
		for g := from; g < to; g++ {
			for r := range min(4, h.Vocab-4*g) {
				w := h.Weight[(4*g+r)*h.Dim : (4*g+r+1)*h.Dim]
				norm, largest := extent(w)
				if !(norm <= largestNorm) || h.Dim > mostDims {
					s.rows[4*g+r] = rowBound{left: math.Inf(1)} // its words do not matter
					continue
				}
				scale := f.scale(norm, largest, h.Dim)
				kept, left := quantize(w, scale, q)
				s.rows[4*g+r] = rowBound{scale: scale, kept: kept, left: left + kernel*norm, shift: f.shift(q)}
				f.pack(q, 0, s.words[g*words*4+r:], 4)
			}
		}
	})
}

// wholeText is a text in whole numbers.
type wholeText struct {
	panels []wholePanel
	scale  float64 // s
	left   float64 // the largest ‖e‖ of a token
	norm   float64 // the largest ‖h‖ of a token
	usable bool
}

func (s *Screen) wholeText(t Text) wholeText {
	dim, f := s.head.Dim, s.form
	norm, largest := 0.0, 0.0
	for i := range t.Tokens {
		n, l := extent(t.Hidden[i*dim : (i+1)*dim])
		if !(n <= largestNorm) {
			return wholeText{}
		}
		norm, largest = max(norm, n), max(largest, l)
	}
	w := wholeText{scale: f.scale(norm, largest, dim), norm: norm, usable: true}
	words, shift := f.words(dim), int16(0)
	if f == quads {
		shift = byteShift
	}
	q := make([]int16, words*int(f))
	for first := 0; first < t.Tokens; first += panelWidth {
		width, count := shape(first, t.Tokens)
		p := wholePanel{form: f, data: make([]word, words*width), width: width}
		for c := range count {
			token := first + c
			_, left := quantize(t.Hidden[token*dim:(token+1)*dim], w.scale, q)
			w.left = max(w.left, left)
			f.pack(q, shift, p.data[c:], width)
			for rest := count; c == 0 && rest < width; rest++ {
				f.pack(q, shift, p.data[rest:], width)
			}
		}
		w.panels = append(w.panels, p)
	}
	return w
}

// tops writes to best the largest product of the text with each of n rows. first, the
// first row, is a multiple of four.
func (s *Screen) tops(t wholeText, first, n int, lanes *wholeLanes, best *[rowBlock]int32) {
	lowest := [16]int32{}
	for c := range lowest {
		lowest[c] = math.MinInt32
	}
	for r := range lanes {
		lanes[r] = lowest
	}
	size, groups := s.form.words(s.head.Dim)*4, (n+3)/4
	rows := s.words[first/4*size : (first/4+groups)*size]
	for _, p := range t.panels {
		p.raise(rows, lanes)
	}
	lanes.tops(n, best)
	for r := range n {
		best[r] -= s.rows[first+r].shift
	}
}

// bound returns a number that no float32 product of the kernel with row v exceeds, bias
// left out. top is the text's largest product with the row in whole numbers.
func (s *Screen) bound(t wholeText, v int, top int32) float64 {
	r := s.rows[v]
	return t.scale*r.scale*float64(top) + (t.left*r.kept + t.norm*r.left + float64(s.head.Dim)*0x1p-148)
}
