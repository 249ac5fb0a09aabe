package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/reports/claims"
	"headroom/reports/compare"
	"headroom/reports/report"
)

func newReport(a *app) *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report SWEEP [KEY=VALUE…] -o DIR",
		Short: "write plots, tables and findings of a sweep's runs",
		Long: `Writes report.html, one file to send, and report.md with its figures (SVG, PNG) and
tables (Markdown, CSV, LaTeX), and prints the main table. The same store gives the same
bytes. KEY=VALUE and --only report on a part of the runs; runs that are no longer in the
sweep's file are counted and, with --all, reported on too. A report on the whole sweep
has the verdicts of its claims (docs/claims.md).`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []error
			if o.output == "" {
				faults = append(faults, errors.New("--output is missing"))
			}
			faults = append(faults, checkOutputFolder("output", o.output))
			if _, err := o.inches(); err != nil {
				faults = append(faults, err)
			}
			if err := usage(cmd, faults...); err != nil {
				return err
			}
			shown, err := o.members(args[1:])
			if err != nil {
				return err
			}
			return a.report(cmd, args[0], shown, o)
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.superseded, "superseded", false, "also show results on former contents of collections, in columns of their own")
	cmd.Flags().BoolVar(&o.paper, "paper", false, "also write a table in the layout of papers: MS MARCO, TREC DL, the 13 collections of BEIR, their mean")
	cmd.Flags().StringVar(&o.width, "width", "", "each figure also as PDF without a title, `W` wide with type of 7 to 12 points: column (3.33 in), page (7 in), or inches from 2.5 to 20")
	cmd.Flags().BoolVar(&o.untitled, "untitled", false, "figures without titles")
	cmd.Flags().StringVar(&o.claims, "claims", "", "`FILE` of claims (default: the sweep's own, else those that come with the program and are about its runs)")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`DIR` to write (required)")
	return cmd
}

type reportOptions struct {
	memberOptions
	superseded, paper, untitled bool
	claims, output, width       string
}

// inches is the width of --width, 0 for none.
func (o reportOptions) inches() (float64, error) {
	switch o.width {
	case "":
		return 0, nil
	case "column":
		return 3.33, nil
	case "page":
		return 7, nil
	}
	v, err := strconv.ParseFloat(o.width, 64)
	if err != nil || !(v >= 2.5 && v <= 20) {
		return 0, fmt.Errorf("--width is %q; allowed: column, page, or inches from 2.5 to 20", o.width)
	}
	return v, nil
}

func (a *app) report(cmd *cobra.Command, sweep string, shown members, o reportOptions) error {
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
	input, err := compare.LoadRuns(ctx, s, store.Scope{Sweep: names[0], Superseded: o.superseded}, chosen.runs)
	if err != nil {
		return err
	}
	input.Part, input.Former = strings.Join(shown.words, ", "), chosen.former
	more, err := a.reportExtras(ctx, s, input, o)
	if err != nil {
		return err
	}
	comparison, err := compare.Compare(input)
	if err != nil {
		return err
	}
	if more.Incidents, more.Untold, err = a.incidents(ctx, w, comparison); err != nil {
		return err
	}
	if err := report.Replaceable(o.output); err != nil {
		return err
	}
	summary, err := report.Folder(comparison, more, o.output)
	if err != nil {
		return failedError(err)
	}
	if a.global.json {
		return a.printJSON(struct {
			Schema int      `json:"schema"`
			Sweep  string   `json:"sweep"`
			Folder string   `json:"folder"`
			Files  []string `json:"files"`
		}{schema, names[0], o.output, summary.Files})
	}
	if err := report.Print(a.stdout, comparison); err != nil {
		return failedError(err)
	}
	_, err = fmt.Fprintf(a.stdout, "\n%s in %s\n", nouns.Count(len(summary.Files), "file"), o.output)
	return failedError(err)
}

// reportExtras returns the judged claims of a whole sweep, and the table of --paper.
func (a *app) reportExtras(ctx context.Context, s *store.Store, input *compare.Input, o reportOptions) (report.Extras, error) {
	more := report.Extras{Untitled: o.untitled}
	var err error
	if more.Inches, err = o.inches(); err != nil {
		return more, err
	}
	shown := input.Part == "" || o.claims != "" // claims are about a whole sweep
	var about sweepClaims
	if shown || o.paper {
		about, err = a.sweepClaims(ctx, claimsOptions{sweep: input.Sweep, file: o.claims})
		if err != nil && o.claims != "" {
			return more, err
		}
		if err != nil { // write the rest of the report all the same
			a.note("note: the report has no claims: %v", err)
			about = sweepClaims{}
		}
	}
	for _, one := range about.judged {
		// The claims that come with the program are those of the paper; most are not about this sweep.
		switch {
		case !shown:
		case !about.own && (one.Verdict == claims.NotRun || one.Verdict == claims.Unknown):
			more.Beside++
		default:
			more.Claims = append(more.Claims, one)
		}
	}
	if !o.paper {
		return more, nil
	}
	asked, err := s.Collections(ctx, input.Sweep)
	if err != nil {
		return more, err
	}
	labels := map[string]string{}
	for _, c := range asked {
		if c.Split == record.FinalSplit {
			labels[c.Reference] = c.Label
		}
	}
	more.Paper, err = report.NewPaper(input, labels, about.published)
	return more, err
}
