package evaluate

import (
	"context"
	"fmt"

	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/metrics/sparsity"
	"headroom/runner/search"
)

// KeepOn writes an evaluation's files to another disk.
func KeepOn(disk atomic.Disk, s Summary, run trec.Run, report ir.Report, dir string) error {
	s.run, s.report = run, report
	_, err := s.keep(disk, dir)
	return err
}

// DocumentCuts are the cuts of documents that are measured.
func DocumentCuts(c Cuts, documents, queries, longest int) []int {
	return c.documents(documents, queries, longest)
}

// Trace is the curve of vectors that are there: of documents d1, d2, … and queries q1, q2, ….
func Trace(ctx context.Context, similarity string, documents, queries []search.Vector, qrels trec.Qrels, measures []measure.Measure, cuts Cuts) ([]record.Cut, error) {
	encoder := &Encoder{similarity: similarity}
	c := &curve{CollectionOptions: CollectionOptions{Measures: measures, Cuts: cuts}, encoder: encoder, asked: judged{qrels: qrels},
		queries: queries, inDocuments: new(sparsity.Counter), inQueries: new(sparsity.Counter)}
	builder := search.NewBuilder(search.Options{})
	for i, v := range encoder.scaleVectors(documents) {
		c.inDocuments.Add(v.Terms)
		if err := builder.Add(fmt.Sprint("d", i+1), v); err != nil {
			return nil, err
		}
	}
	for i, v := range queries {
		c.asked.ids = append(c.asked.ids, fmt.Sprint("q", i+1))
		c.inQueries.Add(v.Terms)
	}
	var err error
	if c.whole, err = builder.Finish(); err != nil {
		return nil, err
	}
	s, err := Summary{}.withCurve(ctx, c)
	return s.Curve, err
}

// InBlocksOf sets how many documents are a block.
func (d *Documents) InBlocksOf(n int) *Documents {
	d.size = n
	return d
}
