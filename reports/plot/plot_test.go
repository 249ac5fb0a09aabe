package plot_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/plot"
)

func compared(t *testing.T, in *compare.Input) *compare.Comparison {
	t.Helper()
	c, err := compare.Compare(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func all(c *compare.Comparison) []*plot.Figure {
	figures := []*plot.Figure{plot.Loss(c), plot.Effectiveness(c, "builtin:demo", []string{"nDCG@10", "RR@10"}),
		plot.Effectiveness(c, "builtin:demo-no-overlap", []string{"nDCG@10", "RR@10"}), plot.Active(c), plot.HeadNorm(c)}
	if cost, ok := plot.Cost(c, "builtin:demo"); ok {
		figures = append(figures, cost)
	}
	if matched, ok := plot.MatchedFigure(c); ok {
		figures = append(figures, matched)
	}
	if grid, ok := plot.Map(c, "builtin:demo"); ok {
		figures = append(figures, grid)
	}
	if dev, ok := plot.Dev(c); ok {
		figures = append(figures, dev)
	}
	if parts, ok := plot.LossParts(c); ok {
		figures = append(figures, parts)
	}
	return figures
}

// watched gives some of a sweep's runs a curve on dev data, one with a gap.
func watched() *compare.Input {
	in := sample.Demo()
	for i := range in.Runs {
		if i%5 == 0 {
			continue
		}
		r := &in.Runs[i]
		r.DevMeasure = "nDCG@10"
		for step := 25; step <= 150; step += 25 {
			v := float64(step+i) / 400
			if i == 3 && step > 75 {
				v = math.NaN()
			}
			r.Dev.Steps, r.Dev.Values = append(r.Dev.Steps, step), append(r.Dev.Values, v)
		}
		if i%2 == 0 {
			r.Selected = 100
		}
	}
	return in
}

// inputs are the sweeps that every figure must cope with.
func inputs() map[string]*compare.Input {
	bare := sample.Demo()
	for i := range bare.Runs {
		r := &bare.Runs[i]
		r.Series, r.HeadNorms, r.Evaluations, r.Episodes = nil, nil, nil, nil
	}
	broken := sample.Demo()
	for i := range broken.Runs {
		for name, s := range broken.Runs[i].Series {
			for j := range s.Values {
				s.Values[j] = math.NaN()
			}
			broken.Runs[i].Series[name] = s
		}
		for j := range broken.Runs[i].Episodes {
			broken.Runs[i].Episodes[j].Loss = math.NaN()
		}
	}
	one := sample.Demo()
	one.Runs = one.Runs[4:5]
	auto := sample.Demo()
	for i := range auto.Runs {
		auto.Runs[i].Rescale = math.NaN()
	}
	return map[string]*compare.Input{"demo": sample.Demo(), "hard": sample.Hard(), "no data": bare, "nothing finite": broken,
		"one run": one, "lambda": sample.Lambda(), "21 k": sample.Fine(), "k not known": auto, "watched": watched(), "no runs": {Sweep: "none"}}
}

func render(t *testing.T, f *plot.Figure) (svg, raster []byte) {
	t.Helper()
	var s, p bytes.Buffer
	if err := f.SVG(&s); err != nil {
		t.Fatal(err)
	}
	if err := f.PNG(&p); err != nil {
		t.Fatal(err)
	}
	return s.Bytes(), p.Bytes()
}

func TestSameBytes(t *testing.T) {
	for i, f := range all(compared(t, sample.Hard())) {
		svg, raster := render(t, f)
		again := all(compared(t, sample.Hard()))[i]
		svg2, raster2 := render(t, again)
		if !bytes.Equal(svg, svg2) || !bytes.Equal(raster, raster2) {
			t.Errorf("%s differs between two drawings", f.Name)
		}
	}
}

// TestMap reads the map of a sweep of k and λ, and finds none if only k varies.
func TestMap(t *testing.T) {
	if _, ok := plot.Map(compared(t, sample.Demo()), "builtin:demo"); ok {
		t.Error("a map over k alone is drawn")
	}
	in := sample.Lambda()
	in.Runs = in.Runs[:len(in.Runs)-2] // k = 16 at both λ has one seed left
	for i := range in.Runs {
		if r := &in.Runs[i]; r.Backbone == "recipe:demo-bert" && r.Rescale == 4 && r.Setting("regularizer.lambda_query") == "0.1" && r.Seed == 1 {
			r.Verdict = "stalled"
		}
		if r := &in.Runs[i]; r.Backbone == "recipe:demo-bert" && r.Rescale == 16 {
			r.Evaluations = nil
		}
	}
	f, ok := plot.Map(compared(t, in), "builtin:demo")
	if !ok {
		t.Fatal("no map is drawn")
	}
	svg, _ := render(t, f)
	for want, times := range map[string]int{"λ 0.01": 2, "λ 0.1": 2, "empty": 2, "2 of 2": 2, "1 of 2 stalled": 1, "n = 2": 5, "n = 1": 2, "–": 2, "0.000": 0} {
		if got := bytes.Count(svg, []byte(">"+want+"</text>")); got != times {
			t.Errorf("%q stands %d times in the map, want %d", want, got, times)
		}
	}
}

// TestWhatWasNotMeasuredIsNotDrawnAsZero: an untrained model whose vectors are too dense to search
// has no value, and BM25 may have another measure only.
func TestWhatWasNotMeasuredIsNotDrawnAsZero(t *testing.T) {
	in := sample.Demo()
	for i := range in.Baselines {
		in.Baselines[i].Evaluation.Measures = map[string]float64{"P@5": .5}
	}
	c := compared(t, in)
	figures := []*plot.Figure{plot.Effectiveness(c, "builtin:demo", []string{"nDCG@10"})}
	if cost, ok := plot.Cost(c, "builtin:demo"); ok {
		figures = append(figures, cost)
	}
	for _, f := range figures {
		svg, _ := render(t, f)
		for _, name := range []string{"untrained", "BM25", "0.000"} {
			if bytes.Contains(svg, []byte(">"+name+"</text>")) {
				t.Errorf("%s has a line for %s", f.Name, name)
			}
		}
	}
}

// TestOneCostHasATick: an axis of costs that are all alike has numbers all the same.
func TestOneCostHasATick(t *testing.T) {
	f, ok := plot.Cost(compared(t, sample.Fine()), "builtin:demo")
	if !ok {
		t.Fatal("no cost is drawn")
	}
	svg, _ := render(t, f)
	if !bytes.Contains(svg, []byte(">3</text>")) || !bytes.Contains(svg, []byte(">4</text>")) {
		t.Error("the axis of FLOPS has no numbers around 3.26")
	}
}

// TestManyLinesAreDrawnInOneMeasure: 12 settings of two measures would be 24 panels.
func TestManyLinesAreDrawnInOneMeasure(t *testing.T) {
	in := sample.Lambda()
	var runs []compare.Run
	for _, r := range in.Runs {
		for i, lr := range []string{"0.002", "0.0005", "2e-05"} {
			r.ID = strconv.Itoa(i) + r.ID
			r.Config = append([]compare.Setting(nil), r.Config...)
			for j := range r.Config {
				if r.Config[j].Key == "train.lr" {
					r.Config[j].Value = lr
				}
			}
			runs = append(runs, r)
		}
	}
	in.Runs = runs
	f := plot.Effectiveness(compared(t, in), "builtin:demo", []string{"RR@10", "nDCG@10"})
	svg, _ := render(t, f)
	if bytes.Contains(svg, []byte("RR@10")) || !strings.HasPrefix(f.Caption, "nDCG@10 against k") {
		t.Errorf("more than one measure is drawn, or the caption says so: %q", f.Caption)
	}
	for _, want := range []string{"demo-modernbert,", "λ 0.1, lr 0.0005"} {
		if !bytes.Contains(svg, []byte(">"+want+"</text>")) {
			t.Errorf("no panel is called %q", want)
		}
	}
}

// TestHeadNormHasOneSymbolPerHead: λ does not make another head of a backbone.
func TestHeadNormHasOneSymbolPerHead(t *testing.T) {
	svg, _ := render(t, plot.HeadNorm(compared(t, sample.Lambda())))
	if !bytes.Contains(svg, []byte(">demo-bert</text>")) || bytes.Contains(svg, []byte("λ")) {
		t.Error("the head norms are not by backbone")
	}
	in := sample.Lambda()
	for i := range in.Runs {
		if r := &in.Runs[i]; r.Setting("regularizer.lambda_query") == "0.1" {
			r.HeadNorms = []compare.HeadNorm{{Mean: 3, P05: 2, P50: 3, P95: 4, Max: 5}}
		}
	}
	svg, _ = render(t, plot.HeadNorm(compared(t, in)))
	for _, want := range []string{">demo-bert, λ 0.01</text>", ">demo-bert, λ 0.1</text>"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("heads that differ: no %s", want)
		}
	}
}

// TestSaid looks for the words that a figure must have.
func TestSaid(t *testing.T) {
	demo, hard := compared(t, sample.Demo()), compared(t, sample.Hard())
	cost, ok := plot.Cost(demo, "builtin:demo")
	if !ok {
		t.Fatal("no cost is drawn")
	}
	parts, ok := plot.LossParts(demo)
	if !ok {
		t.Fatal("no part of the loss is drawn")
	}
	cases := []struct {
		name string
		f    *plot.Figure
		want []string
	}{
		{"cost", cost, []string{"FLOPS (log scale)", "demo-bert", "demo-modernbert", "BM25", "as trained (a dot per λ)", "16", "10"}},
		{"loss", plot.Loss(demo), []string{"training step", "loss (log scale)", "demo-bert", "demo-modernbert", "k=1/8 identical", "k=1/4 empty", "k=1/8 stalled", "1/8", "16"}},
		{"parts", parts, []string{"contrastive part (log)", "regularizer, queries (log)", "regularizer, documents (log)", "chance level, ln(candidates) = 3.47"}},
		{"loss that is not finite", plot.Loss(hard), []string{"loss not finite", "k=1/4 non_finite"}},
		{"effectiveness", plot.Effectiveness(demo, "builtin:demo", []string{"nDCG@10", "RR@10"}), []string{"nDCG@10", "RR@10", "k (log scale)", "BM25", "0.432", "untrained", "collapsed seed", "1/4"}},
		{"active", plot.Active(demo), []string{"active dims, query", "active dims, document", "training step", "0", "1000"}},
		{"head norm", plot.HeadNorm(demo), []string{"as loaded", "k = 1/8", "k = 16", "row norm (log scale)", "0.71", "0.73", "5.7"}},
		{"nothing", plot.Loss(compared(t, &compare.Input{})), []string{"no data yet"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			svg, _ := render(t, c.f)
			for _, want := range c.want {
				if !bytes.Contains(svg, []byte(">"+want+"</text>")) {
					t.Errorf("the figure does not say %q", want)
				}
			}
		})
	}
}

// TestGapsAreKept: a curve that is not finite in its middle is two curves and a mark.
func TestGapsAreKept(t *testing.T) {
	whole := sample.Demo()
	whole.Runs = whole.Runs[4:5]
	svgWhole, _ := render(t, plot.Loss(compared(t, whole)))
	gap := sample.Demo()
	gap.Runs = gap.Runs[4:5]
	gap.Runs[0].Series["loss"].Values[70] = math.Inf(1)
	svgGap, _ := render(t, plot.Loss(compared(t, gap)))
	if bytes.Contains(svgWhole, []byte("loss not finite")) || !bytes.Contains(svgGap, []byte("loss not finite")) {
		t.Error("the legend does not tell the two apart")
	}
	// The colour of the only k; its legend sample is one path in both.
	paths := func(svg []byte) int { return bytes.Count(svg, []byte("stroke:#261D6C")) }
	// One curve becomes two, a cross of two strokes and a stroke along the edge.
	if whole, gap := paths(svgWhole), paths(svgGap); whole != 2 || gap < 6 {
		t.Errorf("%d strokes whole, %d with a gap", whole, gap)
	}
}
