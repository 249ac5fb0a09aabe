package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/runner/evaluate"
)

type evaluateOptions struct {
	perQuery    bool
	model, run  string
	on          []string
	measures    []string
	rel         int
	byRank      bool
	keepSelf    bool
	dropSelf    bool
	split       string
	bm25        bool
	maxLength   int
	maxQuery    int
	maxDocument int
	backend     string
	precision   string
	threads     int
	output      string
	keepVectors bool
	// pruneDocument and pruneQuery are the cuts, in terms per text.
	pruneDocument, pruneQuery []int
}

func newEvaluate(a *app) *cobra.Command {
	var o evaluateOptions
	cmd := &cobra.Command{
		Use: `evaluate QRELS RUN.trec [MEASURE…]
  headroom evaluate --model MODEL --on REF…
  headroom evaluate --run RUN --on REF…`,
		Short: "measure a run file, a model or a run on judged queries",
		Long: `Without --model and --run: measures of a run file, in ir_measures' syntax
(nDCG@10, nDCG(dcg='exp-log2')@10, AP, P@5, R@1000, RR@10, Success@5, with (rel=2)
where grades count), or trec_eval's names. The mean is over every query of the
qrels. QRELS is a file or a collection's REF; either file may be -, standard input.

With --model or --run: encode a collection and its judged queries, search
exactly, measure. A RUN is encoded with its own text lengths.`,
		Example: `  headroom evaluate qrels.txt run.trec nDCG@10 RR@10 -q
  headroom evaluate --model ./checkpoint --on beir:scifact --bm25`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.evaluate(cmd, args, o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.perQuery, "per-query", "q", false, "print every query's values before the means")
	f.StringVar(&o.model, "model", "", "`MODEL` to evaluate")
	f.StringVar(&o.run, "run", "", "`RUN` of the workspace to evaluate; its results join the store")
	f.StringArrayVar(&o.on, "on", nil, "collection `REF`; further ones may follow it")
	f.StringArrayVar(&o.measures, "measure", nil, "`MEASURE`, repeatable (default nDCG@10, RR@10, R@1000)")
	f.IntVarP(&o.rel, "rel", "l", 0, "least grade `N` that is relevant, for every measure that takes (rel=…) and names none; 0 is 1, as trec_eval -l")
	f.BoolVar(&o.byRank, "by-rank", false, "rank the run file by its rank column, as MS MARCO's script does (also query<TAB>document<TAB>rank)")
	f.BoolVar(&o.keepSelf, "keep-self", false, "keep a document that has the query's id and text (it is left out by default, unless it is judged)")
	f.BoolVar(&o.dropSelf, "drop-self", false, "leave out every document that has the query's id, as BEIR does")
	f.StringVar(&o.split, "split", record.FinalSplit, "which qrels of a collection")
	f.BoolVar(&o.bm25, "bm25", false, "also measure BM25 (k1 0.9, b 0.4)")
	f.IntVar(&o.maxLength, "max-length", 256, "tokens kept of queries and documents (--model); the default is less where the model takes less or its files say less")
	f.IntVar(&o.maxQuery, "max-query", 0, "tokens kept of queries, if other than --max-length")
	f.IntVar(&o.maxDocument, "max-document", 0, "tokens kept of documents, if other than --max-length")
	f.IntSliceVar(&o.pruneDocument, "prune-document", nil, "also measure with documents cut to their heaviest terms: a `LIST` of numbers of terms such as 8,16 (default for --run: as its configuration says)")
	f.IntSliceVar(&o.pruneQuery, "prune-query", nil, "also measure with queries cut to their heaviest terms: a `LIST` of numbers of terms")
	f.StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path")
	f.StringVar(&o.precision, "precision", "float32", "of matrix products: float32, or on XLA bfloat16")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	f.StringVar(&o.output, "output", "", "`DIR` for run.trec.gz, per_query.tsv, curve.tsv.gz and summary.json of each collection (--model)")
	f.BoolVar(&o.keepVectors, "keep-vectors", false, "keep the documents' vectors in the run's folder, for headroom vectors and further evaluations (--run)")
	return cmd
}

func (a *app) evaluate(cmd *cobra.Command, args []string, o evaluateOptions) error {
	if o.model == "" && o.run == "" {
		var faults []error
		if len(args) < 2 {
			faults = append(faults, errors.New("want QRELS and RUN.trec, or --model MODEL or --run RUN with --on REF"))
		}
		for _, name := range []string{"on", "split", "bm25", "max-length", "max-query", "max-document", "prune-document", "prune-query", "backend", "precision", "threads", "output", "keep-vectors"} {
			if name == "split" && len(args) > 0 && isCollection(args[0]) {
				continue
			}
			if cmd.Flags().Changed(name) {
				faults = append(faults, fmt.Errorf("--%s belongs to %s", name, belongsTo(name)))
			}
		}
		if len(args) > 2 {
			o.measures = append(args[2:], o.measures...)
		}
		measures, err := parseMeasures(o.measures, o.rel)
		faults = append(faults, o.checkMeasures()...)
		if err := usage(cmd, append(faults, err)...); err != nil {
			return err
		}
		return a.evaluateFiles(args[0], args[1], measures, o)
	}
	o.on = append(o.on, args...)
	return a.evaluateModel(cmd, o)
}

// belongsTo returns what a flag needs that a run file has no use for.
func belongsTo(name string) string {
	switch name {
	case "max-length", "max-query", "max-document", "output":
		return "--model"
	case "keep-vectors":
		return "--run"
	}
	return "--model and --run"
}

// parseMeasures reads names of measures, with a relevance level; no names give the defaults.
func parseMeasures(names []string, rel int) ([]measure.Measure, error) {
	if len(names) == 0 {
		for _, m := range measure.Defaults() {
			names = append(names, m.String())
		}
	}
	return measure.ParseAllAt(rel, names)
}

// checkMeasures finds faults of the options that every kind of evaluation has.
func (o evaluateOptions) checkMeasures() []error {
	var faults []error
	if o.rel < 0 {
		faults = append(faults, fmt.Errorf("--rel is %d; allowed: 1 or more, or 0 for each measure's own", o.rel))
	}
	if o.keepSelf && o.dropSelf {
		faults = append(faults, errors.New("--keep-self and --drop-self exclude each other"))
	}
	return faults
}

func (o evaluateOptions) self() evaluate.Self {
	switch {
	case o.keepSelf:
		return evaluate.KeepSelf
	case o.dropSelf:
		return evaluate.DropSelf
	}
	return evaluate.SameText
}
