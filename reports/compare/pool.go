package compare

import (
	"math"
	"slices"

	"headroom/metrics/stats"
)

// Pool adds an evaluation on a group to each run that was measured on all its members: the mean
// over its collections, all with the same weight. It changes in.
func Pool(in *Input, group string, members []string) {
	for i := range in.Runs {
		r := &in.Runs[i]
		var each []*Evaluation
		for _, name := range members {
			if e := r.Evaluation(name, ""); e != nil {
				each = append(each, e)
			}
		}
		if len(each) == len(members) && r.Evaluation(group, "") == nil {
			r.Evaluations = append(slices.Clone(r.Evaluations), pooled(group, each))
		}
	}
}

func pooled(group string, each []*Evaluation) Evaluation {
	out := Evaluation{ID: group, Dataset: group, Split: each[0].Split, TieShare: math.NaN()}
	var flops, query, document []float64
	var measures, perQuery []map[string]float64
	out.PerQuery = map[string]map[string]float64{}
	for _, e := range each {
		out.Queries += e.Queries
		out.Documents += e.Documents
		flops, query, document = append(flops, e.Flops), append(query, e.ActiveQuery), append(document, e.ActiveDocument)
		measures = append(measures, e.Measures)
	}
	out.Flops, out.ActiveQuery, out.ActiveDocument = stats.Mean(flops), stats.Mean(query), stats.Mean(document)
	out.Measures = meanOf(measures)
	for measure := range out.Measures {
		perQuery = nil
		for _, e := range each {
			perQuery = append(perQuery, e.PerQuery[measure])
		}
		out.PerQuery[measure] = weighted(each, perQuery)
	}
	for _, cut := range each[0].Curve {
		if p, ok := pooledCut(each, cut.Side, cut.Terms); ok {
			out.Curve = append(out.Curve, p)
		}
	}
	return out
}

// pooledCut is a cut's mean over collections; false if one lacks it.
func pooledCut(each []*Evaluation, side string, terms int) (CurvePoint, bool) {
	var flops, query, document []float64
	var measures []map[string]float64
	var cuts []CurvePoint
	for _, e := range each {
		at := slices.IndexFunc(e.Curve, func(p CurvePoint) bool { return p.Side == side && p.Terms == terms })
		if at < 0 {
			return CurvePoint{}, false
		}
		p := e.Curve[at]
		cuts = append(cuts, p)
		flops, query, document = append(flops, p.Flops), append(query, p.ActiveQuery), append(document, p.ActiveDocument)
		measures = append(measures, p.Measures)
	}
	out := CurvePoint{Side: side, Terms: terms, Flops: stats.Mean(flops), ActiveQuery: stats.Mean(query), ActiveDocument: stats.Mean(document),
		Measures: meanOf(measures), PerQuery: map[string]map[string]float64{}}
	for measure := range out.Measures {
		var perQuery []map[string]float64
		for _, p := range cuts {
			perQuery = append(perQuery, p.PerQuery[measure])
		}
		out.PerQuery[measure] = weighted(each, perQuery)
	}
	return out, true
}

// meanOf returns the means of the values that all have.
func meanOf(each []map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for name := range each[0] {
		var values []float64
		for _, m := range each {
			if v, ok := m[name]; ok {
				values = append(values, v)
			}
		}
		if len(values) == len(each) {
			out[name] = stats.Mean(values)
		}
	}
	return out
}

// weighted returns values per query whose mean over all queries is the mean over collections:
// queries of small collections get more weight. Their spread includes the differences between
// collections, so a test is rather too careful.
func weighted(each []*Evaluation, perQuery []map[string]float64) map[string]float64 {
	all := 0
	for _, values := range perQuery {
		if len(values) == 0 {
			return nil
		}
		all += len(values)
	}
	out := make(map[string]float64, all)
	for i, values := range perQuery {
		weight := float64(all) / float64(len(perQuery)*len(values))
		for q, v := range values {
			out[each[i].Dataset+"\x00"+q] = weight * v
		}
	}
	return out
}
