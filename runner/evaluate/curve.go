package evaluate

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"headroom/metrics/ir"
	"headroom/metrics/record"
	"headroom/metrics/sparsity"
	"headroom/runner/search"
	"headroom/sweeps"
)

// Cuts are numbers of terms per text to which vectors are cut; an evaluation is repeated
// with each.
type Cuts struct {
	// Document and Query are always evaluated.
	Document, Query []int
	// Usual adds those of UsualCuts for documents if they are cheap.
	Usual bool
}

// UsualCuts are the cuts if none are configured.
func UsualCuts() []int { return []int{8, 16, 32, 64, 128} }

// Compared with encoding the collection, UsualCuts are cheap if there are at least so many
// documents per query, and at most so many queries.
const (
	cheapDocuments = 3
	cheapQueries   = 10_000
)

// CutsOf returns the cuts that a configuration asks for.
func CutsOf(c sweeps.EvaluateConfig) Cuts {
	cuts := Cuts{Usual: c.PruneDocument == nil}
	if c.PruneDocument != nil {
		cuts.Document = *c.PruneDocument
	}
	if c.PruneQuery != nil {
		cuts.Query = *c.PruneQuery
	}
	return cuts
}

// And adds the cuts of the evaluation that will be replaced: another sweep may use them.
func (c Cuts) And(kept record.Evaluation) Cuts {
	c.Document, c.Query = slices.Clone(c.Document), slices.Clone(c.Query)
	for _, cut := range kept.Curve {
		list := &c.Document
		if cut.Side == record.Queries {
			list = &c.Query
		}
		if !slices.Contains(*list, cut.Terms) {
			*list = append(*list, cut.Terms)
		}
	}
	return c
}

func (c Cuts) any() bool { return c.Usual || len(c.Document)+len(c.Query) > 0 }

// documents returns the cuts of documents, given the length of the longest vector, the
// greatest cut first.
func (c Cuts) documents(documents, queries, longest int) []int {
	list := slices.Clone(c.Document)
	if c.Usual && queries <= cheapQueries && documents >= cheapDocuments*queries {
		for _, terms := range UsualCuts() {
			if terms < longest && !slices.Contains(list, terms) {
				list = append(list, terms)
			}
		}
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list
}

// cut is one point of a curve, with the values per query behind it.
type cut struct {
	record.Cut
	result *ir.Result
}

// curve repeats an evaluation with its vectors cut shorter each time.
type curve struct {
	CollectionOptions
	encoder *Encoder
	asked   judged
	whole   *search.Index   // of the documents as they are
	queries []search.Vector // whole and not scaled
	// of the whole vectors
	inDocuments, inQueries *sparsity.Counter
	longest                int // terms of a document
	cuts                   []cut
}

// trace evaluates all cuts.
func (c *curve) trace(ctx context.Context) error {
	for _, terms := range c.Cuts.Query {
		short := make([]search.Vector, len(c.queries))
		var inShort sparsity.Counter
		for i, v := range c.queries {
			short[i] = v.Heaviest(terms)
			inShort.Add(short[i].Terms)
		}
		if err := c.point(ctx, record.Queries, terms, c.whole, short, &inShort, c.inDocuments); err != nil {
			return err
		}
	}
	index := c.whole
	for _, terms := range c.Cuts.documents(c.inDocuments.N(), len(c.queries), c.longest) {
		var inShort sparsity.Counter
		var err error
		index, err = index.Replace(func(v search.Vector) search.Vector {
			short := v.Heaviest(terms)
			inShort.Add(short.Terms)
			return c.encoder.scaleVectors([]search.Vector{short})[0]
		})
		if err != nil {
			return err
		}
		if err := c.point(ctx, record.Documents, terms, index, c.queries, c.inQueries, &inShort); err != nil {
			return err
		}
	}
	slices.SortFunc(c.cuts, func(a, b cut) int {
		return 2*strings.Compare(a.Side, b.Side) + sign(a.Terms-b.Terms)
	})
	return nil
}

func sign(n int) int { return max(-1, min(1, n)) }

func (c *curve) point(ctx context.Context, side string, terms int, index *search.Index, queries []search.Vector, inQueries, inDocuments *sparsity.Counter) error {
	hits, err := index.SearchAll(ctx, c.encoder.scaleVectors(queries), c.depth()+1, c.Threads)
	if err != nil {
		return err
	}
	_, result, _, err := c.judge(c.asked, hits)
	if err != nil {
		return err
	}
	c.cuts = append(c.cuts, cut{record.Cut{
		Side: side, Terms: terms, Measures: ir.NewReport(result).Values(),
		ActiveQuery: inQueries.Mean(), ActiveDocument: inDocuments.Mean(), Flops: sparsity.FLOPS(inQueries, inDocuments),
	}, result})
	return nil
}

// withCurve returns the summary with the curve.
func (s Summary) withCurve(ctx context.Context, c *curve) (Summary, error) {
	start := time.Now()
	if err := c.trace(ctx); err != nil {
		return s, err
	}
	for _, point := range c.cuts {
		s.Curve = append(s.Curve, point.Cut)
	}
	s.cuts, s.Seconds.Curve = c.cuts, time.Since(start).Seconds()
	return s, nil
}

// writeCurve writes the values per query of all cuts.
func writeCurve(w io.Writer, cuts []cut) error {
	zip := gzip.NewWriter(w)
	out := bufio.NewWriter(zip)
	fmt.Fprintln(out, "side\tterms\tmeasure\tquery\tvalue")
	for _, c := range cuts {
		for i, measure := range c.result.Measures {
			for j, query := range c.result.Queries {
				fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%v\n", c.Side, c.Terms, measure, query, c.result.PerQuery[j][i])
			}
		}
	}
	return errors.Join(out.Flush(), zip.Close())
}
