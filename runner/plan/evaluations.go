package plan

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"headroom/internal/seal"
	"headroom/metrics/measure"
	"headroom/metrics/record"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// MeasuresVersion is in every evaluation's id. It is raised when the same
// vectors would get other figures.
const MeasuresVersion = 3

// FinalSplit is the split on which a run is measured at its end.
const FinalSplit = record.FinalSplit

// Evaluation is one measurement that the sweep asks for: of a run, or of a
// baseline. It has everything that a worker needs to make it.
type Evaluation struct {
	ID string `json:"id"`
	// Encoder identifies the encoder (sweeps.EncoderID); Collection is the digest of
	// corpus, queries and the split's qrels. Both are "" if unresolved.
	Encoder    string `json:"encoder"`
	Collection string `json:"collection_digest"`
	// Run is the run that is measured; "" for a baseline.
	Run sweeps.ID `json:"run"`
	// Name is "" for a run, else BM25 or Untrained.
	Name    string `json:"name"`
	Label   string `json:"label"`
	Dataset string `json:"dataset"`
	Split   string `json:"split"`
	// Backbone is the backbone of an untrained model or a run; "" for BM25.
	Backbone string   `json:"backbone"`
	State    State    `json:"state"`
	Why      string   `json:"why"`
	Seconds  *float64 `json:"seconds_predicted"`

	// Config is the configuration of the encoder. An untrained model has the
	// backbone's head unchanged: k = 1.
	Config   sweeps.RunConfig `json:"-"`
	Inputs   sweeps.Inputs    `json:"-"`
	Encoding sweeps.Encoding  `json:"-"`
	Measures []string         `json:"-"`
	// Folder is the folder of summary.json.
	Folder string `json:"-"`
	// Needs is the id of a recipe. The row waits for its backbone, and for nothing
	// else; "" if it waits for none.
	Needs sweeps.ID `json:"-"`
}

// RunEvaluation identifies the evaluation of a run on a collection whose split
// has that digest. Workers and plans agree because both call it.
func RunEvaluation(workspace string, id sweeps.ID, c sweeps.RunConfig, dataset, split, digest string) Evaluation {
	e := Evaluation{
		Run: id, Label: sweeps.Label(c, id), Dataset: dataset, Split: split, Backbone: c.Model.Backbone,
		Config: c, Encoding: sweeps.EncodingOf(c), Measures: c.Evaluate.Measures,
	}
	e.identify(string(id), digest)
	e.Folder = filepath.Join(runFolder(workspace, id), "evaluations", e.ID)
	return e
}

// BM25Evaluation identifies the evaluation of BM25, which encodes nothing and has no backbone.
func BM25Evaluation(workspace string, c sweeps.RunConfig, dataset, split, digest string) Evaluation {
	e := Evaluation{
		Name: sweeps.BM25, Label: sweeps.BM25 + " on " + dataset, Dataset: dataset, Split: split,
		Config: c, Measures: c.Evaluate.Measures,
	}
	e.identify("bm25 k1=0.9 b=0.4", digest)
	e.Folder = filepath.Join(workspace, "baselines", e.ID)
	return e
}

// UntrainedEvaluation identifies the evaluation of an untrained backbone. It encodes texts
// like the configuration's runs, whatever form its own folder states.
func UntrainedEvaluation(workspace string, c sweeps.RunConfig, in sweeps.Inputs, dataset, split, digest string) Evaluation {
	c.Model.Rescale = sweeps.Rescale{K: 1}
	c.Model.Target = sweeps.Defaults().Model.Target
	c.Model.Tie = sweeps.Defaults().Model.Tie
	c.Model.Shift = 0
	e := Evaluation{
		Name: sweeps.Untrained, Dataset: dataset, Split: split, Backbone: c.Model.Backbone,
		Config: c, Inputs: in, Encoding: sweeps.EncodingOf(c), Measures: c.Evaluate.Measures,
	}
	e.Label = e.untrainedLabel(sweeps.BackboneName(c.Model.Backbone))
	e.identify("untrained "+in.Weights+" "+in.Tokenizer, digest)
	e.Folder = filepath.Join(workspace, "baselines", e.ID)
	return e
}

// untrainedLabel is the label of an untrained model with a backbone of this name.
func (e Evaluation) untrainedLabel(backbone string) string {
	label := backbone + " untrained"
	if form := e.Encoding.Form(); form != "" {
		label += " (" + form + ")"
	}
	return label + " on " + e.Dataset
}

// identify sets the id and its parts.
func (e *Evaluation) identify(weights, digest string) {
	e.Encoder, e.Collection = sweeps.EncoderID(weights, e.Encoding), digest
	e.ID = sweeps.EvaluationID(e.Encoder, digest, e.Split, MeasuresVersion)
}

// Record is an evaluation's summary without its figures.
func (e Evaluation) Record() record.Evaluation {
	r := record.Evaluation{
		Schema: 1, ID: e.ID, Encoder: e.Encoder, Collection: e.Collection, Split: e.Split, MeasuresVersion: MeasuresVersion,
		Dataset: e.Dataset, Name: e.Name,
	}
	if e.Name != "" {
		r.Backbone = e.Backbone
	}
	if e.Name != sweeps.BM25 {
		r.Encoding = &e.Encoding
	}
	return r
}

// evaluations adds the rows of one run: of its final model on test data, and on the dev
// data of its training.
func (m *maker) evaluations(run *Run) {
	for _, ref := range run.Config.Evaluate.Final {
		m.evaluation(run, "evaluate.final", ref, FinalSplit)
	}
	for _, ref := range run.Config.Evaluate.During {
		m.evaluation(run, "evaluate.during", ref, DuringSplit)
	}
}

func (m *maker) evaluation(run *Run, key, ref, split string) {
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
	if m.absent(run.ID) {
		e.State, e.Why = New, absent
	} else {
		m.settleEvaluation(&e)
	}
	if e.State == New && !run.State.Finished() {
		e.Why = "comes with its run"
	} else if e.State == New && e.Why == absent {
		e.Why = cmp.Or(supersededText(e), e.Why)
	}
	if !e.State.Finished() {
		m.found.noteOddSplit(key, ref, split, data)
	}
	m.plan.Evaluations = append(m.plan.Evaluations, e)
}

// supersededText tells, for an evaluation that is missing, whether it was made before on other
// data or by other measures; "" if it was not.
func supersededText(e Evaluation) string {
	others, err := os.ReadDir(filepath.Dir(e.Folder))
	if err != nil {
		return ""
	}
	why := ""
	for _, other := range others {
		s, err := record.ReadEvaluation(filepath.Join(filepath.Dir(e.Folder), other.Name()))
		switch {
		case err != nil || s.Split != e.Split:
		case s.Collection == e.Collection && s.MeasuresVersion < MeasuresVersion:
			return fmt.Sprintf("measured by version %d of the measures; this is version %d", s.MeasuresVersion, MeasuresVersion)
		case s.Collection != e.Collection && s.Dataset == e.Dataset:
			why = "the collection has changed since it was measured"
		}
	}
	return why
}

// baselines adds BM25 once per collection, and the untrained model once per
// collection, backbone and encoding.
func (m *maker) baselines() {
	known := map[string]bool{}
	for i := range m.plan.Runs {
		run := &m.plan.Runs[i]
		for _, ref := range run.Config.Evaluate.Final {
			for _, name := range run.Config.Evaluate.Baselines {
				// An untrained model's vectors are dense. On the collections of the second
				// stage, which are large, they would cost too much for what they show.
				if name == sweeps.Untrained && slices.Contains(run.Config.Evaluate.Full, ref) {
					continue
				}
				if once := name + "\x00" + ref; name == sweeps.BM25 && known[once] { // no setting of a run is in it
					continue
				} else {
					known[once] = true
				}
				e := m.baseline(name, run, ref)
				key := e.ID
				key = cmp.Or(key, e.Name+"\x00"+e.Backbone+"\x00"+e.Dataset)
				if !known[key] {
					known[key] = true
					m.plan.Evaluations = append(m.plan.Evaluations, e)
				}
			}
		}
	}
}

func (m *maker) baseline(name string, run *Run, ref string) Evaluation {
	data := m.found.data("evaluate.final", ref, FinalSplit)
	unresolved := Evaluation{Name: name, Label: name + " on " + ref, Dataset: ref, Split: FinalSplit, State: Unresolved, Config: run.Config, Measures: run.Config.Evaluate.Measures}
	if name == sweeps.Untrained {
		unresolved.Backbone = run.Config.Model.Backbone
	}
	if data.digest == "" {
		unresolved.Why = data.why
		return unresolved
	}
	if name == sweeps.BM25 {
		e := BM25Evaluation(m.Workspace, run.Config, ref, FinalSplit, data.digest)
		m.settleEvaluation(&e)
		return e
	}
	backbone := m.found.model("model.backbone", run.Config.Model.Backbone)
	if backbone.weights == "" || backbone.tokenizer == "" {
		unresolved.Why = backbone.why
		return unresolved
	}
	e := UntrainedEvaluation(m.Workspace, run.Config, run.Inputs, ref, FinalSplit, data.digest)
	e.Label = e.untrainedLabel(m.called[run.Config.Model.Backbone])
	m.settleEvaluation(&e)
	if !e.State.Finished() && backbone.why != "" {
		e.State, e.Why, e.Needs = Unresolved, backbone.why, backbone.recipe
	}
	return e
}

// absent is the reason of a new evaluation that has no summary.
const absent = "not in the workspace"

// settleEvaluation decides an evaluation's state from its folder.
func (m *maker) settleEvaluation(e *Evaluation) {
	s, err := record.CheckEvaluation(e.Folder, m.Resolver.FileSum)
	if errors.Is(err, fs.ErrNotExist) {
		e.State, e.Why = New, absent
		return
	}
	if seal.IsDamage(err) {
		e.State, e.Why = Damaged, fmt.Sprintf("it is measured again: %v", err)
		return
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
		measure, err := measure.Parse(name)
		if err != nil {
			m.found.fault("evaluate.measures", fmt.Sprintf("%q", name), err.Error())
			continue
		}
		if _, ok := s.Measures[measure.String()]; !ok {
			e.State, e.Why = New, "its summary lacks "+name
			return
		}
	}
	if lacking := s.LacksCut(e.Config.Evaluate); lacking != "" {
		e.State, e.Why = New, "its summary lacks "+lacking
		return
	}
	if s.LacksVectors(e.Config.Evaluate) {
		e.State, e.Why = New, "its documents' vectors are not kept (evaluate.keep_vectors)"
		return
	}
	if e.Config.Evaluate.KeepVectors {
		if faults := KeptVectors(e.Folder, s, m.Resolver.Verify); len(faults) > 0 {
			e.State, e.Why = Damaged, fmt.Sprintf("%d of its files of documents' vectors must be made again: %v", len(faults), faults[0])
			return
		}
	}
	e.State, e.Why = Done, "finished"
	if e.Name == "" {
		return
	}
	if _, _, err := (workspace.Workspace{Root: m.Workspace}).ReadBaseline(e.ID); seal.IsDamage(err) {
		e.State, e.Why = Damaged, fmt.Sprintf("it is written again: %v", err)
	}
}
