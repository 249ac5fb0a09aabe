package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/runner/evaluate"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// check reports every fault of the options.
func (o evaluateOptions) check(cmd *cobra.Command) error {
	var faults []error
	if o.model != "" && o.run != "" {
		faults = append(faults, errors.New("--model and --run exclude each other"))
	}
	if len(o.on) == 0 {
		faults = append(faults, errors.New("--on REF is missing: which collection?"))
	}
	for name, value := range map[string]int{"max-length": o.maxLength, "max-query": o.maxQuery, "max-document": o.maxDocument} {
		if cmd.Flags().Changed(name) && value < 2 {
			faults = append(faults, fmt.Errorf("--%s is %d; allowed: 2 or more", name, value))
		}
		if o.run != "" && cmd.Flags().Changed(name) {
			faults = append(faults, fmt.Errorf("--%s belongs to --model: a run uses its own lengths", name))
		}
	}
	if o.run != "" && o.output != "" {
		faults = append(faults, errors.New("--output belongs to --model: a run's results stay in its folder"))
	}
	for name, list := range map[string][]int{"prune-document": o.pruneDocument, "prune-query": o.pruneQuery} {
		if wrong := sweeps.WrongCounts(list); wrong != "" {
			faults = append(faults, fmt.Errorf("--%s: %s; allowed: integers ≥ 1, each once", name, wrong))
		}
	}
	if o.run != "" && o.self() != evaluate.SameText {
		faults = append(faults, errors.New("--keep-self and --drop-self belong to --model: a run's results are kept under one rule"))
	}
	if o.keepVectors && o.run == "" {
		faults = append(faults, errors.New("--keep-vectors belongs to --run: vectors are kept in a run's folder; `headroom encode` writes those of any model"))
	}
	faults = append(faults, checkOutputFolder("output", o.output))
	for i, ref := range o.on {
		if slices.Contains(o.on[:i], ref) {
			faults = append(faults, fmt.Errorf("--on has %s twice; allowed: each collection once", ref))
		}
		if _, err := measure.ParseAll([]string{ref}); err == nil {
			faults = append(faults, fmt.Errorf("%s is a measure, and a collection is expected; allowed: --measure %s", ref, ref))
		}
	}
	if o.byRank {
		faults = append(faults, errors.New("--by-rank belongs to a run file"))
	}
	faults = append(faults, o.checkMeasures()...)
	if o.threads < 0 {
		faults = append(faults, fmt.Errorf("--threads is %d; allowed: 0 (all cores) or more", o.threads))
	}
	faults = append(faults, checkBackend(o.backend), checkPrecision(o.precision))
	slices.SortFunc(faults, func(a, b error) int { // the order of the map is random
		switch {
		case a == nil || b == nil:
			return 0
		case a.Error() < b.Error():
			return -1
		default:
			return 1
		}
	})
	return usage(cmd, faults...)
}

// keptTerms is the number of terms of document vectors that are kept from one collection to the next, 128 MB.
const keptTerms = 16_000_000

func (a *app) evaluateModel(cmd *cobra.Command, o evaluateOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	measures, err := parseMeasures(o.measures, o.rel)
	if err != nil {
		return usage(cmd, err)
	}
	resolver, err := a.resolver("")
	if err != nil {
		return err
	}
	targets, err := findTargets(resolver, o.on, o.split)
	if err != nil {
		return err
	}
	var m model
	var w workspace.Workspace
	if o.run != "" {
		if w, err = a.openWorkspace(); err != nil {
			return err
		}
		run, err := findRun(w, o.run)
		if err != nil {
			return err
		}
		if m, err = a.runModel(w, run); err != nil {
			return err
		}
	} else if m, err = a.findModel(cmd.Context(), o.model, a.wholeModel); err != nil {
		return err
	}
	maxQuery, maxDocument := o.maxLength, o.maxLength
	if o.maxQuery > 0 {
		maxQuery = o.maxQuery
	}
	if o.maxDocument > 0 {
		maxDocument = o.maxDocument
	}
	var config sweeps.RunConfig
	if m.run != nil {
		if w.Root == "" {
			if w, err = a.openWorkspace(); err != nil {
				return err
			}
		}
		if config, _, err = w.ReadRun(m.run.ID); err != nil {
			return err
		}
		if !cmd.Flags().Changed("max-length") && o.maxQuery == 0 {
			maxQuery = config.Data.MaxQuery
		}
		if !cmd.Flags().Changed("max-length") && o.maxDocument == 0 {
			maxDocument = config.Data.MaxDocument
		}
		if o.run != "" && !cmd.Flags().Changed("precision") {
			o.precision = config.Train.Precision
		}
		if o.run != "" && o.precision != config.Train.Precision {
			return usage(cmd, fmt.Errorf("--precision is %s; allowed for --run: %s, the run's own, which its results are kept for (--model with the run's label takes any, and keeps nothing)", o.precision, config.Train.Precision))
		}
		if err := nameEvaluations(resolver, targets, *m.run, config, o.split); err != nil {
			return err
		}
	}
	if o.output != "" {
		folders := map[string]string{}
		for _, t := range targets {
			if first, twice := folders[fileName(t.ref)]; twice {
				return usage(cmd, fmt.Errorf("--output has one folder, %s, for %q and %q: evaluate them one after the other, into two folders", fileName(t.ref), first, t.ref))
			}
			folders[fileName(t.ref)] = t.ref
		}
	}
	if o.run != "" {
		for _, t := range targets {
			all, _ := withKept(measures, evaluate.Cuts{}, t.of.Folder)
			if err := measure.CheckKept(all); err != nil {
				return usage(cmd, fmt.Errorf("with the measures that the run has on %s: %w", t.ref, err))
			}
		}
	}
	ctx := cmd.Context()
	encoder, err := evaluate.OpenEncoder(ctx, m.folder, evaluate.EncoderOptions{Backend: o.backend, Threads: o.threads, Precision: o.precision})
	if err != nil {
		return err
	}
	defer encoder.Close()
	if err := encoder.CheckSimilarity(); err != nil {
		return err
	}
	a.notes(encoder.Notices())
	if m.run == nil && !cmd.Flags().Changed("max-length") && (o.maxQuery == 0 || o.maxDocument == 0) {
		limit := a.limit(encoder, o.maxLength)
		if o.maxQuery == 0 {
			maxQuery = limit
		}
		if o.maxDocument == 0 {
			maxDocument = limit
		}
	}
	if longest := max(maxQuery, maxDocument); longest > encoder.MaxTokens() {
		return usage(cmd, fmt.Errorf("texts of %d tokens are asked for; the model takes at most %d", longest, encoder.MaxTokens()))
	}
	cuts := evaluate.Cuts{Document: o.pruneDocument, Query: o.pruneQuery}
	if o.run != "" {
		if cmd.Flags().Changed("prune-document") {
			config.Evaluate.PruneDocument = &o.pruneDocument
		}
		if cmd.Flags().Changed("prune-query") {
			config.Evaluate.PruneQuery = &o.pruneQuery
		}
		cuts = evaluate.CutsOf(config.Evaluate)
	}
	document := evaluationDocument{Schema: schema}
	documents := evaluate.NewDocuments(keptTerms) // collections may share documents
	if m.run != nil {
		if err := a.keepDocuments(documents, w, *m.run, o.keepVectors || config.Evaluate.KeepVectors && o.run != ""); err != nil {
			return failedError(err)
		}
	}
	for _, t := range targets {
		options := evaluate.CollectionOptions{
			Dataset: t.ref, Split: o.split, Measures: measures,
			MaxQuery: maxQuery, MaxDocument: maxDocument, Threads: o.threads, Self: o.self(), Cuts: cuts, Documents: documents,
		}
		switch {
		case o.run != "":
			options.Of, options.OutDir, options.Dataset = t.of.Record(), t.of.Folder, t.of.Dataset
			options.Measures, options.Cuts = withKept(measures, cuts, t.of.Folder)
		case o.output != "":
			options.OutDir = filepath.Join(o.output, fileName(t.ref))
		}
		summary, err := a.evaluateOn(ctx, encoder, t, options)
		if err != nil {
			return failedError(withLessMemory(err, fmt.Sprintf("lower --max-document (now %d), or evaluate on the CPU: --backend go", maxDocument)))
		}
		summary.Dataset = t.ref
		said := summary.Notices(options.Measures)
		a.notesOn(m.name, t.ref, said)
		document.Evaluations = append(document.Evaluations, evaluationEntry{Name: m.name, Summary: summary})
		if o.bm25 {
			options.OutDir, options.Of, options.Dataset, options.Measures = "", record.Evaluation{}, t.ref, measures
			bm25, err := evaluate.BM25(ctx, t.data, options)
			if err != nil {
				return failedError(err)
			}
			a.notesOn(sweeps.BM25, t.ref, slices.DeleteFunc(bm25.Notices(measures), func(s string) bool { return slices.Contains(said, s) }))
			document.Evaluations = append(document.Evaluations, evaluationEntry{Name: sweeps.BM25, Summary: bm25})
		}
	}
	if err := documents.Done(); err != nil {
		return failedError(err)
	}
	if m.run == nil && !cmd.Flags().Changed("max-length") && o.maxQuery == 0 && o.maxDocument == 0 {
		a.noteCut(encoder, maxDocument)
	}
	if o.run != "" {
		var measured []record.Reference
		for _, t := range targets {
			measured = append(measured, record.Reference{Reference: t.of.Dataset, Split: o.split})
		}
		if err := a.recordCollections(w, measured...); err != nil {
			return failedError(err)
		}
	}
	if a.global.json {
		return a.printJSON(document)
	}
	return failedError(a.printEvaluations(document, measures, o.perQuery))
}

func (a *app) evaluateOn(ctx context.Context, encoder *evaluate.Encoder, t target, options evaluate.CollectionOptions) (evaluate.Summary, error) {
	progress := a.newCounter("encode " + t.ref)
	defer progress.end()
	options.Progress = progress.at
	return evaluate.OnCollection(ctx, encoder, t.data, options)
}
