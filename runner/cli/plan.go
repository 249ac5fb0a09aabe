package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/data/packages"
	"headroom/internal/alike"
	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/reports/calibration"
	"headroom/runner/plan"
	"headroom/sweeps"
)

type planOptions struct {
	only    []string
	verify  bool
	power   bool
	chances bool
}

func newPlan(a *app) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan SWEEP [KEY=VALUE…]",
		Short: "show what would run, resume or be skipped, and why; changes nothing",
		Example: `  headroom plan demo
  headroom plan sweep.toml train.steps=100 'model.rescale=[1,8]' --only 'model.backbone=~bert'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.plan(cmd, args[0], args[1:], o)
		},
	}
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "keep the runs that match `EXPR`, as in 'model.backbone=~ettin, seed=1'")
	cmd.Flags().BoolVar(&o.verify, "verify", false, "read every byte, also of files whose path, size and time have not changed")
	cmd.Flags().BoolVar(&o.power, "power", false, "also estimate, from finished runs, which difference the sweep can show, and how many more seeds a smaller one needs")
	cmd.Flags().BoolVar(&o.chances, "chances", false, "also probe large backbones for the chance of collapse; the first time this can take minutes")
	return cmd
}

func (a *app) plan(cmd *cobra.Command, sweep string, overrides []string, o planOptions) error {
	only, err := parseOnly(o.only)
	if err != nil {
		return err
	}
	s, err := a.openSweep(sweep, overrides)
	if err != nil {
		return err
	}
	if _, err := claimsOf(s); err != nil {
		return err
	}
	s.verify = o.verify
	p, err := a.planSweep(cmd.Context(), s, only)
	if err != nil {
		return err
	}
	p.Notices = append(p.Notices, missingBackends(p)...)
	a.warn(p)
	var power *planPower
	if o.power {
		known, err := a.powerOf(cmd.Context(), p.Sweep)
		if err != nil {
			return err
		}
		power = &known
	}
	rules, err := shippedRules()
	if err != nil {
		return err
	}
	chances, notices, err := a.chancesOf(cmd.Context(), s, p, o.chances, rules)
	if err != nil {
		return err
	}
	for _, notice := range alike.Lines(notices) {
		a.note("%s", notice)
	}
	if a.global.json {
		return a.printJSON(struct {
			*plan.Plan
			Chances []planChance `json:"chances,omitempty"`
			Power   *planPower   `json:"power,omitempty"`
		}{p, chances, power})
	}
	if err := a.printPlan(p, chances, rules); err != nil || power == nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\n%s\n", plain.Line(power.sentence))
	return failedError(err)
}

// warn prints the notices of a plan.
func (a *app) warn(p *plan.Plan) {
	for _, notice := range alike.Lines(p.Notices) {
		a.note("warning: %s", notice)
	}
}

func (a *app) printPlan(p *plan.Plan, chances []planChance, rules calibration.Rules) error {
	fmt.Fprintf(a.stdout, "%s: %s\n", p.Sweep, summarize(p))
	if p.Question != "" {
		fmt.Fprintf(a.stdout, "%s\n", plain.Line(p.Question))
	}
	configs := make([]sweeps.RunConfig, len(p.Runs))
	for i, r := range p.Runs {
		configs[i] = r.Config
	}
	settings := sweeps.Variations(configs)
	varied := slices.ContainsFunc(settings, func(s string) bool { return s != "" })
	predictedSetting := map[string][]string{}
	for _, c := range chances {
		predictedSetting[c.ID] = c.chances()
	}
	// A row is what, id, settings if they vary, state, predicted, chances if there are
	// some, and why.
	row := func(what, id, setting, state, predicted, why string, chances []string) []string {
		cells := []string{what, id}
		if varied {
			cells = append(cells, setting)
		}
		cells = append(cells, state, predicted)
		if len(predictedSetting) > 0 {
			cells = append(cells, append(chances, make([]string, len(chanceColumns())-len(chances))...)...)
		}
		return append(cells, why)
	}
	rows := [][]string{row("what", "id", "settings", "state", "predicted", "why", chanceColumns())}
	for _, r := range p.Recipes {
		rows = append(rows, row("recipe "+r.Name, r.ID.Short(), "", string(r.State), seconds(r.Seconds), r.Why, nil))
	}
	for i, r := range p.Runs {
		rows = append(rows, row(r.Label, r.ID.Short(), settings[i], string(r.State), seconds(r.Seconds), r.Why, predictedSetting[string(r.ID)]))
	}
	finished := finishedRuns(p)
	for _, e := range p.Evaluations {
		if e.State.Finished() || e.Name == "" && !finished[e.Run] {
			continue // done, or its run makes it
		}
		what := "  " + e.Label
		if e.Name == "" {
			what = "  evaluate " + e.Label + " on " + e.Dataset
		}
		rows = append(rows, row(what, e.ID[:min(8, len(e.ID))], "", string(e.State), seconds(e.Seconds), e.Why, nil))
	}
	if d := p.Disk; d != nil && d.Workspace+d.Data >= leastShown {
		fmt.Fprintf(a.stdout, "disk: about %s in the workspace, %s of collections to download and unpack\n", packages.Size(d.Workspace), packages.Size(d.Data))
	}
	if staged := p.StagesText(); staged != "" {
		fmt.Fprintf(a.stdout, "second stage, %s: %s\n", nouns.Count(len(p.Full[0].Collections), "collection"), plain.Line(staged))
	}
	fmt.Fprintln(a.stdout)
	if err := a.table(rows); err != nil || len(predictedSetting) == 0 {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "\n%s\n", sourceOf(rules))
	return failedError(err)
}

// leastShown is the number of bytes from which on a plan shows the space that disks need.
const leastShown = 1e9

// finishedRuns returns the finished runs of a plan. Their evaluations are jobs of their own.
func finishedRuns(p *plan.Plan) map[sweeps.ID]bool {
	finished := map[sweeps.ID]bool{}
	for i := range p.Runs {
		if run := &p.Runs[i]; run.State.Finished() {
			finished[run.ID] = true
		}
	}
	return finished
}

// summarize counts runs by state, and states the predicted time of the rest.
func summarize(p *plan.Plan) string {
	parts := []string{nouns.Count(len(p.Runs), "run")}
	for _, state := range []plan.State{plan.New, plan.Queued, plan.Running, plan.Interrupted, plan.Failed, plan.Damaged, plan.Stale, plan.Unresolved, plan.Done} {
		if n := p.Count(state); n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+string(state))
			if bad := p.Collapsed(); state == plan.Done && bad > 0 {
				parts[len(parts)-1] += fmt.Sprintf(" (%d collapsed)", bad)
			}
		}
	}
	if missing := missingEvaluations(p); missing > 0 {
		parts = append(parts, nouns.Count(missing, "evaluation")+" missing")
	}
	if p.Seconds != nil && *p.Seconds > 0 {
		parts = append(parts, "about "+seconds(p.Seconds)+" of work"+basis(p))
	}
	return strings.Join(parts, ", ")
}

// basis names the basis of predictions; of several, the most frequent one.
func basis(p *plan.Plan) string {
	runs, best := map[string]int{}, ""
	for _, r := range p.Runs {
		if r.Basis != "" {
			if runs[r.Basis]++; runs[r.Basis] > runs[best] {
				best = r.Basis
			}
		}
	}
	switch len(runs) {
	case 0:
		return ""
	case 1:
		return " (predicted from " + best + ")"
	}
	return " (most predicted from " + best + "; --json says of each)"
}

// missingEvaluations counts the unfinished evaluations that are jobs of their own.
func missingEvaluations(p *plan.Plan) int {
	n, finished := 0, finishedRuns(p)
	for i := range p.Evaluations {
		if e := &p.Evaluations[i]; !e.State.Finished() && (e.Name != "" || finished[e.Run]) {
			n++
		}
	}
	return n
}

// seconds writes a prediction, "-" if there is none.
func seconds(s *float64) string {
	if s == nil {
		return "-"
	}
	return (time.Duration(*s * float64(time.Second))).Round(time.Second).String()
}
