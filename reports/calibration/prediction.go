package calibration

import (
	"fmt"
	"math"
	"slices"

	"headroom/metrics/risk"
)

// quantity is a quantity that is known before training and may predict collapse.
type quantity struct {
	name string
	of   func(o observed) float64
}

func quantities() []quantity {
	return []quantity{
		{"λ alone", func(o observed) float64 { return o.setting.Lambda() }},
		{"head norm alone", func(o observed) float64 { return o.norm }},
		{"InfoNCE(0)/ln C alone", func(o observed) float64 { return o.setting.InfoNCE }},
		{"learning rate alone", func(o observed) float64 { return o.setting.Rate }},
		{"λ·FLOPS(0)/ln C · rate² / ramp", func(o observed) float64 {
			return o.setting.Lambda() * o.flops / math.Log(o.candidates) * o.setting.Rate * o.setting.Rate / math.Max(1, o.setting.Ramp)
		}},
		{"λ·InfoNCE(0)/ln C · rate / ramp", func(o observed) float64 { return o.setting.Pressure() }},
	}
}

// predicted holds a quantity's AUC and the rule that is fitted to it.
type predicted struct {
	quantity
	failed, lost float64 // AUC over all runs
	apart        float64 // AUC of lost runs, each backbone's chances from the rule of the others
	rule         risk.Rule
	fitted       bool
	brier        float64 // of those chances
}

// predict measures all quantities on runs whose truth is known.
func predict(list []observed) []predicted {
	var known []observed
	for _, o := range list {
		if o.truth != Unknown {
			known = append(known, o)
		}
	}
	failed, lost := make([]bool, len(known)), make([]bool, len(known))
	for i, o := range known {
		failed[i], lost[i] = o.failed(), o.lost()
	}
	var all []predicted
	for _, q := range quantities() {
		x := make([]float64, len(known))
		for i, o := range known {
			x[i] = q.of(o)
		}
		p := predicted{quantity: q, failed: risk.AUC(x, failed), lost: risk.AUC(x, lost)}
		rule, err := risk.Fit(x, lost)
		p.rule, p.fitted = rule, err == nil
		p.apart, p.brier = leaveOut(known, x, lost)
		all = append(all, p)
	}
	return all
}

// leaveOut gives the runs of each backbone chances by a rule that is fitted to the other backbones.
func leaveOut(known []observed, x []float64, lost []bool) (auc, brier float64) {
	chances := make([]float64, len(known))
	for i := range chances {
		chances[i] = math.NaN()
	}
	for _, name := range backbones(known) {
		var others []float64
		var ends []bool
		for i, o := range known {
			if o.Inputs.Weights != name {
				others, ends = append(others, x[i]), append(ends, lost[i])
			}
		}
		rule, err := risk.Fit(others, ends)
		if err != nil {
			continue
		}
		for i, o := range known {
			if o.Inputs.Weights == name {
				chances[i] = rule.Chance(x[i])
			}
		}
	}
	n := 0
	for i, c := range chances {
		if c != c {
			continue
		}
		n++
		end := 0.0
		if lost[i] {
			end = 1
		}
		brier += (c - end) * (c - end)
	}
	return risk.AUC(chances, lost), brier / float64(n)
}

// backbones returns the digests of the weights from which runs start.
func backbones(list []observed) []string {
	var names []string
	for _, o := range list {
		if !slices.Contains(names, o.Inputs.Weights) {
			names = append(names, o.Inputs.Weights)
		}
	}
	return names
}

// bin counts runs with similar chances.
type bin struct {
	low, high float64
	sum       float64 // of chances
	lost      rate
}

// bins compares predicted chances with the outcomes.
func bins(known []observed, chance func(observed) float64) []bin {
	list := []bin{{low: 0, high: .05}, {low: .05, high: .2}, {low: .2, high: .5}, {low: .5, high: .8}, {low: .8, high: 1}}
	for _, o := range known {
		c := chance(o)
		for i := range list {
			if b := &list[i]; c >= b.low && (c < b.high || b.high == 1) {
				b.sum += c
				b.lost.add(o.lost())
				break
			}
		}
	}
	return list
}

func percent(x float64) string {
	if x != x {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}
