package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models/safetensors"
	"headroom/runner/checkpoint"
	"headroom/runner/pool"
	"headroom/runner/train"
)

// saveEvery is the time between checkpoints if checkpoint.every is 0: a killed run loses no
// more.
const saveEvery = 5 * time.Minute

// loader returns the training data. It opens them once per attempt.
func (a *subject) loader(ctx context.Context) (*loader.Loader, error) {
	if a.examples != nil {
		return a.examples, nil
	}
	limit := a.model.Config.MaxTokens()
	if a.cfg.Data.MaxQuery > limit || a.cfg.Data.MaxDocument > limit {
		return nil, fmt.Errorf("data.max_query %d and data.max_document %d: the backbone takes at most %d tokens", a.cfg.Data.MaxQuery, a.cfg.Data.MaxDocument, limit)
	}
	set, err := a.resolver.Training(a.cfg.Data.Train)
	if err != nil {
		return nil, err
	}
	query, document := a.cfg.Model.Prompts()
	data, err := loader.Open(ctx, set, a.tokenizer, loader.Options{
		Batch: a.cfg.Train.Batch, Seed: a.cfg.Seed, Order: a.cfg.Data.Order, Negatives: a.cfg.Data.Negatives,
		MaxQuery: a.cfg.Data.MaxQuery, MaxDocument: a.cfg.Data.MaxDocument, QueryPrompt: query, DocumentPrompt: document,
		Threads: a.model.Engine.Threads(), CacheDir: a.resolver.CacheDir,
	})
	if err == nil {
		if err = a.compareData(ctx, set, data.Survey()); err != nil {
			err = errors.Join(err, data.Close())
		}
	}
	if err != nil && ctx.Err() != nil {
		err = stopError(ctx)
	}
	if err != nil {
		return nil, err
	}
	a.examples = data
	return data, nil
}

// unload closes the training data.
func (a *subject) unload() error {
	if a.examples == nil {
		return nil
	}
	err := a.examples.Close()
	a.examples = nil
	return err
}

// steps trains to the last step, or until the context ends.
func (a *training) steps(ctx context.Context) error {
	data, err := a.loader(ctx)
	if err != nil {
		return err
	}
	if a.probe, err = a.openProbe(data); err != nil {
		return err
	}
	speed := rate{start: a.now(), first: a.reached.step}
	last := a.now() // checkpoint
	total := a.cfg.Train.Steps
	spent := 0.0 // seconds in steps
	// A state that was saved before it was evaluated is evaluated first.
	better, err := a.develop(ctx)
	if err == nil && better && a.keepsBest() && !a.allStepsDone() {
		err = a.save(forResuming)
	}
	if err != nil {
		return err
	}
	for !a.allStepsDone() {
		if ctx.Err() != nil {
			if err := a.save(forResuming); err != nil {
				return err
			}
			return stopError(ctx)
		}
		seen, err := a.probeValues()
		if err != nil {
			return err
		}
		start := a.now()
		batch, err := data.At(a.reached.step)
		if err != nil {
			return err
		}
		values, err := a.trainer.Step(a.reached.step, batch)
		if err != nil {
			return a.rescue(a.withTrainingRemedies(err))
		}
		seconds := a.now().Sub(start).Seconds()
		addMachine(values, batch, a.reached.step, total, seconds)
		spent += seconds
		maps.Copy(values, seen)
		if err := a.log.Append(event.Step{Step: a.reached.step, Values: values}); err != nil {
			return err
		}
		episodes := a.monitor.Observe(a.reached.step, plainValues(values))
		for _, episode := range episodes {
			if err := a.log.Append(episode); err != nil {
				return err
			}
		}
		if err := a.tellCollapses(episodes); err != nil {
			return err
		}
		a.reached.step++
		message := pool.Message{Phase: pool.PhaseTrain, Step: a.reached.step, Steps: total, Rate: speed.at(a.now(), a.reached.step), Loss: values["loss"]}
		if a.dev != nil {
			a.dev.cost.step(seconds)
			message.Dev = a.dev.progress()
		}
		if err := a.progress(message, a.reached.step == total); err != nil {
			return err
		}
		if collapse(episodes) && a.cfg.Stability.Stop {
			a.stopped = true
			a.notice(a.log, stopNotice(episodes, a.reached.step, total, spent/float64(a.reached.step-speed.first)))
		}
		better, err := a.develop(ctx)
		switch {
		case err != nil:
			err = a.rescue(err)
		case a.allStepsDone(): // its checkpoint follows
		case a.due(last):
			err = a.save(forResuming)
			last = a.now()
		case better && a.keepsBest():
			err = a.save(asBest)
		}
		if err != nil {
			return err
		}
	}
	if ctx.Err() != nil && a.devDue() { // interrupted while the last state was evaluated
		if err := a.save(forResuming); err != nil {
			return err
		}
		return stopError(ctx)
	}
	return a.save(atEnd)
}

// stopNotice returns a message: what ended a run early, and how much time that saved. perStep
// is in seconds.
func stopNotice(episodes []event.Episode, step, total int, perStep float64) string {
	i := slices.IndexFunc(episodes, isCollapse)
	e := episodes[i]
	saved := time.Duration(float64(total-step) * perStep * float64(time.Second))
	unit := time.Second
	if saved < 10*time.Second {
		unit = 10 * time.Millisecond
	}
	return fmt.Sprintf("stopped by stability.stop after step %d of %d: %s from step %d (%s: %s); %d steps were not trained, which saved about %s",
		step, total, e.Verdict, e.FirstStep, e.Evidence.Series, e.Evidence.Rule, total-step, saved.Round(unit))
}

// due reports whether it is time for a checkpoint.
func (a *training) due(last time.Time) bool {
	if every := a.cfg.Checkpoint.Every; every > 0 {
		return a.reached.step%every == 0
	}
	return a.now().Sub(last) >= saveEvery
}

// What a checkpoint is for.
type purpose int

const (
	forResuming purpose = iota // to resume from
	asBest                     // the best so far, without the optimizer's state
	atEnd                      // training is over; without the optimizer's state
)

// save writes a checkpoint.
func (a *training) save(of purpose) error {
	if err := a.checkLease(); err != nil {
		return err
	}
	state := checkpoint.State{Run: a.id, Step: a.reached.step, Updates: a.trainer.Updates(), Final: of == atEnd, WeightsOnly: of == asBest}
	if a.dev != nil {
		dev := a.dev.state
		state.Dev = &dev
	}
	if err := a.trainer.Sync(); err != nil {
		return err
	}
	var moments []safetensors.Tensor
	if of == forResuming {
		var err error
		if moments, err = a.trainer.Moments(); err != nil {
			return err
		}
	}
	// The steps before a checkpoint must be on disk before it: a resumed attempt never
	// writes them again.
	if err := a.log.Sync(); err != nil {
		return err
	}
	digest, err := checkpoint.Save(a.checkpoints(), state, train.Weights(a.model), moments)
	if err != nil {
		return err
	}
	switch of {
	case atEnd:
		a.reached.weights, a.reached.saved = digest, a.reached.step
	case forResuming:
		a.reached.saved = a.reached.step
	}
	return a.log.Append(event.Checkpoint{Step: a.reached.step, Digest: digest})
}
