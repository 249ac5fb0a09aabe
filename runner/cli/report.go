package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"headroom/metrics/store"
	"headroom/reports/compare"
	"headroom/reports/report"
)

func newReport(a *app) *cobra.Command {
	var output string
	var o memberOptions
	var superseded bool
	cmd := &cobra.Command{
		Use:   "report SWEEP [KEY=VALUE…] -o DIR",
		Short: "plots, tables and findings of a sweep's runs",
		Long: `Writes report.html, one file to send, and report.md with its figures (SVG, PNG) and
tables (Markdown, CSV, LaTeX), and prints the main table. The same store gives the same
bytes. KEY=VALUE and --only report on a part of the runs; runs that the sweep's file has
no longer are counted and, with --all, reported on too.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return usage(cmd, errors.New("--output is missing"))
			}
			shown, err := o.members(args[1:])
			if err != nil {
				return err
			}
			return a.report(cmd, args[0], shown, superseded, output)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&superseded, "superseded", false, "with the results of former contents of collections, in columns of their own")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`DIR` to write (required)")
	return cmd
}

func (a *app) report(cmd *cobra.Command, sweep string, shown members, superseded bool, output string) error {
	ctx := cmd.Context()
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	names, err := a.sweepNames(w, []string{sweep})
	if err != nil {
		return err
	}
	s, err := a.openStore(ctx, w)
	if err != nil {
		return err
	}
	defer s.Close()
	chosen, err := chooseRuns(ctx, s, names[0], shown)
	if err != nil {
		return err
	}
	if len(chosen.runs) == 0 && len(shown.words) > 0 {
		return shown.errNoneShown(names[0], chosen.of)
	}
	input, err := compare.LoadRuns(ctx, s, store.Scope{Sweep: names[0], Superseded: superseded}, chosen.runs)
	if err != nil {
		return err
	}
	input.Part, input.Former = strings.Join(shown.words, ", "), chosen.former
	comparison, err := compare.Compare(input)
	if err != nil {
		return err
	}
	if err := report.Replaceable(output); err != nil {
		return err
	}
	summary, err := report.Folder(comparison, output)
	if err != nil {
		return failed(err)
	}
	if a.global.json {
		return a.printJSON(struct {
			Schema int      `json:"schema"`
			Sweep  string   `json:"sweep"`
			Folder string   `json:"folder"`
			Files  []string `json:"files"`
		}{schema, names[0], output, summary.Files})
	}
	if err := report.Print(a.stdout, comparison); err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintf(a.stdout, "\n%s in %s\n", plural(len(summary.Files), "file"), output)
	return failed(err)
}
