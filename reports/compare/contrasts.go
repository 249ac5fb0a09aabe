package compare

import (
	"headroom/metrics/stats"
	"headroom/sweeps"
)

// contrasts makes every comparison of the report. The tests of each question of the sweep are a
// family: the best k against k = 1, the backbones and settings against each other, and all
// against the baselines.
func (c *Comparison) contrasts() error {
	variances := map[string]seedVariances{}
	for _, dataset := range c.Datasets {
		variances[dataset] = c.seedVariances(dataset)
	}
	add := func(kind Kind, line *Line, dataset string, a, b side) error {
		made, err := c.contrast(kind, line, dataset, a, b, variances[dataset])
		if err != nil {
			return err
		}
		if made != nil {
			c.Contrasts = append(c.Contrasts, made)
		}
		return nil
	}
	for _, dataset := range c.Datasets {
		for _, line := range c.Lines {
			best, natural := line.Best, line.At(1)
			if best == nil {
				continue
			}
			atBest := side{name: line.nameAt(best.Text), runs: best.Runs}
			bm25 := side{name: "BM25", fixed: c.Baseline(sweeps.BM25, "", dataset, nil)}
			untrained := side{name: "untrained", fixed: c.Baseline(sweeps.Untrained, line.Backbone, dataset, line.Encoding())}
			var atOne side
			if natural != nil && natural != best {
				atOne = side{name: line.nameAt(KText(1)), runs: natural.Runs}
				if err := add(BestNatural, line, dataset, atBest, atOne); err != nil {
					return err
				}
			}
			for _, pair := range []struct {
				kind Kind
				a, b side
			}{{BestBM25, atBest, bm25}, {BestUntrained, atBest, untrained}, {NaturalBM25, atOne, bm25}, {NaturalUntrained, atOne, untrained}} {
				if len(pair.a.runs) == 0 || pair.b.fixed == nil {
					continue
				}
				if err := add(pair.kind, line, dataset, pair.a, pair.b); err != nil {
					return err
				}
			}
			if dataset == c.Datasets[0] && bm25.fixed != nil {
				for _, p := range line.Points {
					other := side{name: line.nameAt(p.Text), runs: p.Runs}
					if p == best || p == natural || len(p.Healthy()) == 0 {
						continue
					}
					if err := add(HealthyBM25, line, dataset, other, bm25); err != nil {
						return err
					}
				}
			}
		}
		for i, a := range c.Lines {
			for _, b := range c.Lines[i+1:] {
				if a.Best == nil || b.Best == nil || a.differs(b) != 1 {
					continue
				}
				if err := add(BetweenLines, a, dataset,
					side{name: a.nameAt(a.Best.Text), runs: a.Best.Runs},
					side{name: b.nameAt(b.Best.Text), runs: b.Best.Runs}); err != nil {
					return err
				}
			}
		}
	}
	for _, f := range []family{factors, settings, baselines} {
		adjust(c.Contrasts, func(made *Contrast) bool { return made.Kind.family() == f })
	}
	return nil
}

// family is a question, and the contrasts that answer it.
type family int

const (
	factors family = iota
	settings
	baselines
)

func (k Kind) family() family {
	switch k {
	case BestNatural:
		return factors
	case BetweenLines:
		return settings
	}
	return baselines
}

// differs counts the quantities, backbone and axes, in which two lines differ. A comparison of
// lines that differ in two quantities shows nothing about either.
func (l *Line) differs(other *Line) int {
	n := oneIf(l.Backbone != other.Backbone)
	for i := range l.Axes {
		n += oneIf(l.Axes[i].Value != other.Axes[i].Value)
	}
	return n
}

// adjust corrects the p values of one family. Contrasts that are not about settings (Claims) are not in it.
func adjust(contrasts []*Contrast, member func(*Contrast) bool) {
	var family []*Contrast
	var p []float64
	for _, c := range contrasts {
		if member(c) && c.Claims() {
			family, p = append(family, c), append(p, c.P)
		}
	}
	for i, v := range stats.Holm(p) {
		family[i].Adjusted = v
	}
}

// Contrast finds a comparison, nil if it was not made.
func (c *Comparison) Contrast(kind Kind, line *Line, dataset string) *Contrast {
	for _, made := range c.Contrasts {
		if made.Kind == kind && made.Line == line && made.Dataset == dataset {
			return made
		}
	}
	return nil
}
