package outline

import "slices"

// parts is the number of stretches of which a reduced curve keeps the extremes, three points each
// at most.
const parts = Most / 3

// thin reduces a long series to about limit points: from every stretch it keeps the least and
// the greatest finite value and the first value that is not finite, in their order. So spikes
// and gaps stay visible.
func thin(s Series, limit int) Series {
	n := min(len(s.Steps), len(s.Values))
	if n <= limit {
		return Series{s.Steps[:n], s.Values[:n]}
	}
	stretches := max(1, limit/3)
	return pick(s, extremes(s.Values[:n], stretches, func(b int) int { return b * n / stretches }))
}

// places returns the places of the points that a reduced curve keeps.
func places(values []float64) []int {
	return extremes(values, parts, func(b int) int { return b * len(values) / parts })
}

// thinPlaced thins the kept points of a series of n points; at has their places there. Each of its stretches begins
// where one of the reduced curve's stretches begins.
func thinPlaced(s Series, at []int, n, limit int) Series {
	stretches := max(1, min(limit/3, parts))
	if stretches == parts {
		return s
	}
	return pick(s, extremes(s.Values, stretches, func(b int) int {
		begin := b * parts / stretches * n / parts // in the whole series
		i, _ := slices.BinarySearch(at, begin)
		return i
	}))
}

// extremes returns the places of the extremes of each stretch. Stretch b begins at place begin(b).
func extremes(values []float64, stretches int, begin func(b int) int) []int {
	var kept []int
	from := begin(0)
	for b := range stretches {
		to := begin(b + 1)
		low, high, bad := -1, -1, -1
		for i := from; i < to; i++ {
			v := values[i]
			switch {
			case !finite(v):
				if bad < 0 {
					bad = i
				}
			case low < 0:
				low, high = i, i
			case v < values[low]:
				low = i
			case v > values[high]:
				high = i
			}
		}
		chosen := [3]int{low, high, bad}
		slices.Sort(chosen[:])
		last := -1
		for _, i := range chosen {
			if i > last {
				kept, last = append(kept, i), i
			}
		}
		from = to
	}
	return kept
}

// pick returns the points at some places of a series.
func pick(s Series, at []int) Series {
	out := Series{make([]int, len(at)), make([]float64, len(at))}
	for i, place := range at {
		out.Steps[i], out.Values[i] = s.Steps[place], s.Values[place]
	}
	return out
}
