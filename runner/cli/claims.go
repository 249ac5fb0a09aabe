package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/reports/claims"
	"headroom/reports/compare"
)

type claimsOptions struct {
	sweep, model, file string
	backend            string
	threads            int
}

func newClaims(a *app) *cobra.Command {
	var o claimsOptions
	cmd := &cobra.Command{
		Use:   "claims SWEEP | --model MODEL [--claims FILE]",
		Short: "judge published statements",
		Long: `Judges the claims of a TOML file (docs/claims.md): OK (the direction is right, and both the
interval and the test, corrected for the number of claims, exclude 0), OKish (the
direction alone), FAIL, not run (no such run or collection), unknown (the published
number is not entered yet). With SWEEP: claims about the recorded results of its runs, by
default those of the file that the sweep names, else of experiments/paper/claims.toml.
With --model: claims about a model's vectors, by default those of
experiments/published.toml; their texts and figures come from data:published. The exit
code does not depend on the verdicts.`,
		Example: `  headroom claims demo
  headroom claims sweep.toml --claims mine.toml
  headroom claims --model rasyosef/splade-tiny`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.sweep = args[0]
			}
			return a.claims(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.model, "model", "", "`MODEL` that the claims are about: a folder, a hub name or a RUN")
	f.StringVar(&o.file, "claims", "", "`FILE` of claims (default: as above)")
	f.StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path; with --model")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores; with --model")
	return cmd
}

func (a *app) claims(cmd *cobra.Command, o claimsOptions) error {
	var faults []error
	switch {
	case o.model == "" && o.sweep == "":
		faults = append(faults, errors.New("SWEEP or --model MODEL is missing: claims about what?"))
	case o.model != "" && o.sweep != "":
		faults = append(faults, errors.New("SWEEP and --model are both given; allowed: one of the two"))
	case o.model == "":
		for _, flag := range []string{"backend", "threads"} {
			if cmd.Flags().Changed(flag) {
				faults = append(faults, fmt.Errorf("--%s is for --model: a sweep's runs are measured already", flag))
			}
		}
	}
	if o.threads < 0 {
		faults = append(faults, fmt.Errorf("--threads is %d; allowed: 0 (all cores) or more", o.threads))
	}
	if err := usage(cmd, append(faults, checkBackend(o.backend))...); err != nil {
		return err
	}
	document := struct {
		Schema int                `json:"schema"`
		Claims []claims.Judgement `json:"claims"`
	}{Schema: schema}
	var err error
	if o.model == "" {
		var about sweepClaims
		about, err = a.sweepClaims(cmd.Context(), o)
		document.Claims = about.judged
	} else {
		document.Claims, err = a.publishedClaims(cmd.Context(), o)
	}
	if err != nil {
		return err
	}
	if a.global.json {
		return a.printJSON(document)
	}
	rows := [][]string{{"claim", "verdict", "predicted", "observed", "95 % interval", "p", "seeds", "queries"}}
	predicted := false
	for _, j := range document.Claims {
		rows = append(rows, claimRow(j))
		predicted = predicted || j.Predicted != nil
	}
	if !predicted {
		for i, row := range rows {
			rows[i] = append(row[:2:2], row[3:]...)
		}
	}
	if err := a.table(rows); err != nil {
		return err
	}
	for _, j := range document.Claims {
		if _, err := fmt.Fprintf(a.stdout, "\n%s, %s: %s\n  %s\n  %s\n", plain.Line(j.ID), j.Verdict, plain.Line(j.Text), plain.Line(j.Why), plain.Line(j.Source)); err != nil {
			return failedError(err)
		}
	}
	return nil
}

// claimRow is a judgement's figures; "-" is none.
func claimRow(j claims.Judgement) []string {
	row := []string{j.ID, string(j.Verdict), "-", "-", "-", "-", "-", "-"}
	if j.Predicted != nil {
		row[2] = string(*j.Predicted)
	}
	if len(j.Observed) == 1 {
		row[3] = compare.Score(j.Observed[0])
	} else if len(j.Observed) > 1 {
		row[3] = nouns.Count(len(j.Observed), "figure")
	}
	if j.Interval != nil {
		row[4] = compare.Score(j.Interval[0]) + " to " + compare.Score(j.Interval[1])
	}
	if j.P != nil {
		row[5] = compare.PText(*j.P)
	}
	if j.Seeds > 0 {
		row[6] = strconv.Itoa(j.Seeds)
	}
	if j.Queries > 0 {
		row[7] = strconv.Itoa(j.Queries)
	}
	return row
}
