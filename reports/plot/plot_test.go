package plot_test

import (
	"testing"

	"headroom/metrics/stats"
	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/plot"
)

func TestLook(t *testing.T) {
	c, err := compare.Compare(sample.Demo(), stats.DefaultResampling())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*plot.Figure{plot.Loss(c), plot.Effectiveness(c, "builtin:demo", []string{"nDCG@10", "RR@10"}), plot.Effectiveness(c, "builtin:demo-no-overlap", []string{"nDCG@10", "RR@10"}), plot.Active(c), plot.HeadNorm(c)} {
		if err := f.Write("/tmp/look"); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range c.Findings {
		t.Log(f)
	}
	for _, f := range c.Limits {
		t.Log("- " + f)
	}
}
