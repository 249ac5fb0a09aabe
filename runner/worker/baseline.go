package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"headroom/data/collection"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/vectors"
	"headroom/sweeps"
)

// baseline evaluates a baseline, which a sweep's runs are compared with.
func (w *worker) baseline(ctx context.Context) error {
	b, cfg, err := w.workspace.ReadBaseline(w.ID)
	if err != nil {
		return err
	}
	held, ctx, err := w.hold(ctx, w.workspace.Baseline(w.ID))
	if err != nil {
		return err
	}
	err = w.measure(ctx, b, cfg)
	if ctx.Err() != nil {
		err = stopError(ctx)
	}
	return errors.Join(err, held.Release())
}

func (w *worker) measure(ctx context.Context, b record.Baseline, cfg sweeps.RunConfig) error {
	measures, err := measure.ParseAll(cfg.Evaluate.Measures)
	if err != nil {
		return err
	}
	dir := w.workspace.Baseline(b.ID)
	kept, err := evaluate.ReadSummary(dir)
	if err == nil && hasAll(dir, kept, measures, cfg.Evaluate) {
		return nil
	}
	folder, err := w.resolver.Data(b.Dataset)
	if err != nil {
		return err
	}
	c, err := collection.Open(folder)
	if err != nil {
		return err
	}
	options := evaluate.CollectionOptions{
		Dataset: b.Dataset, Split: b.Split, Measures: evaluate.WithKeptBeside(measures, kept.Evaluation), MaxQuery: cfg.Data.MaxQuery, MaxDocument: cfg.Data.MaxDocument,
		Threads: w.threads(cfg.Compute.Threads), OutDir: dir, Progress: w.encoding(),
		Cuts: evaluate.CutsOf(cfg.Evaluate).And(kept.Evaluation),
	}
	if err := w.progress(pool.Message{Phase: "evaluate"}, true); err != nil {
		return err
	}
	e, err := w.compareSplit(b.Dataset, folder, b.Split, b.ID, func(digest string) plan.Evaluation {
		if b.Name == sweeps.BM25 {
			return plan.BM25Evaluation(w.workspace.Root, cfg, b.Dataset, b.Split, digest)
		}
		return plan.UntrainedEvaluation(w.workspace.Root, cfg, b.Inputs, b.Dataset, b.Split, digest)
	})
	if err != nil {
		return err
	}
	options.Of = e.Record()
	switch b.Name {
	case sweeps.BM25:
		_, err = evaluate.BM25(ctx, c, options)
		return err
	case sweeps.Untrained:
		return w.untrained(ctx, b, cfg, c, options)
	}
	return fmt.Errorf("measure baseline %q: name %q is unknown: allowed are bm25, untrained", b.ID, b.Name)
}

// untrained evaluates a backbone without training, in the form of the runs that it is
// compared with. If the vectors are too dense to search, there are no figures: a notice
// says so, and the job is done.
func (w *worker) untrained(ctx context.Context, b record.Baseline, cfg sweeps.RunConfig, c *collection.Collection, options evaluate.CollectionOptions) error {
	if err := w.compareModel("model.backbone", b.Backbone, b.Inputs); err != nil {
		return err
	}
	folder, err := w.weightsFolder(b.Backbone, b.Inputs)
	if err != nil {
		return err
	}
	query, document := cfg.Model.Prompts() // the plan has filled in the folder's prompts
	dot, form := "dot", formOf(cfg.Model)
	encoder, err := evaluate.OpenEncoder(ctx, folder, evaluate.EncoderOptions{
		Backend: w.backend(cfg.Compute.Backend), Threads: w.threads(cfg.Compute.Threads), Precision: cfg.Train.Precision,
		QueryPrompt: &query, DocumentPrompt: &document, Form: &form, Similarity: &dot, // as the runs that it is compared with
	})
	if err != nil {
		return err
	}
	defer encoder.Close()
	if options.Documents, err = w.untrainedDocuments(b, cfg); err != nil {
		return err
	}
	_, err = evaluate.OnCollection(ctx, encoder, c, options)
	if err == nil {
		err = options.Documents.Done()
	}
	err = withRemedies(err, `measure it on the CPU, with compute.backend = "go"`, "lower data.max_document")
	var dense *evaluate.DenseError
	if errors.As(err, &dense) {
		w.notice(nil, fmt.Sprintf("the untrained %s has no figures on %s: %v", b.Backbone, b.Dataset, dense))
		return nil
	}
	return err
}

// untrainedDocuments keeps the backbone's vectors of documents, and reads those that it encoded for another baseline.
func (w *worker) untrainedDocuments(b record.Baseline, cfg sweeps.RunConfig) (*evaluate.Documents, error) {
	own := vectors.Folder(w.workspace.Baseline(b.ID))
	store := vectors.Open(own, cfg.Evaluate.KeepVectors)
	others, err := os.ReadDir(filepath.Dir(w.workspace.Baseline(b.ID)))
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		if folder := vectors.Folder(w.workspace.Baseline(other.Name())); folder != own {
			store.Also = append(store.Also, folder)
		}
	}
	documents := evaluate.NewDocuments(0)
	documents.KeepIn(store, "untrained "+b.Inputs.Weights+" "+b.Inputs.Tokenizer, func(text string) { w.notice(nil, text) })
	return documents, nil
}
