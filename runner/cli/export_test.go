package cli

import "math"

// Interval is what diff says of one measure from the values of two runs per query.
type Interval struct {
	Mean, Low, High, P float64 // NaN if diff has none
	Queries, Differ    int
	Text               string
}

// DiffInterval compares per-query values as diff does.
func DiffInterval(a, b map[string]float64) (Interval, error) {
	m, err := newDiffMeasure("nDCG@10", a, b)
	i := Interval{Mean: float64(m.Difference), Queries: m.Queries, Differ: m.Differ, Text: m.interval()}
	for from, to := range map[*float64]*float64{&i.Low: m.Low, &i.High: m.High, &i.P: m.P} {
		*from = math.NaN()
		if to != nil {
			*from = *to
		}
	}
	return i, err
}
