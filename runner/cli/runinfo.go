package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"headroom/metrics/event"
	"headroom/metrics/record"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// runInfo holds the contents of a run's files.
type runInfo struct {
	ref         runRef
	folder      string
	config      sweeps.RunConfig
	inputs      sweeps.Inputs
	provenance  record.Provenance
	attempts    []attemptInfo
	state       string // one of record's states
	verdict     string // "" until judged
	chain       []string
	step, steps int
	trained     int // steps in the logs
	episodes    []event.Episode
	evaluations []event.Evaluated
	dev         devInfo
	weights     string
	err         string
}

// attemptInfo is one attempt at a run.
type attemptInfo struct {
	Number   int     `json:"attempt"`
	Host     string  `json:"host"`
	FromStep int     `json:"from_step"`
	State    string  `json:"state"` // "" if it was killed or still runs
	Step     int     `json:"step"`
	Seconds  float64 `json:"seconds"`
	Error    string  `json:"error,omitempty"`
}

// readRun reads a run's files.
func (a *app) readRun(w workspace.Workspace, ref runRef) (runInfo, error) {
	info := runInfo{ref: ref, folder: w.Run(ref.ID), state: record.StateQueued}
	var err error
	if info.config, info.inputs, err = w.ReadRun(ref.ID); err != nil {
		return info, err
	}
	info.steps = info.config.Train.Steps
	if info.provenance, err = w.ReadProvenance(ref.ID); err != nil {
		info.provenance = record.Provenance{} // another program made the run; show the rest
	}
	numbers, err := event.Attempts(info.folder)
	if err != nil {
		return info, err
	}
	for _, n := range numbers {
		if err := info.readAttempt(n); err != nil {
			return info, err
		}
	}
	if info.state != event.StateDone && a.holder(info.folder) != "" {
		info.state = record.StateRunning
	}
	return info, nil
}

// readAttempt adds one attempt's log. Episodes from the first step of a later attempt on
// come from that attempt alone.
func (r *runInfo) readAttempt(n int) error {
	path := event.Path(r.folder, n)
	if _, err := os.Stat(path); err != nil {
		return nil // the process died before it began
	}
	attempt := attemptInfo{Number: n}
	if r.state != event.StateDone {
		r.state = record.StateInterrupted
	}
	_, err := event.Scan(path, event.Position{}, func(record event.Record) error {
		switch e := record.Event.(type) {
		case event.Started:
			attempt.Host, attempt.FromStep, attempt.Step = e.Host, e.FromStep, e.FromStep
			r.episodes = slices.DeleteFunc(r.episodes, func(old event.Episode) bool { return old.FirstStep >= e.FromStep })
			r.dev.dropFrom(e.FromStep)
		case event.Step:
			attempt.Step, r.trained = e.Step+1, e.Step+1
			r.dev.steps += float64(e.Values["seconds"])
		case event.Measured:
			r.dev.add(e)
		case event.Selected:
			r.dev.selected = &e
		case event.Episode:
			r.putEpisode(e)
		case event.Judged:
			r.verdict, r.chain = e.Verdict, e.Chain
		case event.Evaluated:
			r.evaluations = slices.DeleteFunc(r.evaluations, func(old event.Evaluated) bool { return old.ID == e.ID })
			r.evaluations = append(r.evaluations, e)
		case event.Ended:
			attempt.State, attempt.Step, attempt.Seconds, attempt.Error = e.State, e.Step, e.Seconds, e.Error
			switch e.State {
			case event.StateDone:
				r.state, r.weights, r.err = event.StateDone, e.Weights, ""
			case event.StateFailed:
				if r.state != event.StateDone {
					r.state, r.err = event.StateFailed, e.Error
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read run %q: %w", r.ref.Label, err)
	}
	r.step = attempt.Step
	if r.state == event.StateDone {
		r.step = cmp.Or(r.trained, r.steps) // the last attempt may only have evaluated
	}
	r.attempts = append(r.attempts, attempt)
	return nil
}

// putEpisode adds an episode, or replaces the record of its beginning by that of its end.
func (r *runInfo) putEpisode(e event.Episode) {
	i := slices.IndexFunc(r.episodes, func(old event.Episode) bool {
		return old.Detector == e.Detector && old.Evidence.Series == e.Evidence.Series && old.FirstStep == e.FirstStep
	})
	if i < 0 {
		r.episodes = append(r.episodes, e)
		return
	}
	r.episodes[i] = e
}
