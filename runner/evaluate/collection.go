package evaluate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"headroom/data/collection"
	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/metrics/sparsity"
	"headroom/runner/search"
	"headroom/runner/vectors"
	"headroom/sweeps"
)

// CollectionOptions say what is measured and where the files go.
type CollectionOptions struct {
	// Dataset is the reference as the user wrote it; it names the evaluation.
	Dataset string
	// Split of the collection's qrels; "test" if empty.
	Split string
	// Measures; the defaults if empty.
	Measures []measure.Measure
	// Self says which documents count as the query itself and are left out.
	Self Self
	// MaxQuery and MaxDocument cut texts, in tokens.
	MaxQuery, MaxDocument int
	// Threads of search; 0 is all cores.
	Threads int
	// Cuts of the vectors that are evaluated too; the zero value is none.
	Cuts Cuts
	// Documents has the vectors that earlier evaluations of this model encoded; it may be
	// nil.
	Documents *Documents
	// OutDir receives run.trec.gz, per_query.tsv, curve.tsv.gz and summary.json, all or nothing; "" keeps nothing.
	OutDir string
	// Of has the identity, name, backbone and encoding of the evaluation, for the summary.
	Of record.Evaluation
	// Progress is called with the number of encoded texts; it may be nil.
	Progress func(done, total int)
}

// judged are the queries of a split with their texts, in ascending order of id.
type judged struct {
	qrels trec.Qrels
	ids   []string
	texts []string
	// self are the queries whose rankings lose the document with their id.
	self map[string]bool
}

// open reads the judged queries, and counts the documents.
func (o *CollectionOptions) open(c *collection.Collection) (j judged, documents int, err error) {
	o.Split = cmp.Or(o.Split, record.FinalSplit)
	if len(o.Measures) == 0 {
		o.Measures = measure.Defaults()
	}
	if j.qrels, err = c.Qrels(o.Split); err != nil {
		return j, 0, err
	}
	queries, err := c.Queries()
	if err != nil {
		return j, 0, err
	}
	text := make(map[string]string, len(queries))
	for _, q := range queries {
		text[q.ID] = q.Text
	}
	j.ids = j.qrels.Queries()
	for _, id := range j.ids {
		j.texts = append(j.texts, text[id])
	}
	if j.self, err = o.Self.selfQueries(c, j); err != nil {
		return j, 0, err
	}
	documents, err = c.Len()
	return j, documents, err
}

// A collection is too dense to search, which would take hours, if a document has more than
// this share of the vocabulary active and the index has more than so many postings.
const (
	denseShare    = 0.1
	densePostings = 60_000_000
)

// DenseError is returned when vectors are too dense to be searched exactly in
// reasonable time: a collapsed or untrained model of a large vocabulary.
type DenseError struct {
	Active   float64 // mean terms per document so far
	Vocab    int
	Postings int64 // expected for the whole collection
}

func (e *DenseError) Error() string {
	return fmt.Sprintf("documents have %.0f active terms of %d on average, about %d postings in all: too dense for exact search (the limit is %d postings where more than %.0f %% of the vocabulary is active)",
		e.Active, e.Vocab, e.Postings, densePostings, 100*denseShare)
}

// OnCollection encodes a collection and its judged queries, searches, and computes the
// measures. A document that is the query itself (Self) is left out before the cut-off.
// Rankings are as deep as the deepest cut-off. The means run over every query of the qrels.
func OnCollection(ctx context.Context, enc *Encoder, c *collection.Collection, o CollectionOptions) (Summary, error) {
	s, err := onCollection(ctx, enc, c, o)
	if err != nil {
		return s, fmt.Errorf("evaluate on %q: %w", o.Dataset, err)
	}
	return s, nil
}

func onCollection(ctx context.Context, enc *Encoder, c *collection.Collection, o CollectionOptions) (Summary, error) {
	if err := enc.CheckSimilarity(); err != nil {
		return Summary{}, err
	}
	asked, documents, err := o.open(c)
	if err != nil {
		return Summary{}, err
	}
	total := documents + len(asked.ids)
	start := time.Now()
	var inDocuments, inQueries sparsity.Counter
	builder := search.NewBuilder(search.Options{Vocab: enc.Vocab(), Documents: documents})
	var indexing time.Duration
	longest := 0
	var keys []vectors.Key
	add := func(block []collection.Document) error {
		first := inDocuments.N()
		texts := make([]string, len(block))
		for i, d := range block {
			texts[i] = d.Content()
		}
		encoded, key, err := o.Documents.encode(ctx, enc, texts, o.MaxDocument, func(done, _ int) { o.report(first+done, total) })
		if err != nil {
			return NameText(err, func(i int) string { return fmt.Sprintf("document %q", block[i].ID) })
		}
		keys = append(keys, key)
		added := time.Now()
		for i, v := range enc.scaleVectors(encoded) {
			inDocuments.Add(v.Terms)
			longest = max(longest, len(v.Terms))
			if err := builder.Add(block[i].ID, v); err != nil {
				return err
			}
		}
		indexing += time.Since(added)
		mean := inDocuments.Mean()
		if expected := int64(mean * float64(documents)); mean > denseShare*float64(enc.Vocab()) && expected > densePostings {
			return &DenseError{Active: mean, Vocab: enc.Vocab(), Postings: expected}
		}
		return nil
	}
	err = inBlocks(c, o.Documents.blockSize(), add)
	if dense := new(DenseError); errors.As(err, &dense) {
		return o.refuse(c, asked, documents, dense.Active, dense)
	}
	if err != nil {
		return Summary{}, err
	}
	queries, err := enc.EncodeQueries(ctx, asked.texts, o.MaxQuery, func(done, _ int) { o.report(documents+done, total) })
	if err != nil {
		return Summary{}, NameText(err, func(i int) string { return fmt.Sprintf("query %q", asked.ids[i]) })
	}
	for _, v := range queries {
		inQueries.Add(v.Terms)
	}
	encoded := time.Since(start) - indexing
	start = time.Now()
	index, err := builder.Finish()
	if err != nil {
		return Summary{}, err
	}
	indexing += time.Since(start)
	start = time.Now()
	hits, err := index.SearchAll(ctx, enc.scaleVectors(queries), o.depth()+1, o.Threads)
	if err != nil {
		return Summary{}, err
	}
	searched := time.Since(start)
	summary, err := o.measure(c, asked, documents, hits)
	if err != nil {
		return Summary{}, err
	}
	active := [2]float64{inQueries.Mean(), inDocuments.Mean()}
	flops := sparsity.FLOPS(&inQueries, &inDocuments)
	summary.ActiveQuery, summary.ActiveDocument, summary.Flops = &active[0], &active[1], &flops
	summary.vectors, summary.vectorsIn = o.Documents.kept(keys, documents), o.Documents.folder()
	summary.Seconds = record.Seconds{Encode: encoded.Seconds(), Index: indexing.Seconds(), Search: searched.Seconds()}
	if o.Cuts.any() {
		summary, err = summary.withCurve(ctx, &curve{CollectionOptions: o, encoder: enc, asked: asked, whole: index, queries: queries,
			inDocuments: &inDocuments, inQueries: &inQueries, longest: longest})
		if err != nil {
			return Summary{}, err
		}
	}
	return summary.keep(atomic.Disk{}, o.OutDir)
}

// inBlocks reads a corpus in blocks of a number of documents. The next block overwrites the
// last one.
func inBlocks(c *collection.Collection, size int, add func([]collection.Document) error) error {
	var block []collection.Document
	err := c.Walk(func(d collection.Document) error {
		if block = append(block, d); len(block) < size {
			return nil
		}
		err := add(block)
		block = block[:0]
		return err
	})
	if err == nil && len(block) > 0 {
		err = add(block)
	}
	return err
}

// refuse writes a summary that says that vectors were too dense, so that another run of the
// sweep does not encode them again.
func (o CollectionOptions) refuse(c *collection.Collection, asked judged, documents int, active float64, dense *DenseError) (Summary, error) {
	s, err := o.summary(c, asked, documents)
	if err != nil {
		return s, err
	}
	s.Measures, s.ActiveDocument, s.Refused = map[string]float64{}, &active, dense.Error()
	s, err = s.keep(atomic.Disk{}, o.OutDir)
	return s, errors.Join(dense, err)
}

// BM25 evaluates the lexical baseline on a collection.
func BM25(ctx context.Context, c *collection.Collection, o CollectionOptions) (Summary, error) {
	s, err := bm25(ctx, c, o)
	if err != nil {
		return s, fmt.Errorf("evaluate BM25 on %q: %w", o.Dataset, err)
	}
	return s, nil
}

func bm25(ctx context.Context, c *collection.Collection, o CollectionOptions) (Summary, error) {
	asked, documents, err := o.open(c)
	if err != nil {
		return Summary{}, err
	}
	start := time.Now()
	index, err := search.WalkBM25(func(each func(id, text string) error) error {
		return c.Walk(func(d collection.Document) error { return each(d.ID, d.Content()) })
	}, search.DefaultBM25())
	if err != nil {
		return Summary{}, err
	}
	indexed := time.Since(start)
	start = time.Now()
	hits, err := index.SearchAll(ctx, asked.texts, o.depth()+1, o.Threads)
	if err != nil {
		return Summary{}, err
	}
	searched := time.Since(start)
	o.Of.Name = sweeps.BM25
	summary, err := o.measure(c, asked, documents, hits)
	if err != nil {
		return Summary{}, err
	}
	summary.Seconds = record.Seconds{Index: indexed.Seconds(), Search: searched.Seconds()}
	return summary.keep(atomic.Disk{}, o.OutDir)
}

func (o CollectionOptions) report(done, total int) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}

func (o CollectionOptions) depth() int { return measure.DepthFor(o.Measures) }

// measure turns hits into a ranking and its figures.
func (o CollectionOptions) measure(c *collection.Collection, asked judged, documents int, hits [][]search.Hit) (Summary, error) {
	run, result, cut, err := o.judge(asked, hits)
	if err != nil {
		return Summary{}, err
	}
	s, err := o.summary(c, asked, documents)
	if err != nil {
		return Summary{}, err
	}
	s.run, s.report = run, ir.NewReport(result)
	s.Depth, s.Cut, s.Coverage = o.depth(), cut, result.Coverage
	if err := s.countFaults(c, asked); err != nil {
		return Summary{}, err
	}
	share, mass := ir.TieShare(asked.qrels, run, tieDepth), ir.TieMass(asked.qrels, run, tieDepth)
	s.Measures, s.TieShare, s.TieMass = s.report.Values(), &share, &mass
	return s, nil
}

// judge makes a run of the hits and computes its measures; cut is the number of rankings that
// were longer than the depth.
func (o CollectionOptions) judge(asked judged, hits [][]search.Hit) (run trec.Run, result *ir.Result, cut int, err error) {
	run = search.ToRun(asked.ids, hits)
	dropped := 0
	for query, scored := range run {
		if asked.self[query] {
			var found bool
			if scored, found = withoutSelf(query, scored); found {
				dropped++
			}
		}
		if len(scored) > o.depth() {
			scored = scored[:o.depth()]
			cut++
		}
		run[query] = scored
	}
	result, err = ir.Evaluate(asked.qrels, run, o.Measures)
	if err == nil {
		result.Coverage.SelfDropped = dropped
	}
	return run, result, cut, err
}

// tieDepth is the number of first places whose ties are counted.
const tieDepth = 10

// summary returns a summary without figures, which says what is evaluated.
func (o CollectionOptions) summary(c *collection.Collection, asked judged, documents int) (Summary, error) {
	digest, err := c.DigestOf(o.Split)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Evaluation: o.Of}
	s.Schema, s.Dataset, s.Split, s.Collection = 1, o.Dataset, o.Split, digest
	s.Queries, s.Documents = len(asked.ids), documents
	return s, nil
}
