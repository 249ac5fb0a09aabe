package compare_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
)

func compared(t *testing.T, in *compare.Input) *compare.Comparison {
	t.Helper()
	c, err := compare.Compare(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// said reports whether a sentence contains all words.
func said(sentences []string, words ...string) bool {
	return slices.ContainsFunc(sentences, func(s string) bool {
		for _, w := range words {
			if !strings.Contains(s, w) {
				return false
			}
		}
		return true
	})
}

func line(t *testing.T, c *compare.Comparison, name string) *compare.Line {
	t.Helper()
	for _, l := range c.Lines {
		if l.Name() == name {
			return l
		}
	}
	t.Fatalf("no line %q", name)
	return nil
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-12) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestCollapsedRunsAreNeverAveragedSilently(t *testing.T) {
	c := compared(t, sample.Demo())
	bert := line(t, c, "demo-bert")

	mixed := bert.At(0.25)
	a := mixed.Score("builtin:demo", "nDCG@10")
	if a.Healthy.N != 1 || a.All.N != 2 {
		t.Fatalf("healthy n %d, all n %d", a.Healthy.N, a.All.N)
	}
	near(t, "mean of the healthy seed", a.Shown().Mean, mixed.Runs[1].Score("builtin:demo", "nDCG@10"))
	if !(a.All.Mean < a.Healthy.Mean) {
		t.Errorf("the mean of all seeds, %v, does not hold the collapsed one", a.All.Mean)
	}
	if !said(c.Findings, "demo-bert", "seeds disagree", "k = 1/4", "1 of 2 seeds", "empty × 1") {
		t.Error("no sentence about the seeds that disagree")
	}

	dead := bert.At(0.125).Score("builtin:demo", "nDCG@10")
	if dead.Healthy.N != 0 || dead.Shown().N != 2 {
		t.Errorf("all collapsed: healthy n %d, shown n %d", dead.Healthy.N, dead.Shown().N)
	}
	if !said(c.Findings, "demo-bert (λ 0.01): every seed collapsed at k = 1/8 (identical × 2)") {
		t.Error("no sentence about the point where all seeds collapsed")
	}
}

func TestBestK(t *testing.T) {
	t.Run("by the mean over all seeds, on test where there is no dev", func(t *testing.T) {
		l := line(t, compared(t, sample.Demo()), "demo-bert")
		if l.Best == nil || l.Best.Text != "16" || l.SelectedOn != "test" {
			t.Errorf("best %v on %q", l.Best, l.SelectedOn)
		}
	})
	t.Run("one lucky seed does not choose a k where the other collapsed", func(t *testing.T) {
		in := sample.Demo()
		for i := range in.Runs {
			if r := &in.Runs[i]; r.Backbone == "recipe:demo-bert" && r.Rescale == 0.25 && r.Seed == 2 {
				r.Evaluations[0].Measures["nDCG@10"] = 0.95
			}
		}
		if l := line(t, compared(t, in), "demo-bert"); l.Best.Text != "16" {
			t.Errorf("chose k = %s", l.Best.Text)
		}
	})
	t.Run("dev chooses where every run has it", func(t *testing.T) {
		in := sample.Demo()
		for i := range in.Runs {
			r := &in.Runs[i]
			dev := compare.Evaluation{Dataset: "builtin:demo", Split: "dev", Measures: map[string]float64{"nDCG@10": 1 / (1 + math.Abs(r.Rescale-4))}}
			r.Evaluations = append([]compare.Evaluation{dev}, r.Evaluations...)
		}
		c := compared(t, in)
		l := line(t, c, "demo-bert")
		if l.Best.Text != "4" || l.SelectedOn != "dev" {
			t.Errorf("best %s on %q", l.Best.Text, l.SelectedOn)
		}
		if said(c.Limits, "chosen on the") {
			t.Error("warns of a choice on test")
		}
		// What is reported is the test score all the same.
		near(t, "reported", l.Best.Runs[0].Score("builtin:demo", "nDCG@10"), 0.602)
	})
}

func TestContrasts(t *testing.T) {
	c := compared(t, sample.Demo())
	bert := line(t, c, "demo-bert")
	rise := c.Contrast(compare.BestNatural, bert, "builtin:demo")
	if rise == nil || rise.SeedsA != 2 || rise.SeedsB != 2 {
		t.Fatalf("got %+v", rise)
	}
	near(t, "mean", rise.Mean, rise.MeanA-rise.MeanB)
	near(t, "A", rise.MeanA, bert.Best.Score("builtin:demo", "nDCG@10").All.Mean)
	near(t, "B", rise.MeanB, bert.At(1).Score("builtin:demo", "nDCG@10").All.Mean)
	if rise.Verdict() != "above" || rise.Interval.Low <= 0.1 || rise.Queries != 300 {
		t.Errorf("verdict %s, interval %+v, %d queries", rise.Verdict(), rise.Interval, rise.Queries)
	}
	if !(rise.P > 0 && rise.Adjusted >= rise.P) {
		t.Errorf("p %v, adjusted %v", rise.P, rise.Adjusted)
	}
	for _, dataset := range c.Datasets {
		for _, kind := range []compare.Kind{compare.BestBM25, compare.BestUntrained} {
			if d := c.Contrast(kind, bert, dataset); d == nil || d.Verdict() != "above" {
				t.Errorf("%s on %s: %+v", kind, dataset, d)
			}
		}
	}
	if d := c.Contrast(compare.NaturalBM25, bert, "builtin:demo"); d.Verdict() != "~" {
		t.Errorf("k = 1 against BM25: %s", d.Verdict())
	}

	t.Run("turned around it is below", func(t *testing.T) {
		in := sample.Demo()
		for i := range in.Baselines {
			if in.Baselines[i].Name == "bm25" {
				for _, values := range in.Baselines[i].Evaluation.PerQuery {
					for q := range values {
						values[q] = 1
					}
				}
				in.Baselines[i].Evaluation.Measures["nDCG@10"] = 1
			}
		}
		c := compared(t, in)
		if d := c.Contrast(compare.BestBM25, line(t, c, "demo-bert"), "builtin:demo"); d.Verdict() != "below" {
			t.Errorf("got %s", d.Verdict())
		}
		if !said(c.Findings, "demo-bert on builtin:demo: k = 16", "is below BM25 at 1.000") {
			t.Error("no sentence says that the best point is below BM25")
		}
	})
	t.Run("without per-query values there is no test", func(t *testing.T) {
		in := sample.Demo()
		for i := range in.Baselines {
			in.Baselines[i].Evaluation.PerQuery = nil
		}
		c := compared(t, in)
		d := c.Contrast(compare.BestBM25, line(t, c, "demo-bert"), "builtin:demo")
		if d.Testable() || d.Verdict() != "~" || !said(d.Notes, "no values per query") {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("collapsed runs are counted beside a difference, never in it", func(t *testing.T) {
		in := sample.Demo()
		var healthy float64
		for i := range in.Runs {
			r := &in.Runs[i]
			if r.Rescale != 16 || r.Backbone != in.Runs[0].Backbone {
				continue
			}
			if r.Seed == 1 {
				r.Verdict = "stalled"
				for q := range r.Evaluations[0].PerQuery["nDCG@10"] {
					r.Evaluations[0].PerQuery["nDCG@10"][q] = 0
				}
			} else {
				healthy = r.Score("builtin:demo", "nDCG@10")
			}
		}
		c := compared(t, in)
		for _, l := range c.Lines {
			for _, p := range l.Points {
				if p.K == 16 && len(p.Collapsed()) == 1 && l.Best == p {
					d := c.Contrast(compare.BestBM25, l, "builtin:demo")
					if d.CollapsedA.N != 1 || d.CollapsedA.Of != 2 || !said(d.Notes, "1 of 2 runs of", "1 to 99 %") {
						t.Errorf("notes %q", d.Notes)
					}
					near(t, "mean of the healthy seed", d.MeanA, healthy)
					if d.Verdict() != "~" {
						t.Error("one healthy seed claims something about a setting")
					}
				}
			}
		}
	})
	t.Run("one seed claims nothing", func(t *testing.T) {
		in := sample.Demo()
		in.Runs = slices.DeleteFunc(in.Runs, func(r compare.Run) bool { return r.Seed != 1 })
		c := compared(t, in)
		for _, d := range c.Contrasts {
			if d.Verdict() != "~" || !math.IsNaN(d.Adjusted) {
				t.Errorf("%s: %s against %s is %s", d.Kind, d.A, d.B, d.Verdict())
			}
		}
	})
}

func TestGrouping(t *testing.T) {
	t.Run("unfinished runs are listed and not counted", func(t *testing.T) {
		c := compared(t, sample.Hard())
		if len(c.Open) != 2 || !said(c.Limits, "2 runs did not finish") {
			t.Errorf("%d open runs; limits %q", len(c.Open), c.Limits)
		}
		p := line(t, c, "ModernBERT-base").At(4)
		if len(p.Runs) != 2 || len(p.Open) != 1 || p.Open[0].State != "failed" {
			t.Errorf("%d finished, %d open", len(p.Runs), len(p.Open))
		}
	})
	t.Run("a key that moves with the backbone is a footnote", func(t *testing.T) {
		c := compared(t, sample.Hard())
		if len(c.Lines) != 5 || !said(c.Differences(), "varies in train.lr", "5e-05", "0.002") {
			t.Errorf("%d lines, differences %q", len(c.Lines), c.Differences())
		}
	})
	t.Run("a key that varies within a point makes lines", func(t *testing.T) {
		in := sample.Demo()
		for i := range in.Runs {
			r := in.Runs[i]
			r.ID = "other" + r.ID
			r.Config = slices.Clone(r.Config)
			for j := range r.Config {
				if r.Config[j].Key == "model.target" {
					r.Config[j].Value = "logits"
				}
			}
			in.Runs = append(in.Runs, r)
		}
		c := compared(t, in)
		var names []string
		for _, l := range c.Lines {
			names = append(names, l.Name())
			for _, p := range l.Points {
				if len(p.Runs) != 2 {
					t.Errorf("%s k = %s has %d runs", l.Name(), p.Text, len(p.Runs))
				}
			}
		}
		if len(names) != 4 || !slices.Contains(names, "demo-bert, target logits") {
			t.Errorf("lines %q", names)
		}
	})
	t.Run("a difference that does not change the run is spread, with a footnote", func(t *testing.T) {
		in := sample.Demo()
		in.Runs[2].Config = append(slices.Clone(in.Runs[2].Config), compare.Setting{Key: "zz"})
		in.Runs[2].Config[len(in.Runs[2].Config)-1] = compare.Setting{Key: "train.micro_batch", Value: "8"}
		slices.SortFunc(in.Runs[2].Config, func(a, b compare.Setting) int { return strings.Compare(a.Key, b.Key) })
		c := compared(t, in)
		p := line(t, c, "demo-bert").At(0.25)
		if len(c.Lines) != 2 || !reflect.DeepEqual(p.Varies, []string{"train.micro_batch"}) {
			t.Errorf("%d lines, varies %q", len(c.Lines), p.Varies)
		}
	})
	t.Run("order of input does not matter", func(t *testing.T) {
		a, in := compared(t, sample.Demo()), sample.Demo()
		slices.Reverse(in.Runs)
		slices.Reverse(in.Baselines)
		b := compared(t, in)
		if fmt.Sprint(a.Findings, a.Limits) != fmt.Sprint(b.Findings, b.Limits) {
			t.Error("findings differ")
		}
	})
}

func TestLoadedNorm(t *testing.T) {
	l := line(t, compared(t, sample.Demo()), "demo-bert")
	near(t, "step 0 times k", l.LoadedNorm().Mean, 0.714)

	in := sample.Demo()
	in.Runs[0].HeadNorms = append(in.Runs[0].HeadNorms, compare.HeadNorm{Step: -1, Mean: 0.7})
	near(t, "as recorded", line(t, compared(t, in), "demo-bert").LoadedNorm().Mean, 0.7)
}
