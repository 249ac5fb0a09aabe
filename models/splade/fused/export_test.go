package fused

// Effort says how many (text, row) pairs were screened, survived that, and were
// computed in float32 at once.
func (s *Screen) Effort(texts []Text, out []float32, threads int) (screened, survived, plain int64, err error) {
	var e effort
	err = s.positive(texts, out, threads, &e)
	return e.screened.Load(), e.survived.Load(), e.plain.Load(), err
}

// Bound is the bound that screening would use for a text and a row, and whether
// the text can be screened at all.
func (s *Screen) Bounds(t Text) ([]float64, bool) {
	w := newWholeText(t, s.head.Dim)
	if !w.usable {
		return nil, false
	}
	out := make([]float64, s.head.Vocab)
	var tops [rowBlock]int32
	for first := 0; first < s.head.Vocab; first += rowBlock {
		n := min(rowBlock, s.head.Vocab-first)
		s.tops(w, first, n, &tops)
		for r := range n {
			out[first+r] = s.bound(w, first+r, tops[r])
		}
	}
	return out, true
}

// FMA is the plain fused operation.
func FMA(x, y, z float32) float32 { return fma(x, y, z) }
