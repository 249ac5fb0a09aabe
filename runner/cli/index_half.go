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

// halfEffect is the effect of weights of 16 bits.
type halfEffect struct {
	Float32 float64 `json:"float32"`
	Float16 float64 `json:"float16"`
	Queries int     `json:"queries"` // of the qrels
	// Changed is the number of queries with other first documents, or another order of them.
	Changed int `json:"changed"`
}

// effectDepth is the number of first documents that are compared, the depth of the measure.
const effectDepth = 10

// halfEffect searches the new index and one with exact weights, which it builds for this purpose.
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
