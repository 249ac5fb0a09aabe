package cli

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/collection"
	"headroom/data/mine"
	"headroom/data/trec"
	"headroom/runner/search"
)

type mineOptions struct {
	split, from, output string
	bm25, ids, scores   bool
	depth, negatives    int
	skipTop             int
	margin              float64
	threads             int
}

func newMine(a *app) *cobra.Command {
	var o mineOptions
	cmd := &cobra.Command{
		Use:   "mine REF --output TRAIN.jsonl",
		Short: "make hard negatives for training, from any run or from BM25",
		Long: `Writes an example for each relevant document of a split's queries: the query, the
document and hard negatives, the documents that a run ranks highest. No negative is
relevant to the query or has the text of a relevant document. Rows with fewer
negatives than requested are left out, with a note. Use the file as training data:
data.train = "./TRAIN.jsonl" with data.negatives. With --scores the run is also the
teacher for loss.kind = "margin_mse" or "kl".`,
		Example: `  headroom mine ./data --negatives 7 --output train.jsonl
  headroom mine beir:scifact --from run.trec --depth 200 --skip-top 10 --output train.jsonl.gz
  headroom evaluate --model ./teacher --on beir:scifact --split train --output out
  headroom mine beir:scifact --from out/beir-scifact/run.trec.gz --scores --negatives 4 --output taught.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.mine(cmd, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.output, "output", "", "`FILE` to write, .jsonl or .jsonl.gz; - is standard output (required)")
	f.StringVar(&o.split, "split", collection.Train, "split whose queries are used")
	f.StringVar(&o.from, "from", "", "`RUN.trec` that ranks documents for them (default BM25)")
	f.BoolVar(&o.bm25, "bm25", false, "rank by BM25, which is the default")
	f.IntVar(&o.depth, "depth", 100, "documents of each ranking to look at")
	f.IntVar(&o.negatives, "negatives", 10, "hard negatives per example")
	f.IntVar(&o.skipTop, "skip-top", 0, "number of candidates to skip, the highest ranked")
	f.Float64Var(&o.margin, "margin", 0, "take a negative only if its score is lower than the positive's by this (default: take all)")
	f.BoolVar(&o.scores, "scores", false, "write the run's scores too, for a loss that learns from a teacher; examples whose positive it does not rank are left out")
	f.BoolVar(&o.ids, "ids", false, "write ids instead of texts: the file must then be in the collection's folder")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	return cmd
}

func (o mineOptions) check(cmd *cobra.Command) error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(o.output == "", "--output is missing")
	fault(o.output != "" && o.output != "-" && !strings.HasSuffix(strings.TrimSuffix(o.output, ".gz"), ".jsonl"),
		"--output is %q; allowed: NAME.jsonl, NAME.jsonl.gz, -", o.output)
	fault(o.from != "" && o.bm25, "--from and --bm25 exclude each other")
	fault(o.negatives < 1, "--negatives is %d; allowed: 1 or more", o.negatives)
	fault(o.skipTop < 0, "--skip-top is %d; allowed: 0 or more", o.skipTop)
	fault(o.depth < o.skipTop+o.negatives, "--depth is %d; allowed: %d or more, for --skip-top and --negatives", o.depth, o.skipTop+o.negatives)
	fault(!(o.margin >= 0) || math.IsInf(o.margin, 1), "--margin is %v; allowed: a number from 0 on", o.margin)
	fault(o.threads < 0, "--threads is %d; allowed: 0 (all cores) or more", o.threads)
	return usage(cmd, faults...)
}

// mined is the JSON document of mine.
type mined struct {
	Schema    int         `json:"schema"`
	Output    string      `json:"output"`
	Rows      int         `json:"rows"`
	Negatives int         `json:"negatives"`
	Short     []mineShort `json:"short"`
}

// mineShort is a row that was left out.
type mineShort struct {
	Query    string `json:"query"`
	Positive string `json:"positive"`
	Found    int    `json:"found"`
}

func (a *app) mine(cmd *cobra.Command, ref string, o mineOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	resolver, err := a.resolver("")
	if err != nil {
		return err
	}
	folder, err := resolver.Data(ref)
	if err == nil {
		err = resolver.CheckCollection(folder, o.split)
	}
	if err != nil {
		return err
	}
	c, err := collection.Open(folder)
	if err != nil {
		return err
	}
	files, err := c.Files(o.split)
	if err != nil {
		return err
	}
	if err := refuseSameFile(o.output, append(files, o.from)...); err != nil {
		return err
	}
	options := mine.Options{Depth: o.depth, Negatives: o.negatives, SkipTop: o.skipTop, Scores: o.scores}
	if cmd.Flags().Changed("margin") {
		options.Margin = &o.margin
	}
	var run trec.Run
	if o.from != "" {
		if run, err = trec.OpenRun(o.from); err != nil {
			return err
		}
	} else {
		if run, err = rankByBM25(cmd.Context(), c, o); err != nil {
			return failedError(err)
		}
	}
	rows, short, err := mine.Rows(c, o.split, run, options)
	if err != nil {
		return err
	}
	document := mined{Schema: schema, Output: o.output, Rows: len(rows), Negatives: o.negatives, Short: []mineShort{}}
	for _, row := range short {
		document.Short = append(document.Short, mineShort{row.Query.ID, row.Positive.ID, len(row.Negatives)})
	}
	if len(rows) == 0 {
		return failedError(fmt.Errorf("mine negatives: none of the %d examples has %d negatives: %s", len(short), o.negatives, document.lackingText()))
	}
	err = a.writeOutput(o.output, func(w io.Writer) error { return mine.Write(w, rows, o.ids) })
	if err != nil {
		return failedError(err)
	}
	if len(short) > 0 {
		why := ""
		if o.scores {
			why = ", or a positive without a score,"
		}
		a.note("%d of %d examples have fewer than %d negatives%s and are left out: %s", len(short), len(short)+len(rows), o.negatives, why, document.lackingText())
	}
	switch {
	case o.output == "-":
		return nil
	case a.global.json:
		return a.printJSON(document)
	}
	fmt.Fprintf(a.stdout, "%s: %d examples with %d negatives each\n", o.output, len(rows), o.negatives)
	return nil
}

// lackingText names the first rows that were left out.
func (m mined) lackingText() string {
	const most = 5
	var parts []string
	for _, s := range m.Short[:min(most, len(m.Short))] {
		parts = append(parts, fmt.Sprintf("query %q with document %q has %d", s.Query, s.Positive, s.Found))
	}
	if more := len(m.Short) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more (--json lists all)", more))
	}
	return strings.Join(parts, ", ")
}

// rankByBM25 searches the queries of a split.
func rankByBM25(ctx context.Context, c *collection.Collection, o mineOptions) (trec.Run, error) {
	documents, err := c.Documents()
	if err != nil {
		return nil, err
	}
	qrels, err := c.Qrels(o.split)
	if err != nil {
		return nil, err
	}
	ids, texts := make([]string, len(documents)), make([]string, len(documents))
	for i, d := range documents {
		ids[i], texts[i] = d.ID, d.Content()
	}
	index, err := search.NewBM25(ids, texts, search.DefaultBM25())
	if err != nil {
		return nil, err
	}
	names := qrels.Queries()
	asked := make([]string, len(names))
	for i, name := range names {
		query, _, err := c.Query(name)
		if err != nil {
			return nil, err
		}
		asked[i] = query.Text
	}
	hits, err := index.SearchAll(ctx, asked, o.depth, o.threads)
	if err != nil {
		return nil, err
	}
	return search.ToRun(names, hits), nil
}
