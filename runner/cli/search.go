package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"headroom/runner/search"
)

type searchOptions struct {
	queries, output string
	k               int
}

func newSearch(a *app) *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:   "search DIR --queries VECTORS.jsonl --output RUN.trec",
		Short: "search an index exactly, and write a TREC run of the top k",
		Long: `Ranks by dot product, exactly. Equal scores are ordered by document id, descending.
Only documents with a score above 0 are found.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.search(cmd, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.queries, "queries", "", "`FILE` of query vectors (required)")
	f.IntVar(&o.k, "k", 1000, "documents kept per query")
	f.StringVar(&o.output, "output", "-", "`FILE` to write, gzipped as NAME.gz; - is standard output")
	return cmd
}

func (a *app) search(cmd *cobra.Command, dir string, o searchOptions) error {
	var faults []error
	if o.queries == "" {
		faults = append(faults, fmt.Errorf("--queries is missing"))
	}
	if o.k < 1 {
		faults = append(faults, fmt.Errorf("--k is %d; allowed: 1 or more", o.k))
	}
	if o.output == "" {
		faults = append(faults, fmt.Errorf("--output is empty; allowed: a file, or - for standard output"))
	}
	if err := usage(cmd, faults...); err != nil {
		return err
	}
	if err := refuseSameFile(o.output, o.queries); err != nil {
		return err
	}
	var empty []string
	asked := 0
	err := a.writeOutput(o.output, func(w io.Writer) (err error) {
		empty, asked, err = search.SearchFile(cmd.Context(), dir, o.queries, o.k, w)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case len(empty) > 0 && len(empty) == asked:
		a.note("note: the run is empty: no document has a term of any of the queries (%d): were both encoded by one model, in one --format?", asked)
	case len(empty) > 0:
		a.note("note: %d of %d queries find no document and have no row in the run; the first is %q", len(empty), asked, empty[0])
	}
	return a.printWritten(o.output)
}
