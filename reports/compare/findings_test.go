package compare_test

import (
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
)

func TestOtherQrelsAreNamed(t *testing.T) {
	in := sample.Demo()
	for i := range in.Runs {
		if in.Runs[i].Rescale == 1 {
			in.Runs[i].Evaluations[0].QrelsDigest = "sha256:0000"
		}
	}
	c := compared(t, in)
	l := line(t, c, "demo-bert")
	if d := c.Contrast(compare.BestNatural, l, "builtin:demo"); !said(d.Notes, "different qrels") {
		t.Errorf("notes %q", d.Notes)
	}
	if d := c.Contrast(compare.BestBM25, l, "builtin:demo"); said(d.Notes, "different qrels") {
		t.Errorf("notes %q", d.Notes)
	}
	if !said(c.Limits, "On builtin:demo the runs were judged by 2 different qrels") {
		t.Error("the limits do not say it")
	}
}

// TestOnlyBuiltInCollectionsAreCalledGenerated: a collection of the user's beside
// the built-in one, such as `evaluate --run` adds, is real text.
func TestOnlyBuiltInCollectionsAreCalledGenerated(t *testing.T) {
	in := sample.Demo()
	for i := range in.Runs {
		own := in.Runs[i].Evaluations[0]
		own.Dataset = "/data/own"
		in.Runs[i].Evaluations = append([]compare.Evaluation{own}, in.Runs[i].Evaluations...)
	}
	limits := compared(t, in).Limits
	if !said(limits, "builtin:demo", "generated world") || said(limits, "/data/own", "generated world") {
		t.Errorf("limits %q", limits)
	}
}

// TestNegativeFindings: sentences also name what the data does not show.
func TestNegativeFindings(t *testing.T) {
	demo := compared(t, sample.Demo())
	if !said(demo.Findings, "demo-bert: no seed collapsed at k = 1 (λ = 0.01): the natural head is worse than k = 16 there without collapsing.") {
		t.Error("the natural head's degradation is not said")
	}
	if !said(demo.Findings, "no evidence of a difference (~) between demo-bert k=16 and demo-modernbert k=16") {
		t.Error("the backbones' equality is not said")
	}
	if said(demo.Findings, "healthy by verdict") {
		t.Error("a sentence rests on one healthy seed")
	}
	spared := sample.Demo()
	for i := range spared.Runs {
		if r := &spared.Runs[i]; r.Rescale == 0.25 && strings.HasSuffix(r.Backbone, "demo-modernbert") {
			r.Verdict = "healthy"
			for q, v := range r.Evaluations[0].PerQuery["nDCG@10"] {
				r.Evaluations[0].PerQuery["nDCG@10"][q] = v / 10
			}
		}
	}
	if c := compared(t, spared); !said(c.Findings, "demo-modernbert k=1/4", "healthy by verdict", "below BM25") {
		t.Errorf("the degraded point is not said: %q", c.Findings)
	}
	if !said(demo.Findings, "1 run showed a collapse that passed", "(identical at 51–60)") {
		t.Error("the recovered run is not said")
	}
	for _, want := range []string{"150 steps", "test queries", "2 seeds", "k ≤ 1/4", "largest of the grid", "learning rate (0.002)", "decoder's weights", "one size as loaded", "not sparse", "generated world", "stand for nothing larger"} {
		if !said(demo.Limits, want) {
			t.Errorf("the limits lack %q", want)
		}
	}

	change := func(edit func(*compare.Run)) *compare.Comparison {
		in := sample.Demo()
		for i := range in.Runs {
			edit(&in.Runs[i])
		}
		return compared(t, in)
	}
	t.Run("a natural head that collapses", func(t *testing.T) {
		c := change(func(r *compare.Run) {
			if r.Rescale == 1 && r.Seed == 1 {
				r.Verdict = "empty"
			}
		})
		if !said(c.Findings, "k = 1, the natural head (1 of 2 seeds collapsed: empty × 1)") || said(c.Findings, "it does not collapse") {
			t.Errorf("findings %q", c.Findings)
		}
		if said(c.Limits, "inflated on purpose") {
			t.Error("limits still say that only inflated heads collapsed")
		}
	})
	t.Run("no k beats k = 1", func(t *testing.T) {
		c := change(func(r *compare.Run) {
			if r.Rescale > 1 {
				r.Evaluations[0].Measures["nDCG@10"] = 0.1
			}
		})
		if !said(c.Findings, "no other k of the sweep has a greater mean") || said(c.Findings, "rises") {
			t.Errorf("findings %q", c.Findings)
		}
	})
	t.Run("a gain that the queries do not support", func(t *testing.T) {
		in := sample.Demo()
		runs := in.Runs[:0]
		for _, r := range in.Runs {
			if r.Rescale == 1 || r.Rescale == 16 {
				runs = append(runs, r)
			}
		}
		in.Runs = runs
		for i := range in.Runs {
			r := &in.Runs[i]
			r.Evaluations = r.Evaluations[:1]
			e := &r.Evaluations[0]
			for q := range e.PerQuery["nDCG@10"] {
				// k = 16 gains in one query of ten and loses in the others.
				v := 0.5
				if r.Rescale == 16 {
					v = 0.48
					if strings.HasSuffix(q, "0") {
						v = 0.70
					}
				}
				e.PerQuery["nDCG@10"][q] = v
			}
			e.Measures["nDCG@10"] = map[float64]float64{1: 0.5, 16: 0.502}[r.Rescale]
		}
		c := compared(t, in)
		if !said(c.Findings, "no seed collapsed at k = 1 (λ =", "and there is no evidence (~) that k = 16 does better") {
			t.Errorf("findings %q", c.Findings)
		}
	})
}
