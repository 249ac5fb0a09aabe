package sample

import (
	"fmt"
	"math"

	"headroom/internal/names"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/reports/compare"
	"headroom/sweeps"
)

// Hard is an input that is difficult for a layout: five backbones with long names,
// nine k, three seeds, long series, a loss that is not finite, failed and running
// runs, a learning rate that varies with the backbone.
func Hard() *compare.Input {
	in := &compare.Input{Sweep: "rescale-by-backbone", Question: "Which rescale factors keep large-norm backbones from collapsing?", Revision: "0003"}
	backbones := []string{"google-bert/bert-base-uncased", "answerdotai/ModernBERT-base", "jhu-clsp/ettin-encoder-150m", "FacebookAI/roberta-base", "distilbert/distilbert-base-uncased"}
	for i, name := range backbones {
		norm := []float64{1.4, 3.1, 5.2, 0.9, 1.2}[i]
		for j := range 9 {
			k := math.Exp2(float64(j - 2))
			for seed := range 3 {
				gain := math.Exp(-math.Pow(math.Log2(k/norm), 2) / 12)
				r := row{k: k, verdict: [2]string{stability.Healthy, stability.Healthy}, onset: 40}
				for s := range 2 {
					r.step0[s], r.last[s] = 40*norm/k+3, 0.2+1/(0.2+gain)
					r.ndcg[s], r.rr[s], r.hidden[s] = 0.42*gain, 0.36*gain, 0.3*gain
				}
				r.active = [2]float64{30 + 5*float64(j), 120 + 30*float64(j)}
				if norm/k > 8 {
					r.verdict = [2]string{stability.NonFinite, stability.Identical}
				}
				one := run(name, norm, r, seed%2)
				one.Seed = int64(seed + 1)
				one.ID = digest(fmt.Sprint(one.ID, seed))
				one.Label = fmt.Sprintf("%s-k%g-s%d-%s", names.Last(name), k, seed+1, one.ID[:4])
				stretch(&one, 50)
				if i%2 == 0 {
					set(&one, "train.lr", "5e-05")
				}
				switch {
				case one.Verdict == "non_finite":
					s := one.Series["loss"]
					for at := r.onset; at < len(s.Values); at++ {
						s.Values[at] = math.NaN()
					}
					one.Episodes[0].Loss = math.NaN()
				case i == 1 && j == 4 && seed == 2:
					one.State, one.Verdict, one.Error, one.Evaluations = record.StateFailed, "", "out of memory", nil
				case i == 2 && j == 8 && seed == 1:
					one.State, one.Verdict, one.Step, one.Evaluations = record.StateRunning, "", 2100, nil
				}
				in.Runs = append(in.Runs, one)
			}
		}
		in.Baselines = append(in.Baselines, compare.Baseline{Name: sweeps.Untrained, Backbone: name, Evaluation: answers(name+"untrained", "builtin:demo", queries, .01*float64(i+1), .01)})
	}
	in.Baselines = append(in.Baselines, compare.Baseline{Name: sweeps.BM25, Evaluation: answers("bm25", "builtin:demo", queries, .30, .31)})
	return in
}

// stretch makes every step of a run's series and episodes times steps long.
func stretch(r *compare.Run, times int) {
	for _, s := range r.Series {
		for i := range s.Steps {
			s.Steps[i] *= times
		}
	}
	for i := range r.Episodes {
		r.Episodes[i].FirstStep *= times
		r.Episodes[i].LastStep *= times
	}
	r.Step *= times
}

func set(r *compare.Run, key, value string) {
	for i := range r.Config {
		if r.Config[i].Key == key {
			r.Config[i].Value = value
		}
	}
}
