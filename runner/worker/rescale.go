package worker

import (
	"context"
	"errors"
	"fmt"
	"os"

	"headroom/metrics/event"
	"headroom/models/mlmhead"
	"headroom/runner/probe"
)

// calibrationBatches is the number of the run's first batches that "auto-score" uses.
const calibrationBatches = 4

// chooseK sets the factor by which the head is divided. An automatic choice is made once
// per run, and later attempts take it: a run that is resumed on another machine keeps its
// factor.
func (a *subject) chooseK(ctx context.Context) error {
	rescale := a.cfg.Model.Rescale
	if rescale.Auto == "" {
		a.k = rescale.K
		return nil
	}
	var err error
	if a.k, err = a.chosenK(); err != nil || a.k > 0 {
		return err
	}
	form := probe.Form{Target: mlmhead.Target(a.cfg.Model.Target), ScoreScale: a.cfg.Loss.Scale, Splade: a.termForm(), Shift: a.cfg.Model.Shift}
	a.k, err = probe.ChooseK(rescale.Auto, a.model, form, func() ([]probe.Batch, error) {
		data, err := a.loader(ctx)
		if err != nil {
			return nil, err
		}
		var batches []probe.Batch
		for step := range min(calibrationBatches, a.cfg.Train.Steps) {
			b, err := data.At(step)
			if err != nil {
				return nil, err
			}
			batches = append(batches, probe.Batch{Queries: b.Queries, Documents: b.Documents})
		}
		return batches, nil
	})
	if err != nil {
		return fmt.Errorf("model.rescale %q: %w", rescale.Auto, withRemedies(err, "give model.rescale as a number", "lower train.batch or data.max_document"))
	}
	a.notice(a.log, fmt.Sprintf("model.rescale %q: k = %g", rescale.Auto, a.k))
	return nil
}

// chosenK returns the choice of the first attempt that started; 0 if there is none.
func (a *attempt) chosenK() (float64, error) {
	attempts, err := event.Attempts(a.folder)
	if err != nil {
		return 0, err
	}
	for _, n := range attempts {
		if n >= a.log.Attempt() {
			continue
		}
		records, err := event.Read(event.Path(a.folder, n))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		for _, r := range records {
			if started, ok := r.Event.(event.Started); ok && started.Facts.Rescale > 0 {
				return started.Facts.Rescale, nil
			}
		}
	}
	return 0, nil
}
