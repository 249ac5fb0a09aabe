package compare

import (
	"slices"
)

// Column is a measure on a collection.
type Column struct{ Dataset, Measure string }

// Cell is a point in a column.
type Cell struct {
	Point  *Point
	Column Column
}

// OverNatural compares in every column each factor of a line with the line's k = 1, as trained.
// All of these comparisons are one family of tests. Cells without a measurement or without a
// k = 1 are left out.
func (c *Comparison) OverNatural(columns []Column) (map[Cell]*Contrast, error) {
	out := map[Cell]*Contrast{}
	var family []*Contrast
	for _, column := range columns {
		view := c.withMeasure(column.Measure)
		seeds := view.seedVariances(column.Dataset)
		for _, line := range c.Lines {
			natural := line.At(1)
			if natural == nil {
				continue
			}
			for _, p := range line.Points {
				if p == natural {
					continue
				}
				made, err := view.contrast("", line, column.Dataset, side{name: line.nameAt(p.Text), runs: p.Runs},
					side{name: line.nameAt(KText(1)), runs: natural.Runs}, seeds)
				if err != nil {
					return nil, err
				}
				if made != nil {
					out[Cell{p, column}], family = made, append(family, made)
				}
			}
		}
	}
	adjust(family, func(*Contrast) bool { return true })
	return out, nil
}

// WithMean returns a copy of an input in which each run and baseline that was measured on all
// members of a group also has an evaluation on the group, the mean over its members.
func (in *Input) WithMean(group string, members []string) *Input {
	out := *in
	out.Runs = slices.Clone(in.Runs)
	Pool(&out, group, members)
	out.Baselines = slices.Clone(in.Baselines)
	for i, b := range in.Baselines {
		if slices.ContainsFunc(in.Baselines[:i], b.sameModel) || b.Evaluation.Split == "dev" {
			continue // the first of its kind was handled for all collections
		}
		var each []*Evaluation
		for _, name := range members {
			at := slices.IndexFunc(in.Baselines, func(other Baseline) bool {
				return other.sameModel(b) && other.Evaluation.Dataset == name && other.Evaluation.Split != "dev"
			})
			if at >= 0 {
				each = append(each, &in.Baselines[at].Evaluation)
			}
		}
		if len(each) == len(members) && len(each) > 0 {
			b.Evaluation = pooled(group, each)
			out.Baselines = append(out.Baselines, b)
		}
	}
	return &out
}

// sameModel reports whether two baselines have the same model and form.
func (b Baseline) sameModel(other Baseline) bool {
	same := b.Encoding == other.Encoding || b.Encoding != nil && other.Encoding != nil && *b.Encoding == *other.Encoding
	return b.Name == other.Name && b.Backbone == other.Backbone && same && other.Evaluation.Split != "dev"
}
