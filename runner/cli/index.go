package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"headroom/runner/search"
)

type indexOptions struct {
	output, weights string
	queries, qrels  string
}

func newIndex(a *app) *cobra.Command {
	var o indexOptions
	cmd := &cobra.Command{
		Use:   "index VECTORS.jsonl --output DIR",
		Short: "build an inverted index of vectors",
		Long: `Builds the index on the disk, one block of documents at a time, so that it needs little memory for any size. Weights
are float32 or, with --weights float16, rounded to 11 bits, in two thirds of the space; --queries and --qrels then
print the effect of the rounding.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.index(cmd, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.output, "output", "", "`DIR` to write; an index that is there is replaced (required)")
	f.StringVar(&o.weights, "weights", "float32", "float32 or float16")
	f.StringVar(&o.queries, "queries", "", "`FILE` of query vectors: with --qrels, nDCG@10 with float32 and with float16 is printed")
	f.StringVar(&o.qrels, "qrels", "", "`FILE` of the queries' judgements")
	return cmd
}

func (o indexOptions) check(cmd *cobra.Command) error {
	var faults []error
	if o.output == "" {
		faults = append(faults, fmt.Errorf("--output is missing"))
	}
	faults = append(faults, checkOutputFolder("output", o.output))
	if o.weights != "float32" && o.weights != "float16" {
		faults = append(faults, fmt.Errorf("--weights is %q; allowed: float32, float16", o.weights))
	}
	if (o.queries == "") != (o.qrels == "") {
		faults = append(faults, fmt.Errorf("--queries and --qrels belong together"))
	}
	if o.queries != "" && o.weights == "float32" {
		faults = append(faults, fmt.Errorf("--queries and --qrels belong to --weights float16: float32 changes nothing"))
	}
	return usage(cmd, faults...)
}

func (a *app) index(cmd *cobra.Command, vectors string, o indexOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	half := o.weights == "float16"
	// An error of the index is about its input; then no index is left.
	summary, err := search.IndexFileWith(cmd.Context(), vectors, o.output, search.Options{Half: half})
	if err != nil {
		return diskFailure(err)
	}
	var effect *halfEffect
	switch {
	case half && o.queries != "":
		if effect, err = a.halfEffect(cmd.Context(), vectors, o); err != nil {
			return failedError(fmt.Errorf("measure what float16 changes: %w", err))
		}
	case half:
		a.note("note: weights are rounded to 11 bits; --queries and --qrels print what that does to nDCG@10")
	}
	if a.global.json {
		return a.printJSON(struct {
			Schema    int         `json:"schema"`
			Folder    string      `json:"folder"`
			Documents int         `json:"documents"`
			Vocab     int         `json:"vocab"`
			Postings  uint64      `json:"postings"`
			Weights   string      `json:"weights"`
			Effect    *halfEffect `json:"ndcg_at_10,omitempty"`
		}{schema, o.output, summary.Documents, summary.Vocab, summary.Postings, o.weights, effect})
	}
	fmt.Fprintf(a.stdout, "%s: %d documents, %d postings, vocabulary %d\n", o.output, summary.Documents, summary.Postings, summary.Vocab)
	if effect != nil {
		fmt.Fprintf(a.stdout, "nDCG@10 of %d queries: %.4f with float32, %.4f with float16 (%+.4f); %d queries rank their first 10 otherwise\n",
			effect.Queries, effect.Float32, effect.Float16, effect.Float16-effect.Float32, effect.Changed)
	}
	return nil
}
