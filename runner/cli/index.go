package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"headroom/runner/search"
)

func newIndex(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "index VECTORS.jsonl --output DIR",
		Short: "an inverted index of vectors",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return usage(cmd, fmt.Errorf("--output is missing"))
			}
			// IndexFile reads all before it writes anything: what it refuses is the input.
			summary, err := search.IndexFile(cmd.Context(), args[0], output)
			if err != nil {
				return err
			}
			if a.global.json {
				return a.printJSON(struct {
					Schema    int    `json:"schema"`
					Folder    string `json:"folder"`
					Documents int    `json:"documents"`
					Vocab     int    `json:"vocab"`
					Postings  uint64 `json:"postings"`
				}{schema, output, summary.Documents, summary.Vocab, summary.Postings})
			}
			fmt.Fprintf(a.stdout, "%s: %d documents, %d postings, vocabulary %d\n", output, summary.Documents, summary.Postings, summary.Vocab)
			return nil
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "`DIR` to write; an index that is there is replaced (required)")
	return cmd
}
