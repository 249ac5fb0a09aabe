package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
	"headroom/runner/search"
)

// halfEffect is what weights of 16 bits change.
type halfEffect struct {
	Float32 float64 `json:"float32"`
	Float16 float64 `json:"float16"`
	Queries int     `json:"queries"` // of the qrels
	// Changed are the queries that rank other documents first, or in another order.
	Changed int `json:"changed"`
}

// effectDepth is how many first documents are compared, as many as the measure looks at.
const effectDepth = 10

// halfEffect searches the index that was made and one of exact weights, which is made for this alone.
func (a *app) halfEffect(ctx context.Context, vectors string, o indexOptions) (effect *halfEffect, err error) {
	qrels, err := readFile(a, o.qrels, trec.ReadQrels)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(filepath.Clean(o.output)), atomic.Unfinished)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	exact := filepath.Join(folder, "exact")
	if _, err := search.IndexFile(ctx, vectors, exact); err != nil {
		return nil, err
	}
	measures, err := measure.ParseAll([]string{"nDCG@10"})
	if err != nil {
		return nil, err
	}
	var runs [2]trec.Run
	var values [2]float64
	for i, dir := range []string{exact, o.output} {
		var text bytes.Buffer
		if _, _, err := search.SearchFile(ctx, dir, o.queries, effectDepth, &text); err != nil {
			return nil, err
		}
		if runs[i], err = trec.ReadRun(&text, "the run of "+dir); err != nil {
			return nil, err
		}
		result, err := ir.Evaluate(qrels, runs[i], measures)
		if err != nil {
			return nil, err
		}
		values[i] = ir.NewReport(result).Values()[measures[0].String()]
	}
	effect = &halfEffect{Float32: values[0], Float16: values[1], Queries: len(qrels.Queries())}
	for query, ranking := range runs[0] {
		same := slices.EqualFunc(ranking, runs[1][query], func(x, y trec.Scored) bool { return x.Doc == y.Doc })
		if !same {
			effect.Changed++
		}
	}
	return effect, nil
}
