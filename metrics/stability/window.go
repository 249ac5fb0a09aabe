package stability

// window is the last n values of a series.
type window struct {
	values []float64 // a ring once full
	next   int
	full   bool
}

func newWindow(n int) *window { return &window{values: make([]float64, 0, n)} }

func (w *window) add(v float64) {
	if len(w.values) < cap(w.values) {
		w.values = append(w.values, v)
		w.full = len(w.values) == cap(w.values)
		return
	}
	w.values[w.next] = v
	w.next = (w.next + 1) % len(w.values)
}

func (w *window) len() int { return len(w.values) }

// at returns the i-th value, the oldest first.
func (w *window) at(i int) float64 { return w.values[(w.next+i)%len(w.values)] }

func (w *window) mean() float64 { return w.part(0, len(w.values)) }

// part returns the mean of the values from lo up to hi, without hi.
func (w *window) part(lo, hi int) float64 {
	sum := 0.0
	for i := lo; i < hi; i++ {
		sum += w.at(i)
	}
	return sum / float64(hi-lo)
}
