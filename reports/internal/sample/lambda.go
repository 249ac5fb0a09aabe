package sample

import (
	"fmt"

	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/compare"
)

// Lambda is the demo's sweep at two λ, of queries and documents alike. The runs of the
// greater one are sparser, and the natural head collapses there.
func Lambda() *compare.Input {
	in := Demo()
	var runs []compare.Run
	for _, r := range in.Runs {
		if r.Rescale == 0.125 || r.Rescale == 0.25 {
			continue
		}
		runs = append(runs, r, harder(r, "0.1"))
	}
	in.Runs = runs
	return in
}

// harder is a plausible run at a greater λ.
func harder(r compare.Run, lambda string) compare.Run {
	r.ID = digest(r.ID + lambda)
	r.Label = fmt.Sprintf("%s-%s", r.Label[:len(r.Label)-5], r.ID[:4])
	var config []compare.Setting
	for _, s := range r.Config {
		if s.Key == "regularizer.lambda_query" || s.Key == "regularizer.lambda_document" {
			s.Value = lambda
		}
		config = append(config, s)
	}
	r.Config = config
	var evaluations []compare.Evaluation
	for _, e := range r.Evaluations {
		share := 0.9
		if r.Rescale == 1 {
			share = 0
		}
		measured := answers(r.ID, e.Dataset, e.Queries, share*e.Measures["nDCG@10"], share*e.Measures["RR@10"])
		measured.ActiveQuery, measured.ActiveDocument, measured.Flops = e.ActiveQuery*share/3, e.ActiveDocument*share/3, e.Flops*share/9
		evaluations = append(evaluations, measured)
	}
	r.Evaluations = evaluations
	if r.Rescale == 1 {
		r.Verdict = stability.Empty
		r.Episodes = []compare.Episode{{Kind: stability.Empty, Severity: event.SeverityCollapse, Series: "active/query", FirstStep: 60, LastStep: steps - 1, Stands: true}}
	}
	return r
}

// Fine is one backbone at 21 values of k, one seed each.
func Fine() *compare.Input {
	in := Demo()
	base := in.Runs[4]
	in.Runs = nil
	for i := range 21 {
		r := base
		r.Rescale = float64(1 + i)
		r.ID = digest(fmt.Sprint("fine", i))
		r.Label = fmt.Sprintf("demo-bert-k%d-s1-%s", 1+i, r.ID[:4])
		in.Runs = append(in.Runs, r)
	}
	return in
}
