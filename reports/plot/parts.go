package plot

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"headroom/metrics/outline"
	"headroom/reports/compare"
)

// lossPart is a part of the loss: its series and the name of its axis.
type lossPart struct {
	outline.Drawn
	axis        string
	contrastive bool // it has a chance level
}

func lossParts() []lossPart {
	axes := map[string]string{
		"loss/contrastive": "contrastive part", "loss/margin_mse": "margin-MSE part", "loss/kl": "KL part",
		"loss/reg_query": "regularizer, queries", "loss/reg_document": "regularizer, documents",
	}
	var parts []lossPart
	for _, d := range outline.AllDrawn() {
		if axis, ok := axes[d.Name]; ok {
			parts = append(parts, lossPart{d, axis, d.Name == "loss/contrastive"})
		}
	}
	return parts
}

// LossParts draws the parts of the loss against step: a row per part, a column per line of
// the comparison. The chance level is drawn in the part that has one. ok is false if no
// part was recorded.
func LossParts(c *compare.Comparison) (f *Figure, ok bool) {
	type row struct {
		lossPart
		y scale
	}
	var rows []row
	chance, last := chanceLevel(c), 0.0
	for _, part := range lossParts() {
		values, least := newSpan(), math.Inf(1)
		eachRun(c, func(_ *compare.Line, _ *compare.Point, r *compare.Run) {
			s := r.Series[part.Name]
			for _, v := range s.Values {
				values.add(v)
			}
			least, last = math.Min(least, s.Least()), math.Max(last, float64(s.Last()))
		})
		if values.empty() || values.high == 0 && values.low == 0 {
			continue // not recorded, or no part of this loss
		}
		if part.contrastive {
			values.add(chance)
		}
		made := row{part, linear(span{math.Min(0, values.low), values.high})}
		if values.low >= 0 && values.high/least > 30 {
			made.y = logarithmic(span{part.LowEnd(least, values.high), values.high})
			made.axis += " (log)"
		}
		rows = append(rows, made)
	}
	if len(rows) == 0 {
		return nil, false
	}
	if len(c.Lines) > mostLines {
		rows = rows[:1]
	}
	fs := factors(c)
	entries := factorLegend(fs)
	caption := "The parts of the training loss by k, as they are added up; bold is the moving mean of a seed, faint its values. On a logarithmic axis what is below it, as a regularizer before λ has risen, stands on its lower edge."
	if slices.ContainsFunc(rows, func(r row) bool { return r.contrastive }) && !math.IsNaN(chance) {
		caption += fmt.Sprintf(" Dashed: the contrastive part of a model that ranks by chance, ln(candidates) = %.2f.", chance)
		entries = append(entries, entry{name: fmt.Sprintf("chance level, ln(candidates) = %.2f", chance), width: 22, sample: func(b *brush, at vg.Point) {
			b.line(muted, 1, dashes(), at, vg.Point{X: at.X + 22, Y: at.Y})
		}})
	}
	x := steps(last)
	kept := &shapes{}
	lay := func(l options) sheet {
		s := sheet{title: "Parts of the training loss by k", legend: entries, panelHeight: 140, left: 58, right: margin + 4}
		s.setLinePanels(c.Lines, len(rows), l, func(p *panel, line *compare.Line, part int, leftmost bool) {
			r := rows[part]
			p.x, p.y = x, r.y
			p.axes(line.Name(), "training step", r.axis, true, leftmost)
			if r.contrastive && !math.IsNaN(chance) {
				from := p.point(0, chance)
				p.line(muted, 1, dashes(), from, vg.Point{X: p.data.Max.X, Y: from.Y})
			}
			p.runs(line, fs, r.Name, kept)
		})
		return s
	}
	return newFigure("parts", fmt.Sprintf("The parts of the training loss against step, coloured by k: %d rows of parts, one column for each of %d backbones and settings.", len(rows), len(c.Lines)), caption, lay), true
}
