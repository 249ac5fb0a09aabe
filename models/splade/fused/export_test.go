package fused

// MostDims is the largest hidden size that is screened.
const MostDims = mostDims

// Forms name how whole numbers can lie in memory.
func Forms() []string { return []string{"pairs", "quads"} }

// NewScreenOf is NewScreen with a form that may not be the CPU's fastest.
func NewScreenOf(h Head, name string, threads int) (*Screen, error) {
	f := pairs
	if name == "quads" {
		f = quads
	}
	return newScreen(h, f, threads)
}

// Tops are the largest whole products of a text with each row, nil for a text that
// is not screened.
func (s *Screen) Tops(t Text) []int32 {
	w := s.wholeText(t)
	if !w.usable {
		return nil
	}
	out := make([]int32, s.head.Vocab)
	var lanes wholeLanes
	var tops [rowBlock]int32
	for first := 0; first < len(out); first += rowBlock {
		n := min(rowBlock, len(out)-first)
		s.tops(w, first, n, &lanes, &tops)
		copy(out[first:], tops[:n])
	}
	return out
}

// Effort says how many (text, row) pairs were screened, survived that, and were
// computed in float32 at once.
func (s *Screen) Effort(texts []Text, out []float32, threads int) (screened, survived, plain int64, err error) {
	var e effort
	err = s.positive(texts, out, nil, threads, &e)
	return e.screened.Load(), e.survived.Load(), e.plain.Load(), err
}

// Bound is the bound that screening would use for a text and a row, and whether
// the text can be screened at all.
func (s *Screen) Bounds(t Text) ([]float64, bool) {
	w := s.wholeText(t)
	if !w.usable {
		return nil, false
	}
	out := make([]float64, s.head.Vocab)
	var tops [rowBlock]int32
	var lanes wholeLanes
	for first := 0; first < s.head.Vocab; first += rowBlock {
		n := min(rowBlock, s.head.Vocab-first)
		s.tops(w, first, n, &lanes, &tops)
		for r := range n {
			out[first+r] = s.bound(w, first+r, tops[r])
		}
	}
	return out, true
}

// FMA is the plain fused operation.
func FMA(x, y, z float32) float32 { return fma(x, y, z) }
