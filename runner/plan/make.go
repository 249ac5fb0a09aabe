package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"headroom/internal/names"
	"headroom/sweeps"
)

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
