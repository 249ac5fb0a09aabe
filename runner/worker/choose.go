package worker

import (
	"errors"
	"fmt"
	"math"

	"headroom/metrics/event"
	"headroom/runner/checkpoint"
	"headroom/runner/train"
)

// keepsBest reports whether the best step's weights are written as soon as it is found.
func (a *attempt) keepsBest() bool {
	watched := len(a.cfg.Evaluate.During) > 0 && a.cfg.Evaluate.Every > 0
	return watched && (a.cfg.Selects() || a.cfg.Checkpoint.Keep == "last+best")
}

// checkUsable refuses a checkpoint whose best step's weights are lost, if they may be the run's
// result. Training then resumes from an earlier checkpoint.
func (a *attempt) checkUsable(s checkpoint.State) error {
	if !a.cfg.Selects() || s.Dev == nil || s.Dev.Best == 0 || s.Dev.Best == s.Step {
		return nil
	}
	best, err := checkpoint.OpenWeights(a.checkpoints(), a.id, s.Dev.Best)
	if err != nil {
		return fmt.Errorf("the best step before it cannot be used: %w", err)
	}
	return best.Close()
}

// choose loads the best step's weights, if they are to be the run's result. Before, the
// model has those of the last step.
func (a *training) choose() (*outcome, error) {
	o := &outcome{subject: a.subject, chosen: a.reached.step}
	if !a.cfg.Selects() {
		return o, nil
	}
	o.selected = event.Selected{Step: a.reached.step, Measure: a.dev.measures[0].String(), Value: event.Value(math.NaN())}
	switch best := a.dev.state.Best; {
	case best == 0:
		a.notice(a.log, "checkpoint.select is \"best\" and no evaluation during training has a value: the last step's weights are taken")
	case best != a.reached.step:
		saved, err := checkpoint.OpenWeights(a.checkpoints(), a.id, best)
		if err != nil {
			return nil, err
		}
		a.reached.weights, o.chosen = saved.Digest, best
		if err := errors.Join(train.RestoreWeights(a.model, saved.Weights), saved.Close()); err != nil {
			return nil, err
		}
		fallthrough
	default:
		o.selected.Step, o.selected.Value = best, event.Value(a.dev.state.Value)
	}
	o.selected.Weights = a.reached.weights
	return o, a.log.Append(o.selected)
}
