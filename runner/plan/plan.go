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
	"headroom/data/source"
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
