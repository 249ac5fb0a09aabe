package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/metrics/event"
	"headroom/metrics/ir"
	"headroom/sweeps"
)

// MeasuresVersion is in every evaluation's id. It is raised when the same
// vectors would be measured otherwise.
const MeasuresVersion = 1

// FinalSplit is the split that a run is measured on at its end.
const FinalSplit = "test"

// The names of baselines.
const (
	BM25      = "bm25"
	Untrained = "untrained"
)

// Evaluation is one measurement that the sweep asks for: of a run, or of a
// baseline. It says all that a worker needs to make it.
type Evaluation struct {
	ID string `json:"id"`
	// Run is the run that is measured; "" for a baseline.
	Run sweeps.ID `json:"run"`
	// Name is "" for a run, else BM25 or Untrained.
	Name    string `json:"name"`
	Label   string `json:"label"`
	Dataset string `json:"dataset"`
	Split   string `json:"split"`
	// Backbone is what an untrained model or a run starts from; "" for BM25.
	Backbone string   `json:"backbone"`
	State    State    `json:"state"`
	Why      string   `json:"why"`
	Seconds  *float64 `json:"seconds_predicted"`

	// Config is the configuration it encodes with. For an untrained model it is
	// that of the backbone as it came: k = 1.
	Config   sweeps.RunConfig       `json:"-"`
	Inputs   sweeps.Inputs          `json:"-"`
	Encoding sweeps.EncodingOptions `json:"-"`
	Measures []string               `json:"-"`
	// Folder is where summary.json belongs.
	Folder string `json:"-"`
	// Needs is the id of the recipe whose backbone must be made first, and is all
	// that the row waits for; or "".
	Needs sweeps.ID `json:"-"`
}

// RunEvaluation identifies the evaluation of a run on a collection whose split
// has that digest. A worker and a plan agree because both ask here.
func RunEvaluation(workspace string, id sweeps.ID, c sweeps.RunConfig, dataset, split, digest string) Evaluation {
	e := Evaluation{
		Run: id, Label: sweeps.Label(c, id), Dataset: dataset, Split: split, Backbone: c.Model.Backbone,
		Config: c, Encoding: sweeps.EncodingOf(c, split), Measures: c.Evaluate.Measures,
	}
	e.ID = sweeps.EvaluationID(string(id), digest, e.Encoding, MeasuresVersion)
	e.Folder = filepath.Join(runFolder(workspace, id), "evaluations", e.ID)
	return e
}

// BM25Evaluation is the same for BM25, which has no lengths and no backbone.
func BM25Evaluation(workspace string, c sweeps.RunConfig, dataset, split, digest string) Evaluation {
	e := Evaluation{
		Name: BM25, Label: BM25 + " on " + dataset, Dataset: dataset, Split: split,
		Config: c, Encoding: sweeps.EncodingOptions{Split: split}, Measures: c.Evaluate.Measures,
	}
	return e.baseline(workspace, "bm25 k1=0.9 b=0.4", digest)
}

// UntrainedEvaluation is the same for a backbone as it came, encoding texts as
// the configuration's runs do.
func UntrainedEvaluation(workspace string, c sweeps.RunConfig, in sweeps.Inputs, dataset, split, digest string) Evaluation {
	c.Model.Rescale = sweeps.Rescale{K: 1}
	c.Model.Target = sweeps.Defaults().Model.Target
	c.Model.Tie = sweeps.Defaults().Model.Tie
	e := Evaluation{
		Name: Untrained, Dataset: dataset, Split: split, Backbone: c.Model.Backbone,
		Config: c, Inputs: in, Encoding: sweeps.EncodingOf(c, split), Measures: c.Evaluate.Measures,
	}
	e.Label = sweeps.BackboneName(c.Model.Backbone) + " untrained on " + dataset
	return e.baseline(workspace, "untrained "+in.Weights+" "+in.Tokenizer, digest)
}

func (e Evaluation) baseline(workspace, of, digest string) Evaluation {
	e.ID = sweeps.EvaluationID(of, digest, e.Encoding, MeasuresVersion)
	e.Folder = filepath.Join(workspace, "baselines", e.ID)
	return e
}

// evaluations adds the rows of one run: its model at the end on test data, and on the
// dev data that it was watched on.
func (m *maker) evaluations(run Run) {
	for _, ref := range run.Config.Evaluate.Final {
		m.evaluation(run, "evaluate.final", ref, FinalSplit)
	}
	for _, ref := range run.Config.Evaluate.During {
		m.evaluation(run, "evaluate.during", ref, DuringSplit)
	}
}

func (m *maker) evaluation(run Run, key, ref, split string) {
	data := m.found.data(key, ref, split)
	if run.ID == "" || data.digest == "" {
		why, needs := data.why, sweeps.ID("")
		if why == "" {
			why, needs = run.Why, run.Needs
		}
		m.plan.Evaluations = append(m.plan.Evaluations, Evaluation{
			Label: run.Label, Run: run.ID, Dataset: ref, Split: split, Backbone: run.Config.Model.Backbone,
			Config: run.Config, Measures: run.Config.Evaluate.Measures, State: Unresolved, Why: why, Needs: needs,
		})
		return
	}
	e := RunEvaluation(m.Workspace, run.ID, run.Config, ref, split, data.digest)
	e.Inputs, e.Needs = run.Inputs, run.Needs
	m.look(&e)
	if e.State == New && !run.State.Finished() {
		e.Why = "comes with its run"
	}
	if !e.State.Finished() {
		m.found.oddSplit(key, ref, split, data)
	}
	m.plan.Evaluations = append(m.plan.Evaluations, e)
}

// baselines adds BM25 once a collection, and the untrained model once a
// collection, backbone and encoding.
func (m *maker) baselines() {
	known := map[string]bool{}
	for _, run := range m.plan.Runs {
		for _, ref := range run.Config.Evaluate.Final {
			for _, name := range run.Config.Evaluate.Baselines {
				e := m.baseline(name, run, ref)
				key := e.ID
				if key == "" {
					key = e.Name + "\x00" + e.Backbone + "\x00" + e.Dataset
				}
				if !known[key] {
					known[key] = true
					m.plan.Evaluations = append(m.plan.Evaluations, e)
				}
			}
		}
	}
}

func (m *maker) baseline(name string, run Run, ref string) Evaluation {
	data := m.found.data("evaluate.final", ref, FinalSplit)
	unresolved := Evaluation{Name: name, Label: name + " on " + ref, Dataset: ref, Split: FinalSplit, State: Unresolved, Config: run.Config, Measures: run.Config.Evaluate.Measures}
	if name == Untrained {
		unresolved.Backbone = run.Config.Model.Backbone
	}
	if data.digest == "" {
		unresolved.Why = data.why
		return unresolved
	}
	if name == BM25 {
		e := BM25Evaluation(m.Workspace, run.Config, ref, FinalSplit, data.digest)
		m.look(&e)
		return e
	}
	backbone := m.found.model("model.backbone", run.Config.Model.Backbone)
	if backbone.weights == "" || backbone.tokenizer == "" {
		unresolved.Why = backbone.why
		return unresolved
	}
	e := UntrainedEvaluation(m.Workspace, run.Config, run.Inputs, ref, FinalSplit, data.digest)
	m.look(&e)
	if !e.State.Finished() && backbone.why != "" {
		e.State, e.Why, e.Needs = Unresolved, backbone.why, backbone.recipe
	}
	return e
}

// summary is the part of summary.json that says which measures are there.
type summary struct {
	Measures map[string]event.Value `json:"measures"`
	Refused  string                 `json:"refused"`
}

// look decides an evaluation's state from its folder.
func (m *maker) look(e *Evaluation) {
	text, err := os.ReadFile(filepath.Join(e.Folder, "summary.json"))
	if errors.Is(err, fs.ErrNotExist) {
		e.State, e.Why = New, "not in the workspace"
		return
	}
	var s summary
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		e.State, e.Why = Failed, fmt.Sprintf("its summary cannot be read: %v", err)
		return
	}
	if s.Refused != "" {
		e.State, e.Why = Done, "no figures: "+s.Refused
		return
	}
	for _, name := range e.Measures {
		measure, err := ir.Parse(name)
		if err != nil {
			m.found.fault("evaluate.measures", fmt.Sprintf("%q", name), err.Error())
			continue
		}
		if _, ok := s.Measures[measure.String()]; !ok {
			e.State, e.Why = New, "its summary lacks "+name
			return
		}
	}
	e.State, e.Why = Done, "finished"
}
