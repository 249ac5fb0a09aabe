package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"headroom/data/collection"
	"headroom/metrics/event"
	"headroom/metrics/measure"
	"headroom/runner/checkpoint"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/train"
	"headroom/sweeps"
)

// development is the evaluation on dev data during training. It reads the model and
// nothing else: the steps around it are the same with and without it.
type development struct {
	collections []devCollection
	measures    []measure.Measure // the first selects
	state       checkpoint.Dev
	last        event.Value // value of the last evaluation
	tested      int         // dev queries that are test queries, at least
	cost        devCost
}

type devCollection struct {
	ref, digest string
	data        *collection.Collection
}

// openDev opens the dev data; nil if the configuration has none.
func (a *training) openDev() (*development, error) {
	c := a.cfg.Evaluate
	if len(c.During) == 0 || c.Every == 0 {
		return nil, nil
	}
	d := &development{last: event.Value(math.NaN())}
	var err error
	if d.measures, err = measure.ParseAll(c.Measures); err != nil {
		return nil, err
	}
	d.state.By = d.measures[0].String()
	for _, ref := range c.During {
		folder, err := a.resolver.Data(ref)
		if err != nil {
			return nil, err
		}
		digest, err := a.resolver.DigestCollection(folder, plan.DuringSplit)
		if err != nil {
			return nil, err
		}
		data, err := collection.Open(folder)
		if err != nil {
			return nil, err
		}
		d.collections = append(d.collections, devCollection{ref: ref, digest: digest, data: data})
		d.state.By += " " + digest
	}
	return d, a.compareDev(d)
}

// resume continues with the results in a checkpoint. If they are of other data or of
// another measure, the search for the best step begins again.
func (d *development) resume(saved *checkpoint.Dev) (notice string) {
	switch {
	case saved == nil:
	case saved.By != d.state.By:
		notice = "evaluate.during or the first of evaluate.measures is another than before: the best step is looked for from here on"
	default:
		d.state = *saved
	}
	return notice
}

// progress returns the dev data's part of a progress message; nil before the first value.
func (d *development) progress() *pool.Dev {
	if d.state.Best == 0 {
		return nil
	}
	return &pool.Dev{Measure: d.measures[0].String(), Value: d.last, Best: event.Value(d.state.Value), BestStep: d.state.Best}
}

// devDue reports whether the state before a step is to be evaluated: every so many steps,
// and at the end, because the last model is compared with the best.
func (a *training) devDue() bool {
	d := a.dev
	return d != nil && a.reached.step > 0 && a.reached.step != d.state.Evaluated &&
		(a.reached.step%a.cfg.Evaluate.Every == 0 || a.allStepsDone())
}

// allStepsDone reports whether no step follows: the last one is done, or a collapse has ended
// training.
func (a *training) allStepsDone() bool { return a.stopped || a.reached.step == a.cfg.Train.Steps }

// develop evaluates the model if that is due, and reports whether it is the best so far. If
// the context ends meanwhile, it records nothing.
func (a *training) develop(ctx context.Context) (better bool, err error) {
	if !a.devDue() {
		return false, nil
	}
	d := a.dev
	if err := a.trainer.Sync(); err != nil {
		return false, err
	}
	start := a.now()
	m := event.Measured{Step: a.reached.step, Measure: d.measures[0].String(), Tested: d.tested}
	sum := 0.0
	for _, c := range d.collections {
		score, err := a.devScore(ctx, c)
		if ctx.Err() != nil {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("evaluate during training, before step %d: %w", a.reached.step, a.withEncodingRemedies(err))
		}
		if value, ok := score.Measures[m.Measure]; ok {
			sum += float64(value)
		} else {
			sum = math.NaN()
		}
		m.Collections = append(m.Collections, score)
	}
	m.Value = event.Value(sum / float64(len(d.collections)))
	m.Seconds = a.now().Sub(start).Seconds()
	if err := a.log.Append(m); err != nil {
		return false, err
	}
	d.last, d.state.Evaluated = m.Value, a.reached.step
	if m.Value.NonFinite() == "" && (d.state.Best == 0 || float64(m.Value) > d.state.Value) {
		d.state.Best, d.state.Value, better = a.reached.step, float64(m.Value), true
	}
	if text := d.cost.evaluation(m.Seconds, a.cfg.Evaluate.Every, a.cfg.Train.Steps); text != "" {
		a.notice(a.log, text)
	}
	return better, nil
}

// devScore evaluates the model on one collection. If the model cannot be evaluated, that is
// a result with a reason, not an error.
func (a *training) devScore(ctx context.Context, c devCollection) (event.DevScore, error) {
	score := event.DevScore{Dataset: c.ref, Split: plan.DuringSplit, Measures: map[string]event.Value{}}
	if name, finite := train.Finite(a.model); !finite {
		score.Refused = fmt.Sprintf("parameter %q is not finite", name)
		return score, nil
	}
	o := evaluate.CollectionOptions{
		Dataset: c.ref, Split: plan.DuringSplit, Measures: a.dev.measures, MaxQuery: a.cfg.Data.MaxQuery, MaxDocument: a.cfg.Data.MaxDocument,
		Threads: a.model.Engine.Threads(), Progress: a.developing(),
	}
	if a.allStepsDone() && !a.cfg.Selects() {
		// This is the model that the run ends with: its vectors of documents are encoded
		// only once.
		if a.encoded == nil {
			a.encoded = evaluate.NewDocuments(keptTerms)
		}
		o.Documents = a.encoded
		if !a.cfg.Evaluate.KeepVectors {
			// The run's end needs the same evaluation, so it is kept.
			e := plan.RunEvaluation(a.workspace.Root, sweeps.ID(a.id), a.cfg, c.ref, plan.DuringSplit, c.digest)
			o.OutDir, o.Of = e.Folder, e.Record()
		}
	}
	encoder := evaluate.FromModel(a.model, a.tokenizer, a.termForm(), evaluate.EncoderOptions{QueryPrompt: a.cfg.Model.QueryPrompt, DocumentPrompt: a.cfg.Model.DocumentPrompt})
	summary, err := evaluate.OnCollection(ctx, encoder, c.data, o)
	var dense *evaluate.DenseError
	switch {
	case errors.As(err, &dense):
		score.Refused = dense.Error()
	case errors.Is(err, evaluate.ErrNonFinite):
		score.Refused = err.Error()
		return score, nil
	case err != nil:
		return score, err
	}
	e := summary.Event("")
	score.QrelsDigest, score.Queries, score.Documents, score.Seconds = summary.Collection, e.Queries, e.Documents, e.Seconds
	if score.Refused == "" {
		score.Measures, score.ActiveQuery, score.ActiveDocument, score.Flops = e.Measures, e.ActiveQuery, e.ActiveDocument, e.Flops
	}
	return score, nil
}

// developing returns a function that reports how many texts of the evaluation are encoded.
func (a *training) developing() func(done, total int) {
	start := a.now()
	return func(done, total int) {
		// If the parent no longer reads, WatchParent notices it.
		_ = a.progress(pool.Message{Phase: pool.PhaseDev, Step: done, Steps: total, Rate: rate{start: start}.at(a.now(), done)}, false)
	}
}

// warnTested adds a notice if dev queries are test queries.
func (a *training) warnTested() error {
	if a.dev == nil {
		return nil
	}
	found, err := plan.TestedOn(a.cfg, func(ref string) (*collection.Collection, error) {
		if i := slices.IndexFunc(a.dev.collections, func(c devCollection) bool { return c.ref == ref }); i >= 0 {
			return a.dev.collections[i].data, nil
		}
		folder, err := a.resolver.Data(ref)
		if err != nil {
			return nil, err
		}
		return collection.Open(folder)
	})
	shared := map[string]int{}
	for _, o := range found {
		a.notice(a.log, o.String())
		shared[o.Dev] = max(shared[o.Dev], o.Shared)
	}
	for _, n := range shared {
		a.dev.tested += n
	}
	return err
}
