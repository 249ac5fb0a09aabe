package compare_test

import (
	"slices"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
)

func lineNames(c *compare.Comparison) []string {
	var out []string
	for _, l := range c.Lines {
		out = append(out, l.Name())
	}
	return out
}

// set gives every second run of a sweep, by its seed, another value of a key.
func set(in *compare.Input, key string, value func(r *compare.Run) string) {
	for i := range in.Runs {
		r := &in.Runs[i]
		config := slices.DeleteFunc(slices.Clone(r.Config), func(s compare.Setting) bool { return s.Key == key })
		at, _ := slices.BinarySearchFunc(config, key, func(s compare.Setting, key string) int {
			if s.Key < key {
				return -1
			}
			return 1
		})
		r.Config = slices.Insert(config, at, compare.Setting{Key: key, Value: value(r)})
	}
}

func TestLinesAreNamedByTheirAxes(t *testing.T) {
	in := sample.Lambda()
	c := compared(t, in)
	want := []string{"demo-bert, λ 0.01", "demo-bert, λ 0.1", "demo-modernbert, λ 0.01", "demo-modernbert, λ 0.1"}
	if got := lineNames(c); !slices.Equal(got, want) {
		t.Errorf("both λ alike: %q, want %q", got, want)
	}
	if got := c.AxisNames(); !slices.Equal(got, []string{"λ"}) {
		t.Errorf("axes %q", got)
	}
	for i := 1; i < len(c.Runs); i++ {
		if a, b := c.Runs[i-1], c.Runs[i]; a.Backbone == b.Backbone && a.Setting("regularizer.lambda_query") > b.Setting("regularizer.lambda_query") {
			t.Errorf("%s stands before %s", a.Label, b.Label)
		}
	}

	set(in, "regularizer.lambda_query", func(r *compare.Run) string { return "0.01" })
	if got := lineNames(compared(t, in))[1]; got != "demo-bert, λ_d 0.1" {
		t.Errorf("λ of documents alone: %q", got)
	}

	in = sample.Lambda()
	set(in, "train.lr", func(r *compare.Run) string {
		return map[string]string{"0.01": "2e-05", "0.1": "0.001"}[r.Setting("regularizer.lambda_query")]
	})
	set(in, "loss.kind", func(r *compare.Run) string {
		return map[string]string{"0.01": "kl", "0.1": "infonce"}[r.Setting("regularizer.lambda_query")]
	})
	// Of two λ of queries at one of documents, each line says both.
	set(in, "regularizer.lambda_query", func(r *compare.Run) string { return "0." + r.Setting("regularizer.lambda_document")[2:] + "5" })
	want = []string{"demo-bert, loss infonce, λ_d 0.1, λ_q 0.15, lr 0.001", "demo-bert, loss kl, λ_d 0.01, λ_q 0.015, lr 2e-05"}
	if got := lineNames(compared(t, in))[:2]; !slices.Equal(got, want) {
		t.Errorf("more axes: %q, want %q", got, want)
	}
}

func TestLinesStandInNumericOrder(t *testing.T) {
	in := sample.Demo()
	values := []string{"16", "8", "128", "2e2"}
	var runs []compare.Run
	for i, v := range values {
		for _, r := range in.Runs[4:6] {
			r.ID = string(rune('a'+i)) + r.ID
			r.Config = slices.Clone(r.Config)
			for j := range r.Config {
				if r.Config[j].Key == "train.batch" {
					r.Config[j].Value = v
				}
			}
			runs = append(runs, r)
		}
	}
	in.Runs = runs
	want := []string{"demo-bert, batch 8", "demo-bert, batch 16", "demo-bert, batch 128", "demo-bert, batch 2e2"}
	if got := lineNames(compared(t, in)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNothingIsBestWhereAllCollapsed: a line of collapsed runs has no best k.
func TestNothingIsBestWhereAllCollapsed(t *testing.T) {
	in := sample.Demo()
	for i := range in.Runs {
		in.Runs[i].Verdict = "empty"
	}
	c := compared(t, in)
	for _, line := range c.Lines {
		if line.Best != nil {
			t.Errorf("%s: the best k is %s", line.Name(), line.Best.Text)
		}
	}
	if said(c.Findings, "best k") {
		t.Errorf("findings %q", c.Findings)
	}
}
