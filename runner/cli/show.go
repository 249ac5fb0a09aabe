package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/sweeps"
)

func newShow(a *app) *cobra.Command {
	var incident bool
	cmd := &cobra.Command{
		Use:   "show RUN [--incident]",
		Short: "show a run: configuration, provenance, attempts, evidence, scores",
		Long: `Shows a run. With --incident it shows instead, as Markdown, how a run collapsed or
recovered: the steps around the onset, the first rule that fired, the other series, the
terms and positions that dominated, and the settings that differ in the nearest healthy
run.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.openWorkspace()
			if err != nil {
				return err
			}
			ref, err := findRun(w, args[0])
			if err != nil {
				return err
			}
			info, err := a.readRun(w, ref)
			if err != nil {
				return err
			}
			if incident {
				return a.printIncident(cmd.Context(), w, info)
			}
			if a.global.json {
				return a.printJSON(newShowDocument(info))
			}
			return a.printRun(info)
		},
	}
	cmd.Flags().BoolVar(&incident, "incident", false, "how the run collapsed or recovered, as Markdown")
	return cmd
}

type showDocument struct {
	Schema      int               `json:"schema"`
	ID          string            `json:"id"`
	Label       string            `json:"label"`
	Folder      string            `json:"folder"`
	State       string            `json:"state"`
	Verdict     *string           `json:"verdict"`   // null until judged
	Recovered   string            `json:"recovered"` // the collapses from which a healthy run recovered; "" for none
	Chain       []string          `json:"chain"`
	Step        int               `json:"step"`
	Steps       int               `json:"steps"`
	Error       string            `json:"error,omitempty"`
	Weights     string            `json:"weights,omitempty"` // digest of the final ones
	Config      sweeps.RunConfig  `json:"config"`
	Inputs      sweeps.Inputs     `json:"inputs"`
	Provenance  record.Provenance `json:"provenance"`
	Attempts    []attemptInfo     `json:"attempts"`
	Episodes    []event.Episode   `json:"episodes"`
	Dev         []event.Measured  `json:"dev"`      // evaluations during training
	Selected    *event.Selected   `json:"selected"` // the step chosen by them; null if checkpoint.select is "last", or before the end
	Evaluations []event.Evaluated `json:"evaluations"`
}

func newShowDocument(r runInfo) showDocument {
	d := showDocument{
		Schema: schema, ID: r.ref.ID, Label: r.ref.Label, Folder: r.folder,
		State: r.state, Chain: r.chain, Recovered: stability.Recovered(r.verdict, r.episodes), Step: r.step, Steps: r.steps, Error: r.err, Weights: r.weights,
		Config: r.config, Inputs: r.inputs, Provenance: r.provenance,
		Attempts: r.attempts, Episodes: r.episodes, Dev: r.dev.measured, Selected: r.dev.selected, Evaluations: r.evaluations,
	}
	if r.verdict != "" {
		d.Verdict = &r.verdict
	}
	// An empty list is [], not null.
	d.Chain = append([]string{}, d.Chain...)
	d.Attempts = append([]attemptInfo{}, d.Attempts...)
	d.Episodes = append([]event.Episode{}, d.Episodes...)
	d.Dev = append([]event.Measured{}, d.Dev...)
	d.Evaluations = append([]event.Evaluated{}, d.Evaluations...)
	return d
}

func (a *app) printRun(r runInfo) error {
	verdict := "not judged yet"
	if r.verdict != "" {
		verdict = a.paint(r.verdict)
		verdict = stability.MarkedVerdict(verdict, stability.Recovered(r.verdict, r.episodes))
		if len(r.chain) > 1 && r.verdict != stability.Healthy {
			verdict += " (" + strings.Join(r.chain, " → ") + ")"
		}
	}
	fmt.Fprintf(a.stdout, "%s  %s\n%s, step %d of %d, verdict: %s\n", r.ref.Label, r.ref.ID, a.paint(r.state), r.step, r.steps, verdict)
	if r.state == event.StateDone && r.step < r.steps {
		fmt.Fprintf(a.stdout, "stopped early by stability.stop: %s were not trained, which saved about %s\n", nouns.Count(r.steps-r.step, "step"), time.Duration(r.dev.steps/float64(r.step)*float64(r.steps-r.step)*float64(time.Second)).Round(10*time.Millisecond))
	}
	if r.err != "" {
		fmt.Fprintf(a.stdout, "error: %s\n", r.err)
	}
	fmt.Fprintf(a.stdout, "folder: %s\n", r.folder)

	fmt.Fprintln(a.stdout, "\nConfiguration, where it is not the default:")
	rows := [][]string{}
	for _, change := range sweeps.Diff(sweeps.Defaults(), r.config) {
		rows = append(rows, []string{"  " + change.Key, change.B})
	}
	if err := a.table(rows); err != nil {
		return err
	}
	p := r.provenance
	fmt.Fprintln(a.stdout, "\nMade from:")
	made := [][]string{{"  weights", r.inputs.Weights}, {"  tokenizer", r.inputs.Tokenizer}, {"  data", r.inputs.Data}}
	if r.inputs.During != "" {
		made = append(made, []string{"  dev data", r.inputs.During})
	}
	if err := a.table(append(made, [][]string{
		{"  program", commitOf(p.Commit, p.Dirty), p.Executable, "simd " + strconv.FormatBool(p.SIMD), p.Go},
		{"  machine", p.Host, p.CPU, strings.Join(p.Devices, " ")},
		{"  sweep", p.Sweep, p.Revision},
	}...)); err != nil {
		return err
	}
	if len(r.attempts) > 0 {
		rows = [][]string{{"attempt", "from step", "to step", "seconds", "ended", "host"}}
		for _, t := range r.attempts {
			state := t.State
			state = cmp.Or(state, "-")
			rows = append(rows, []string{strconv.Itoa(t.Number), strconv.Itoa(t.FromStep), strconv.Itoa(t.Step), fmt.Sprintf("%.1f", t.Seconds), state, t.Host})
		}
		fmt.Fprintln(a.stdout)
		if err := a.table(rows); err != nil {
			return err
		}
	}
	a.printEpisodes(r)
	if err := a.printDev(r); err != nil {
		return err
	}
	return a.printScores(r)
}

// commitOf is the commit from which a run's program was built. The digest of the program's
// file distinguishes builds with uncommitted changes.
func commitOf(commit string, dirty bool) string {
	switch {
	case commit == "":
		return "unknown commit"
	case dirty:
		return commit + " with changes"
	}
	return commit
}

// printEpisodes prints the episodes that the detectors found, with their evidence.
func (a *app) printEpisodes(r runInfo) {
	if len(r.episodes) == 0 {
		return
	}
	fmt.Fprintln(a.stdout, "\nEvidence:")
	for _, e := range r.episodes {
		end := "passed"
		if e.Stands {
			end = "stands"
		}
		if e.LastHealthy.Known {
			end += fmt.Sprintf(", last healthy at step %d", e.LastHealthy.Step)
		}
		fmt.Fprintf(a.stdout, "  %s (%s), steps %d to %d, %s\n    %s: %s\n", e.Verdict, e.Severity, e.FirstStep, e.LastStep, end, e.Evidence.Series, e.Evidence.Rule)
		var points []string
		for i, p := range e.Evidence.Observed {
			if i == 6 {
				points = append(points, "…")
				break
			}
			points = append(points, fmt.Sprintf("%.4g @%d", float64(p.Value), p.Step))
		}
		if len(points) > 0 {
			fmt.Fprintf(a.stdout, "    observed %s\n", strings.Join(points, ", "))
		}
	}
}

func (a *app) printScores(r runInfo) error {
	if len(r.evaluations) == 0 {
		return nil
	}
	var names []string
	for _, e := range r.evaluations {
		for name := range e.Measures {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	rows := [][]string{append(append([]string{"collection", "split", "queries"}, names...), "active q", "active d")}
	for _, e := range r.evaluations {
		row := []string{record.CollectionName(e.Dataset), e.Split, strconv.Itoa(e.Queries)}
		for _, name := range names {
			value, known := e.Measures[name]
			if !known {
				row = append(row, "-")
				continue
			}
			row = append(row, fmt.Sprintf("%.4f", float64(value)))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.1f", float64(e.ActiveQuery)), fmt.Sprintf("%.1f", float64(e.ActiveDocument))))
	}
	fmt.Fprintln(a.stdout)
	return a.table(rows)
}
