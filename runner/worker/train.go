package worker

import (
	"context"
	"errors"
	"os"
	"slices"

	"headroom/metrics/event"
	"headroom/runner/checkpoint"
	"headroom/runner/train"
	"headroom/runner/train/trainers"
)

// train trains the model to its last step, from the newest sound checkpoint on, and chooses
// the weights that are the run's result.
func (a *subject) train(ctx context.Context) (*outcome, error) {
	trainer, err := trainers.New(a.model, a.cfg)
	if err != nil {
		return nil, err
	}
	defer trainer.Close()
	t := &training{subject: a, trainer: trainer}
	if err := errors.Join(t.run(ctx), a.unload()); err != nil {
		return nil, err
	}
	if err := a.checkLease(); err != nil {
		return nil, err
	}
	return t.choose()
}

// run trains from the newest sound checkpoint to the last step.
func (a *training) run(ctx context.Context) (err error) {
	if a.dev, err = a.openDev(); err != nil {
		return err
	}
	saved, err := checkpoint.Latest(a.checkpoints(), a.id, a.checkUsable, func(m string) { a.notice(a.log, m) })
	if err != nil {
		return err
	}
	// The factor on logits is no parameter and is in no checkpoint, so it is set again.
	if err := a.rescale(ctx, saved == nil); err != nil {
		return err
	}
	if a.cfg.Model.Rescale.Auto != "" {
		a.facts.Rescale = a.k
	}
	final := saved != nil && saved.Final
	if saved != nil {
		if err := a.resume(saved); err != nil {
			return err
		}
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	if err := a.log.Append(event.Started{Run: a.id, Attempt: a.log.Attempt(), Host: host, PID: os.Getpid(), FromStep: a.reached.step, Steps: a.cfg.Train.Steps, Facts: a.facts}); err != nil {
		return err
	}
	if final {
		return nil
	}
	if err := a.warnTested(); err != nil {
		return err
	}
	return a.steps(ctx)
}

// resume restores the state of a checkpoint, and closes it.
func (a *training) resume(saved *checkpoint.Loaded) error {
	a.reached.step, a.reached.saved = saved.Step, saved.Step
	if a.dev != nil {
		if text := a.dev.resume(saved.Dev); text != "" && !saved.Final {
			a.notice(a.log, text)
		}
	}
	var err error
	if saved.Final {
		a.reached.weights = saved.Digest
		err = train.RestoreWeights(a.model, saved.Weights)
	} else {
		err = a.trainer.Restore(saved.Updates, saved.Weights, saved.Optimizer)
	}
	return errors.Join(err, saved.Close(), a.replay(saved.Step))
}

// replay gives the monitor the steps before this one that earlier attempts recorded.
func (a *training) replay(step int) error {
	history, err := event.History(a.folder, step)
	if err != nil {
		return err
	}
	for _, s := range history {
		if collapse(a.monitor.Observe(s.Step, plainValues(s.Values))) {
			a.stopped = a.cfg.Stability.Stop
		}
	}
	return a.tellCollapses(a.monitor.Result().Episodes)
}

// collapse reports whether one of a step's episodes is a collapse that stands.
func collapse(episodes []event.Episode) bool {
	return slices.ContainsFunc(episodes, isCollapse)
}

func isCollapse(e event.Episode) bool { return e.Stands && e.Severity == event.SeverityCollapse }

func plainValues(values map[string]event.Value) map[string]float64 {
	out := make(map[string]float64, len(values))
	for name, v := range values {
		out[name] = float64(v)
	}
	return out
}
