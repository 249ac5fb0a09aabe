package outline

// smooth returns a series' moving mean over about a twenty-fifth of its length, taken on the
// axis's scale, so that a logarithmic axis shows geometric means. At the start, where a loss
// falls fast, the window is short and centered on its step; at the end it keeps its values
// before the step, so that the curve does not end with a single noisy value. A value that is
// not finite stays, and no mean reaches across it.
func smooth(s Series, warp, unwarp func(float64) float64) Series {
	n := min(len(s.Steps), len(s.Values))
	half := n / 50
	out := Series{Steps: s.Steps[:n], Values: make([]float64, n)}
	sums := make([]float64, 0, n+1)
	for from := 0; from < n; {
		if !finite(s.Values[from]) {
			out.Values[from] = s.Values[from]
			from++
			continue
		}
		to := from
		sums = sums[:0] // sums[i] is the sum of the first i values of this finite stretch
		sum := 0.0
		for ; to < n && finite(s.Values[to]); to++ {
			sums = append(sums, sum)
			sum += warp(s.Values[to])
		}
		sums = append(sums, sum)
		for i := from; i < to; i++ {
			before := min(half, i-from)
			after := min(before, to-1-i)
			low, high := i-before-from, i+after+1-from
			out.Values[i] = unwarp((sums[high] - sums[low]) / float64(high-low))
		}
		from = to
	}
	return out
}
