package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/metrics/stability"
	"headroom/reports/rejudge"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type judgeOptions struct {
	only        []string
	set         []string
	rules       string
	sensitivity bool
	calibration string
}

func newJudge(a *app) *cobra.Command {
	var o judgeOptions
	cmd := &cobra.Command{
		Use:   "judge SWEEP|RUN… [--only EXPR]… [--set stability.KEY=V]… [--rules FILE] [--sensitivity] [--calibration DIR]",
		Short: "judge finished runs again, with other thresholds",
		Long: `Judges the recorded series of finished runs by the same detectors as during training.
Thresholds are each run's own, replaced by those of --rules and then of --set. Shows
which verdicts flip, and why; it changes nothing. --sensitivity shows the verdicts with
each threshold at 0.5, 0.8, 1, 1.25 and 2 times its value. --calibration writes a report
into a folder: how often the runs' own verdicts are wrong, judged by their figures on
dev data, and how well collapse is predicted before training.`,
		Example: `  headroom judge demo --set stability.empty.share=0.02
  headroom judge demo --sensitivity`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := usage(cmd, checkOutputFolder("calibration", o.calibration)); err != nil {
				return err
			}
			return a.judge(args, o)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.only, "only", nil, "keep the runs that match `EXPR`, as in 'loss.kind=infonce, seed!=1'")
	f.StringArrayVar(&o.set, "set", nil, "`KEY=V`, a threshold in place of the runs' own")
	f.StringVar(&o.rules, "rules", "", "TOML `FILE` of thresholds in place of the runs' own, with keys as in a sweep")
	f.BoolVar(&o.sensitivity, "sensitivity", false, "show the verdicts with each threshold at other values")
	f.StringVar(&o.calibration, "calibration", "", "write into `DIR` how often verdicts and predictions are wrong")
	return cmd
}

// judgeDocument is the JSON document of judge.
type judgeDocument struct {
	Schema      int                 `json:"schema"`
	Runs        []rejudge.Judgement `json:"runs"`
	Flipped     int                 `json:"flipped"`
	Sensitivity []rejudge.Row       `json:"sensitivity"`
}

func (a *app) judge(args []string, o judgeOptions) error {
	var settings sweeps.Settings
	var faults []error
	if o.rules != "" {
		read, err := sweeps.LoadSettings(o.rules)
		settings, faults = read, append(faults, err)
	}
	set, err := sweeps.ParseSettings(o.set)
	if err := errors.Join(append(faults, err)...); err != nil {
		return err
	}
	settings = append(settings, set...)
	only, err := parseOnly(o.only)
	if err != nil {
		return err
	}
	if o.calibration != "" && (len(settings) > 0 || o.sensitivity) {
		return fmt.Errorf("judge: --calibration is about the runs' own verdicts: leave out --set, --rules and --sensitivity")
	}
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	runs, err := a.judgedRuns(w, args, only)
	if err != nil {
		return err
	}
	judgements, rows, err := rejudge.Judge(runs, settings, o.sensitivity)
	if err != nil {
		return err
	}
	if o.calibration != "" {
		return a.calibrate(w, append(args, o.only...), runs, judgements, o.calibration)
	}
	document := judgeDocument{Schema: schema, Runs: judgements, Sensitivity: rows}
	for _, j := range judgements {
		if j.Flipped {
			document.Flipped++
		}
	}
	a.judgeNotes(judgements)
	if a.global.json {
		return a.printJSON(document)
	}
	return a.printJudgements(document, settings)
}

// judgedRuns returns the finished runs that the arguments name and that every filter matches.
// A run that is named and has no verdict is an error; such runs of a sweep are left out with a
// note.
func (a *app) judgedRuns(w workspace.Workspace, args []string, only []sweeps.Filter) ([]rejudge.Run, error) {
	var runs []rejudge.Run
	var faults []error
	unmatched := 0
	add := func(ref runRef) (found bool, err error) {
		if slices.ContainsFunc(runs, func(r rejudge.Run) bool { return r.ID == ref.ID }) {
			return true, nil
		}
		if _, err := os.Stat(w.Run(ref.ID)); errors.Is(err, fs.ErrNotExist) {
			return false, nil // it has not begun
		}
		info, err := a.readRun(w, ref)
		if err != nil || info.verdict == "" {
			return false, err
		}
		if slices.ContainsFunc(only, func(f sweeps.Filter) bool { return !f.Match(info.config) }) {
			unmatched++
			return true, nil
		}
		runs = append(runs, rejudge.Run{
			ID: ref.ID, Label: ref.Label, Folder: info.folder, Thresholds: info.config.Stability.Thresholds,
			Kin:      info.inputs.Weights + " " + info.inputs.Data,
			Episodes: info.episodes, Verdict: info.verdict, Chain: info.chain,
		})
		return true, nil
	}
	for _, arg := range args {
		members, ofSweep, err := a.judgedMembers(w, arg)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		var without []string
		for _, ref := range members {
			found, err := add(ref)
			if err != nil {
				return nil, err
			}
			if !found {
				without = append(without, ref.Label)
			}
		}
		switch {
		case len(without) == 0:
		case len(without) == len(members) && ofSweep:
			faults = append(faults, fmt.Errorf("judge sweep %q: none of its %s has a verdict yet: `headroom run` makes them", arg, nouns.Count(len(members), "run")))
		case ofSweep:
			a.note("note: %s without a verdict yet, left out: %s", nouns.Count(len(without), "run"), shortList(without))
		default:
			faults = append(faults, fmt.Errorf("judge run %q: it has no verdict yet: a run gets one at its end", arg))
		}
	}
	if len(runs) == 0 && unmatched > 0 {
		faults = append(faults, fmt.Errorf("judge: --only matches none of %s", nouns.Count(unmatched, "finished run")))
	}
	return runs, errors.Join(faults...)
}

// shortList returns names as one text that is no longer than a line.
func shortList(names []string) string {
	const most = 5
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// judgedMembers returns the runs that one argument names: those of a sweep's last revision,
// by its name or file, or one run.
func (a *app) judgedMembers(w workspace.Workspace, text string) (runs []runRef, ofSweep bool, err error) {
	name := text
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		s, err := a.openSweep(text, nil)
		if err != nil {
			return nil, false, err
		}
		name = s.spec.Name
	}
	_, _, manifest, err := w.Sweep(name)
	switch {
	case err == nil:
		for _, run := range manifest.Runs {
			runs = append(runs, runRef{run.Run, run.Label})
		}
		return runs, true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, false, err
	case name != text:
		return nil, false, fmt.Errorf("judge %q: the sweep %q has not been run in this workspace", text, name)
	}
	ref, err := findRun(w, text)
	if err == nil {
		return []runRef{ref}, false, nil
	}
	if !errors.Is(err, errNoRun) {
		return nil, false, err
	}
	if kept, e := w.Sweeps(); e == nil && len(kept) > 0 {
		err = fmt.Errorf("%w; sweeps: %s", err, strings.Join(kept, ", "))
	}
	return nil, false, fmt.Errorf("judge %q: no sweep of this name, and %w", text, err)
}

// judgeNotes prints what judgements lack, in one line for all runs that lack the same.
func (a *app) judgeNotes(judgements []rejudge.Judgement) {
	var order []string
	of := map[string][]string{}
	for _, j := range judgements {
		for _, text := range j.Notes {
			if of[text] == nil {
				order = append(order, text)
			}
			of[text] = append(of[text], j.Label)
		}
	}
	for _, text := range order {
		labels := of[text]
		who := labels[0]
		if len(labels) > 1 {
			who = fmt.Sprintf("%s and %s", who, nouns.Count(len(labels)-1, "other run"))
		}
		a.note("note: %s: %s", who, text)
	}
}

func (a *app) printJudgements(d judgeDocument, settings sweeps.Settings) error {
	by := "each run's own"
	if len(settings) > 0 {
		by += ", with " + strings.Join(settings.Lines(), ", ")
	}
	fmt.Fprintf(a.stdout, "thresholds: %s\n\n", plain.Line(by))
	rows := [][]string{{"run", "stored", "judged", "flipped"}}
	for _, j := range d.Runs {
		flipped := ""
		if j.Flipped {
			flipped = "yes"
		}
		judged := stability.MarkedVerdict(j.Judged, stability.Recovered(j.Judged, j.Episodes))
		rows = append(rows, []string{j.Label, j.Stored, judged, flipped})
	}
	if err := a.table(rows); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\n%d of %s flipped\n", d.Flipped, nouns.Count(len(d.Runs), "verdict"))
	for _, j := range d.Runs {
		if j.Flipped {
			fmt.Fprintf(a.stdout, "  %s: %s → %s: %s\n", plain.Line(j.Label), j.Stored, j.Judged, plain.Line(j.Why))
		}
	}
	if err := a.printSiblings(d); err != nil || len(d.Sensitivity) == 0 {
		return err
	}
	return a.printSensitivity(d)
}

// printSiblings lists the runs that are degraded in comparison with their healthy siblings.
func (a *app) printSiblings(d judgeDocument) error {
	rows := [][]string{{"degraded run", "verdict", "accuracy", "of siblings", "ratio", "interval"}}
	compared := 0
	for _, j := range d.Runs {
		c := j.Siblings
		if c == nil {
			continue
		}
		compared++
		if c.Degraded {
			rows = append(rows, []string{j.Label, j.Judged, fmt.Sprintf("%.3f", float64(c.Accuracy)), fmt.Sprintf("%.3f (%d)", float64(c.Median), c.Count),
				fmt.Sprintf("%.2f", float64(c.Ratio)), fmt.Sprintf("[%.2f, %.2f] (%.3g %%)", float64(c.Low), float64(c.High), 100*float64(c.Level))})
		}
	}
	if compared == 0 {
		return nil
	}
	fmt.Fprintf(a.stdout, "\n%d of %s compared with healthy siblings degraded: in-batch accuracy at the end, above chance, below %v of their median\n",
		len(rows)-1, nouns.Count(compared, "run"), rejudge.DegradedBelow)
	if len(rows) == 1 {
		return nil
	}
	return a.table(rows)
}

func (a *app) printSensitivity(d judgeDocument) error {
	kinds := append([]string{stability.Healthy}, stability.Collapses()...)
	label := map[string]string{}
	for _, j := range d.Runs {
		label[j.ID] = j.Label
	}
	rows := [][]string{append(append([]string{"threshold", "value"}, kinds...), "flipped")}
	for _, r := range d.Sensitivity {
		row := []string{r.Key, fmt.Sprintf("%g", r.Value)}
		for _, kind := range kinds {
			row = append(row, fmt.Sprint(r.Verdicts[kind]))
		}
		var flipped []string
		for _, id := range r.Flipped {
			flipped = append(flipped, label[id])
		}
		if len(flipped) > 4 {
			flipped = append(flipped[:4], fmt.Sprintf("and %d more", len(r.Flipped)-4))
		}
		rows = append(rows, append(row, strings.Join(flipped, ", ")))
	}
	fmt.Fprintln(a.stdout)
	return a.table(rows)
}
