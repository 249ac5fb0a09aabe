package evaluate

import (
	"maps"
	"slices"

	"headroom/metrics/measure"
	"headroom/metrics/record"
)

// WithKept adds the measures of the evaluation that will be replaced: another sweep or a report may use them. It is
// of the same encoder, data and version of the measures, so they mean the same.
func WithKept(measures []measure.Measure, kept record.Evaluation) []measure.Measure {
	all := slices.Clone(measures)
	for _, name := range slices.Sorted(maps.Keys(kept.Measures)) {
		if m, err := measure.Parse(name); err == nil && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// WithKeptBeside is WithKept without the measures that cannot be kept together with those that are asked for
// (measure.CheckKept).
func WithKeptBeside(measures []measure.Measure, kept record.Evaluation) []measure.Measure {
	all := slices.Clone(measures)
	for _, m := range WithKept(measures, kept)[len(measures):] {
		if with := append(slices.Clone(all), m); measure.CheckKept(with) == nil {
			all = with
		}
	}
	return all
}
