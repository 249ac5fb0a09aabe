// Package sample makes a comparison's input that looks like the demo's: two
// small backbones, five k, two seeds, three kinds of collapse. Tests of the
// reports use it; nothing in it was measured by this program.
package sample

import (
	"fmt"
	"hash/fnv"
	"math"

	"headroom/internal/names"
	"headroom/metrics/event"
	"headroom/metrics/outline"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/reports/compare"
	"headroom/sweeps"
)

// row holds the results of a run.
type row struct {
	k                float64
	step0, last      [2]float64 // loss, by seed
	ndcg, rr, hidden [2]float64 // hidden: nDCG@10 of queries without word overlap
	active           [2]float64 // query, document
	verdict          [2]string
	onset            int
}

const (
	steps   = 150
	queries = 300
	overlap = 100 // queries without word overlap
)

func bert() (name string, norm float64, rows []row) {
	return "recipe:demo-bert", 0.714, []row{
		{.125, [2]float64{297, 243}, [2]float64{3.48, 3.53}, [2]float64{.001, .004}, [2]float64{.001, .005}, [2]float64{0, .001}, [2]float64{19, 19}, [2]string{stability.Identical, stability.Identical}, 52},
		{.25, [2]float64{193, 163}, [2]float64{3.47, 2.80}, [2]float64{.000, .054}, [2]float64{.000, .053}, [2]float64{0, .002}, [2]float64{10, 19}, [2]string{stability.Empty, stability.Healthy}, 92},
		{1, [2]float64{52, 50}, [2]float64{.78, .69}, [2]float64{.477, .479}, [2]float64{.479, .486}, [2]float64{.021, .019}, [2]float64{42, 99}, [2]string{stability.Healthy, stability.Healthy}, 0},
		{4, [2]float64{6.7, 7.9}, [2]float64{.42, .35}, [2]float64{.602, .639}, [2]float64{.597, .639}, [2]float64{.31, .34}, [2]float64{126, 247}, [2]string{stability.Healthy, stability.Healthy}, 0},
		{16, [2]float64{3.3, 3.3}, [2]float64{.31, .29}, [2]float64{.671, .654}, [2]float64{.655, .643}, [2]float64{.486, .45}, [2]float64{189, 331}, [2]string{stability.Healthy, stability.Healthy}, 0},
	}
}

func modern() (name string, norm float64, rows []row) {
	return "recipe:demo-modernbert", 0.728, []row{
		{.125, [2]float64{692, 606}, [2]float64{3.44, 2.75}, [2]float64{.000, .077}, [2]float64{.000, .068}, [2]float64{0, .001}, [2]float64{14, 26}, [2]string{stability.Stalled, stability.Stalled}, 60},
		{.25, [2]float64{468, 407}, [2]float64{1.73, 1.34}, [2]float64{.255, .322}, [2]float64{.259, .320}, [2]float64{.004, .01}, [2]float64{23, 47}, [2]string{stability.Healthy, stability.Healthy}, 0},
		{1, [2]float64{139, 118}, [2]float64{.84, .71}, [2]float64{.442, .473}, [2]float64{.451, .477}, [2]float64{.02, .03}, [2]float64{48, 92}, [2]string{stability.Healthy, stability.Healthy}, 0},
		{4, [2]float64{14, 11}, [2]float64{.42, .39}, [2]float64{.596, .623}, [2]float64{.585, .621}, [2]float64{.33, .30}, [2]float64{130, 231}, [2]string{stability.Healthy, stability.Healthy}, 0},
		{16, [2]float64{3.3, 3.3}, [2]float64{.28, .29}, [2]float64{.703, .679}, [2]float64{.692, .667}, [2]float64{.50, .47}, [2]float64{200, 326}, [2]string{stability.Healthy, stability.Healthy}, 0},
	}
}

// Demo is the whole input.
func Demo() *compare.Input {
	in := &compare.Input{Sweep: "demo", Question: "Does dividing the MLM head by k keep a small backbone from collapsing?", Revision: "0001",
		Notes: []string{"The two shapes are small and pretrained for minutes; they stand for nothing larger."}}
	for _, shape := range []func() (string, float64, []row){bert, modern} {
		name, norm, rows := shape()
		for _, r := range rows {
			for seed := range 2 {
				in.Runs = append(in.Runs, run(name, norm, r, seed))
			}
		}
		in.Baselines = append(in.Baselines,
			compare.Baseline{Name: sweeps.Untrained, Backbone: name, Evaluation: answers(name+"untrained", "builtin:demo", queries, .005, .004)},
			compare.Baseline{Name: sweeps.Untrained, Backbone: name, Evaluation: answers(name+"untrained", "builtin:demo-no-overlap", overlap, .003, .003)})
	}
	bm25 := []compare.Evaluation{answers("bm25", "builtin:demo", queries, .449, .456), answers("bm25", "builtin:demo-no-overlap", overlap, 0, 0)}
	for _, e := range bm25 {
		e.ActiveQuery, e.ActiveDocument, e.Flops = math.NaN(), math.NaN(), math.NaN()
		in.Baselines = append(in.Baselines, compare.Baseline{Name: sweeps.BM25, Evaluation: e})
	}
	return in
}

func run(backbone string, norm float64, r row, seed int) compare.Run {
	short := names.Last(backbone)
	out := compare.Run{Backbone: backbone, Rescale: r.k, Seed: int64(seed + 1), State: record.StateDone, Verdict: r.verdict[seed],
		Step: steps - 1, Candidates: 32, Series: map[string]outline.Curve{}}
	out.ID = digest(fmt.Sprint(backbone, r.k, seed))
	out.Label = fmt.Sprintf("%s-k%g-s%d-%s", short, r.k, seed+1, out.ID[:4])
	out.Config = settings(backbone, r.k, seed+1)

	noise := noise(out.ID)
	var loss, contrastive, regularizer, query, document compare.Series
	for s := range steps {
		t := float64(s) / (steps - 1)
		level := r.last[seed] + (r.step0[seed]-r.last[seed])*math.Exp(-9*t)*(1-t)
		total := level * math.Exp(0.22*noise())
		added := 0.1 * level * math.Min(1, math.Pow(float64(s)/50, 2)) // λ rises over 50 steps
		put(&loss, s, total)
		put(&contrastive, s, total-added)
		put(&regularizer, s, added/2)
		put(&query, s, r.active[0]+(900-r.active[0])*math.Exp(-12*t)*(1+0.1*noise()))
		put(&document, s, r.active[1]+(1260-r.active[1])*math.Exp(-10*t)*(1+0.1*noise()))
	}
	if r.verdict[seed] == stability.Empty {
		for s := r.onset; s < steps; s++ {
			query.Values[s], document.Values[s] = 0, 0
		}
	}
	for name, s := range map[string]compare.Series{"loss": loss, "loss/contrastive": contrastive, "loss/reg_query": regularizer, "loss/reg_document": regularizer,
		"active/query": query, "active/document": document} {
		out.Series[name] = outline.Curve{Series: s}
	}
	if r.verdict[seed] != stability.Healthy {
		out.Episodes = append(out.Episodes, compare.Episode{Kind: r.verdict[seed], Severity: event.SeverityCollapse, Series: "cosine/query", FirstStep: r.onset + 9*seed, LastStep: steps - 1, Stands: true, Loss: loss.Values[r.onset+9*seed]})
	}
	if backbone == "recipe:demo-modernbert" && r.k == .25 && seed == 0 {
		out.Episodes = append(out.Episodes, compare.Episode{Kind: stability.Identical, Severity: event.SeverityCollapse, Series: "cosine/document", FirstStep: 51, LastStep: 60})
		out.Recovered = "identical at 51–60"
	}
	out.HeadNorms = []compare.HeadNorm{{Step: 0, Mean: norm / r.k, P05: .7 * norm / r.k, P50: .98 * norm / r.k, P95: 1.4 * norm / r.k, Max: 1.9 * norm / r.k}}

	full := answers(out.ID, "builtin:demo", queries, r.ndcg[seed], r.rr[seed])
	hidden := answers(out.ID, "builtin:demo-no-overlap", overlap, r.hidden[seed], r.hidden[seed])
	for _, e := range []*compare.Evaluation{&full, &hidden} {
		e.ActiveQuery, e.ActiveDocument, e.Flops = r.active[0], r.active[1], r.active[0]*r.active[1]/1275
	}
	out.Evaluations = []compare.Evaluation{full, hidden}
	return out
}

// answers spreads two means over queries: each query is found or not, and a
// found one is at a random rank.
func answers(name, dataset string, n int, ndcg, rr float64) compare.Evaluation {
	e := compare.Evaluation{ID: digest(name + dataset), Dataset: dataset, Split: "test", QrelsDigest: "sha256:" + digest(dataset),
		Queries: n, Documents: 2400, Measures: map[string]float64{}, PerQuery: map[string]map[string]float64{}, ActiveQuery: 900, ActiveDocument: 1260, Flops: 880, TieShare: 0.001}
	for m, mean := range map[string]float64{"nDCG@10": ndcg, "RR@10": rr, "R@1000": math.Min(1, 1.2*ndcg)} {
		random := noise(name + dataset + m)
		values, sum := make([]float64, n), 0.0
		for q := range values {
			values[q] = math.Max(0, math.Min(1, 0.5+3*(random()+mean-0.5)))
			sum += values[q]
		}
		e.PerQuery[m] = map[string]float64{}
		total := 0.0
		for q, v := range values {
			if sum > 0 {
				v = math.Min(1, v*mean*float64(n)/sum)
			}
			e.PerQuery[m][fmt.Sprintf("q%03d", q)] = v
			total += v
		}
		e.Measures[m] = total / float64(n)
	}
	return e
}

func settings(backbone string, k float64, seed int) []compare.Setting {
	s, err := compare.ParseSettings(Config(backbone, k, seed))
	if err != nil {
		panic(err) // the text below is constant
	}
	return s
}

// Config is a run's configuration as a sweep's manifest holds it.
func Config(backbone string, k float64, seed int) []byte {
	return fmt.Appendf(nil, `{"seed":%d,
		"model":{"backbone":%q,"rescale":%g,"target":"decoder","tie":"untie"},
		"data":{"train":"builtin:demo","negatives":0},
		"train":{"steps":%d,"batch":32,"lr":0.002},
		"loss":{"kind":"infonce","candidates":"all"},
		"regularizer":{"lambda_query":0.01,"lambda_document":0.01},
		"evaluate":{"final":["builtin:demo","builtin:demo-no-overlap"],"measures":["nDCG@10","RR@10","R@1000"]}}`, seed, backbone, k, steps)
}

func put(s *compare.Series, step int, v float64) {
	s.Steps = append(s.Steps, step)
	s.Values = append(s.Values, v)
}

// digest is 64 hexadecimal digits that look like an id.
func digest(text string) string {
	h := fnv.New64a()
	out := ""
	for i := range 4 {
		fmt.Fprint(h, i, text)
		out += fmt.Sprintf("%016x", h.Sum64())
	}
	return out
}

// noise is uniform between -1/2 and 1/2, seeded by a text.
func noise(text string) func() float64 {
	h := fnv.New64a()
	fmt.Fprint(h, text)
	state := h.Sum64()
	return func() float64 {
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>11)/(1<<53) - 0.5
	}
}
