// Package plan decides what a sweep still needs and says why. It reads the
// sweep, its data and models, and the workspace's files, and changes none of
// them: Make gives the same answer until something else does work. `headroom
// plan` prints the plan, and `headroom run` carries it out.
//
// All faults of the inputs are reported at once, as sweeps.Faults, so that none
// shows only after compute has started. An absent input (a hub model, a recipe not
// yet made, a collection not yet fetched) is no fault: its rows are Unresolved,
// with the reason.
package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"headroom/data/source"
	"headroom/internal/names"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/sweeps"
)

// State is the state of a row, in the same words as in status and SQL. A collapse of a
// finished run is not a state but its verdict.
type State string

const (
	New         State = record.StateNew
	Queued      State = record.StateQueued
	Running     State = record.StateRunning
	Interrupted State = record.StateInterrupted
	Done        State = record.StateDone
	Failed      State = record.StateFailed
	// Stale: finished under semantics that have changed since.
	Stale State = "stale"
	// Damaged: one of its files is missing or has changed since it was made. It is made
	// again from the files that are left.
	Damaged State = "damaged"
	// Unresolved: an input is not there yet.
	Unresolved State = "unresolved"
)

// Finished reports whether a state means that there is nothing to do.
func (s State) Finished() bool { return s == Done }

// Options are the inputs of a plan.
type Options struct {
	// Spec is the sweep.
	Spec *sweeps.Spec
	// Only keeps the runs that every filter matches.
	Only []sweeps.Filter
	// Workspace may not exist yet.
	Workspace string
	// Resolver finds data and models. Its RecipeID is not used: recipes are
	// identified from Recipe.
	Resolver *source.Resolver
	// Recipe reads a pretraining recipe by its name.
	Recipe func(name string) (*sweeps.Recipe, error)
	// Holder names the live process that holds the lease of a folder, "" for none.
	Holder func(folder string) string
	// Semantics are today's; nil is sweeps.CurrentSemantics.
	Semantics sweeps.Semantics
	// Earlier are former semantics, newest first; nil is sweeps.EarlierSemantics.
	Earlier []sweeps.Semantics
}

// Plan is the answer, in the order of the sweep.
type Plan struct {
	Schema   int    `json:"schema"`
	Sweep    string `json:"sweep"`
	Question string `json:"question"`
	// Recipes are the backbones that runs need.
	Recipes     []Recipe     `json:"recipes"`
	Runs        []Run        `json:"runs"`
	Evaluations []Evaluation `json:"evaluations"`
	// Full is the second stage, one for each backbone; empty if the sweep has none.
	Full []Full `json:"full"`
	// Notices are for the user to read before the sweep is run.
	Notices []string `json:"notices"`
	// Seconds is the predicted time of all unfinished work on one slot; nil if
	// nothing has been measured yet.
	Seconds *float64 `json:"seconds_predicted"`
	// Disk is the approximate space on disks; null if no backbone is here.
	Disk *Disk `json:"disk_predicted"`
}

// Run is one point of the sweep.
type Run struct {
	// ID is "" while the digest of an input is not known.
	ID    sweeps.ID `json:"id"`
	Label string    `json:"label"`
	State State     `json:"state"`
	Why   string    `json:"why"`
	// Verdict is "healthy" or a kind of collapse; null until the run is judged.
	Verdict *string `json:"verdict"`
	// Seconds is the predicted time of its remaining work; nil if unknown.
	Seconds *float64 `json:"seconds_predicted"`
	// Basis names the basis of Seconds; "" if nothing is predicted.
	Basis string `json:"predicted_from"`
	// Config has every effective value; its paths are absolute.
	Config sweeps.RunConfig `json:"config"`

	// Inputs are the digests in the id.
	Inputs sweeps.Inputs `json:"-"`
	// Folder is the run's folder inside the workspace.
	Folder string `json:"-"`
	// Needs is the id of a recipe. The run waits for its backbone, and for nothing
	// else; "" if it waits for none.
	Needs sweeps.ID `json:"-"`
}

// Recipe is a backbone from which runs of the plan start.
type Recipe struct {
	ID      sweeps.ID `json:"id"`
	Name    string    `json:"name"`
	State   State     `json:"state"`
	Why     string    `json:"why"`
	Seconds *float64  `json:"seconds_predicted"`

	// Recipe has absolute paths.
	Recipe sweeps.Recipe `json:"-"`
	Inputs sweeps.Inputs `json:"-"`
	Folder string        `json:"-"`
}

// Count is the number of runs in a state.
func (p *Plan) Count(state State) int {
	n := 0
	for i := range p.Runs {
		if run := &p.Runs[i]; run.State == state {
			n++
		}
	}
	return n
}

// Collapsed is the number of finished runs whose verdict is a collapse.
func (p *Plan) Collapsed() int {
	n := 0
	for i := range p.Runs {
		if run := &p.Runs[i]; run.State == Done && run.Verdict != nil && *run.Verdict != stability.Healthy {
			n++
		}
	}
	return n
}

// Idle reports whether everything is finished, so that running the sweep would do nothing.
func (p *Plan) Idle() bool {
	for i := range p.Runs {
		if run := &p.Runs[i]; !run.State.Finished() {
			return false
		}
	}
	for i := range p.Evaluations {
		if e := &p.Evaluations[i]; !e.State.Finished() {
			return false
		}
	}
	for _, r := range p.Recipes {
		if r.State == Damaged {
			return false
		}
	}
	return true
}

// Make plans a sweep. Its error is sweeps.Faults if the sweep or its inputs
// are wrong.
func Make(ctx context.Context, o Options) (*Plan, error) {
	points, err := o.Spec.Points()
	if err != nil {
		return nil, err
	}
	if o.Semantics == nil {
		o.Semantics = sweeps.CurrentSemantics()
	}
	if o.Earlier == nil {
		o.Earlier = sweeps.EarlierSemantics()
	}
	m := &maker{Options: o, compared: map[string]bool{}, found: newInputs(ctx, o), plan: &Plan{
		Schema: 1, Sweep: o.Spec.Name, Question: o.Spec.Question,
		Recipes: []Recipe{}, Runs: []Run{}, Evaluations: []Evaluation{}, Full: []Full{}, Notices: []string{},
	}}
	m.plan.Runs, m.plan.Evaluations = slices.Grow(m.plan.Runs, len(points)), slices.Grow(m.plan.Evaluations, len(points))
	m.made = runsWithFolders(o.Workspace)
	for i := range points {
		if !matches(o.Only, points[i].Config) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.run(&points[i])
	}
	if len(m.plan.Runs) == 0 && len(m.found.faults) == 0 {
		m.found.fault("--only", "", fmt.Sprintf("none of the sweep's %d runs matches", len(points)))
	}
	m.label(points)
	m.full()
	m.recipes()
	m.baselines()
	if len(m.found.faults) > 0 {
		return nil, m.found.faults
	}
	m.plan.Notices = append(append(m.plan.Notices, o.Spec.Notices()...), m.found.notices...)
	m.predict(ctx)
	m.plan.Disk = m.disk()
	return m.plan, ctx.Err()
}

func matches(filters []sweeps.Filter, c sweeps.RunConfig) bool {
	for _, f := range filters {
		if !f.Match(c) {
			return false
		}
	}
	return true
}

// maker carries one call of Make.
type maker struct {
	Options
	found *inputs
	plan  *Plan
	seen  map[sweeps.ID]*sweeps.Point
	// made has the runs that have a folder.
	made map[sweeps.ID]bool
	// called holds the backbones' short names.
	called map[string]string
	// compared holds the lists of data that noteOverlaps and noteLeaks have examined.
	compared map[string]bool
}

func (m *maker) run(point *sweeps.Point) {
	config := m.absolute(point.Config)
	backbone := m.found.model("model.backbone", config.Model.Backbone)
	data := m.found.training(config.Data.Train)
	m.found.checkFit(config, backbone, data)
	config = config.WithPrompts(backbone.tokens.QueryPrompt, backbone.tokens.DocumentPrompt)

	run := Run{Config: config}
	run.Inputs = sweeps.Inputs{Weights: backbone.weights, Tokenizer: backbone.tokenizer, Data: data.digest}
	dev, absent := m.duringDigest(config)
	known := backbone.weights != "" && backbone.tokenizer != "" && data.digest != ""
	if config.Selects() {
		run.Inputs.During = dev
		known = known && dev != ""
	}
	if known {
		run.ID = m.Semantics.RunID(config, run.Inputs)
		run.Folder = runFolder(m.Workspace, run.ID)
	}
	run.Label = sweeps.Label(config, run.ID) // until all runs are known
	if m.refuseSameRun(run.ID, point) {
		return
	}
	switch {
	case known:
		m.settle(&run)
		if backbone.why != "" && !run.State.Finished() && run.State != Running {
			run.State, run.Why = Unresolved, backbone.why
		}
	default:
		run.State, run.Why = Unresolved, reasons(backbone.why, data.why, absent)
	}
	if known && absent != "" && !run.State.Finished() && run.State != Running {
		run.State, run.Why = Unresolved, reasons(backbone.why, absent)
	} else if known && !run.State.Finished() {
		run.Needs = backbone.recipe
	}
	m.found.checkComputable(run, backbone)
	if !run.State.Finished() {
		m.found.noteOdd(config, backbone, data)
	}
	m.refuseDuplicates(point.Config.Evaluate, config.Evaluate)
	m.plan.Runs = append(m.plan.Runs, run)
	m.evaluations(&m.plan.Runs[len(m.plan.Runs)-1])
	if len(m.found.faults) == 0 {
		m.noteOverlaps(config)
		m.noteLeaks(config, data)
	}
}

// label gives the runs labels that differ. The names of backbones do not depend on the part of
// the sweep that is planned.
func (m *maker) label(points []sweeps.Point) {
	backbones := make([]string, len(points))
	for i, p := range points {
		backbones[i] = m.Resolver.Absolute(p.Config.Model.Backbone)
	}
	m.called = names.DistinctNames(backbones, sweeps.BackboneName)
	list := make([]sweeps.Labelled, len(m.plan.Runs))
	for i, run := range m.plan.Runs {
		list[i] = sweeps.Labelled{Config: run.Config, ID: run.ID, Backbone: m.called[run.Config.Model.Backbone]}
	}
	byID := map[sweeps.ID]string{}
	for i, label := range sweeps.Labels(list) {
		m.plan.Runs[i].Label, byID[m.plan.Runs[i].ID] = label, label
	}
	for i := range m.plan.Evaluations {
		if e := &m.plan.Evaluations[i]; e.Run != "" {
			e.Label = byID[e.Run]
		}
	}
}

// reasons joins the reasons that are not empty.
func reasons(whys ...string) string {
	return strings.Join(slices.DeleteFunc(whys, func(why string) bool { return why == "" }), "; ")
}

// refuseSameRun finds two points that are the same run, such as two paths to one
// checkpoint.
func (m *maker) refuseSameRun(id sweeps.ID, point *sweeps.Point) bool {
	if id == "" {
		return false
	}
	if m.seen == nil {
		m.seen = map[sweeps.ID]*sweeps.Point{}
	}
	other, twice := m.seen[id]
	if !twice {
		m.seen[id] = point
		return false
	}
	where := other.Place
	if point.Place != where {
		where += " and " + point.Place
	}
	if where == "[grid]" {
		where = "grid"
	}
	var one, two []string
	for _, change := range sweeps.Diff(other.Config, point.Config) {
		one, two = append(one, change.Key+" = "+change.A), append(two, change.Key+" = "+change.B)
	}
	m.found.fault(where, "", fmt.Sprintf("two points are the same run %s: %s, and %s: they hold the same files", id.Short(), strings.Join(one, ", "), strings.Join(two, ", ")))
	return true
}

// absolute makes every reference of a configuration mean the same from any
// folder, so that a worker need not know the folder of the sweep file.
func (m *maker) absolute(c sweeps.RunConfig) sweeps.RunConfig {
	c.Model.Backbone = m.Resolver.Absolute(c.Model.Backbone)
	c.Data.Train = m.Resolver.Absolute(c.Data.Train)
	for _, list := range []*[]string{&c.Evaluate.Final, &c.Evaluate.During, &c.Evaluate.Full} {
		out := make([]string, 0, len(*list))
		for _, ref := range *list {
			out = append(out, m.Resolver.Absolute(ref))
		}
		*list = out
	}
	return c
}
