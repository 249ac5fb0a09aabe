package worker

import (
	"context"
	"fmt"
	"time"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models/safetensors"
	"headroom/runner/checkpoint"
	"headroom/runner/pool"
	"headroom/runner/train"
)

// saveEvery is the time between checkpoints where checkpoint.every is 0: what a
// killed run loses at most.
const saveEvery = 5 * time.Minute

// pairs are the training examples as token ids, read once an attempt.
type pairs struct {
	sampler            *batch.Sampler
	queries, documents [][]int32
}

func (a *attempt) pairs() (*pairs, error) {
	if a.examples != nil {
		return a.examples, nil
	}
	p, err := a.readPairs()
	if err != nil {
		return nil, err
	}
	a.examples = &p
	return a.examples, nil
}

func (a *attempt) readPairs() (pairs, error) {
	var p pairs
	folder, err := a.resolver.Data(a.cfg.Data.Train)
	if err != nil {
		return p, err
	}
	c, err := collection.Open(folder)
	if err != nil {
		return p, err
	}
	list, err := examples.FromCollection(c, collection.Train)
	if err != nil {
		return p, err
	}
	limit := a.model.Config.MaxTokens()
	if a.cfg.Data.MaxQuery > limit || a.cfg.Data.MaxDocument > limit {
		return p, fmt.Errorf("data.max_query %d and data.max_document %d: the backbone takes at most %d tokens", a.cfg.Data.MaxQuery, a.cfg.Data.MaxDocument, limit)
	}
	queries, documents := make([]string, len(list)), make([]string, len(list))
	for i, pair := range list {
		queries[i], documents[i] = pair.Query, pair.Positive
	}
	threads := a.model.Engine.Threads()
	p.queries = a.tokenizer.EncodeBatch(queries, a.cfg.Data.MaxQuery, threads)
	p.documents = a.tokenizer.EncodeBatch(documents, a.cfg.Data.MaxDocument, threads)
	p.sampler, err = batch.New(len(list), a.cfg.Train.Batch, a.cfg.Seed, a.cfg.Data.Order, examples.Conflict(list))
	return p, err
}

// at are the texts of a step.
func (p *pairs) at(step int) loader.Batch {
	var b loader.Batch
	for _, i := range p.sampler.At(step) {
		b.Queries, b.Documents = append(b.Queries, p.queries[i]), append(b.Documents, p.documents[i])
	}
	return b
}

// steps trains to the end, or to where the context ends.
func (a *attempt) steps(ctx context.Context, s train.Trainer) error {
	p, err := a.pairs()
	if err != nil {
		return err
	}
	speed := rate{start: a.now(), first: a.step}
	saved := a.now()
	total := a.cfg.Train.Steps
	for a.step < total {
		if ctx.Err() != nil {
			if err := a.save(s, false); err != nil {
				return err
			}
			return stopped(ctx)
		}
		start := a.now()
		values, err := s.Step(a.step, p.at(a.step))
		if err != nil {
			return err
		}
		values["seconds"] = event.Value(a.now().Sub(start).Seconds())
		if err := a.log.Append(event.Step{Step: a.step, Values: values}); err != nil {
			return err
		}
		collapsed := false
		for _, episode := range a.monitor.Observe(a.step, plain(values)) {
			if err := a.log.Append(episode); err != nil {
				return err
			}
			collapsed = collapsed || episode.Stands && episode.Severity == event.SeverityCollapse
		}
		a.step++
		if err := a.progress(pool.Message{Phase: "train", Step: a.step, Steps: total, Rate: speed.at(a.now(), a.step), Loss: values["loss"]}, a.step == total); err != nil {
			return err
		}
		if collapsed && a.cfg.Stability.Stop {
			a.notice(a.log, fmt.Sprintf("stopped after step %d of %d: stability.stop is true and a collapse was found", a.step, total))
			break
		}
		if a.step < total && a.due(saved) {
			if err := a.save(s, false); err != nil {
				return err
			}
			saved = a.now()
		}
	}
	return a.save(s, true)
}

// due says whether it is time for a checkpoint.
func (a *attempt) due(saved time.Time) bool {
	if every := a.cfg.Checkpoint.Every; every > 0 {
		return a.step%every == 0
	}
	return a.now().Sub(saved) >= saveEvery
}

// save writes a checkpoint; a final one holds no optimizer state.
func (a *attempt) save(s train.Trainer, final bool) error {
	state := checkpoint.State{Run: a.id, Step: a.step, Updates: s.Updates(), Final: final}
	if err := s.Sync(); err != nil {
		return err
	}
	var moments []safetensors.Tensor
	if !final {
		var err error
		if moments, err = s.Moments(); err != nil {
			return err
		}
	}
	// The steps before a checkpoint must be on disk when it is: a resumed attempt
	// never writes them again.
	if err := a.log.Sync(); err != nil {
		return err
	}
	digest, err := checkpoint.Save(a.checkpoints(), state, train.Weights(a.model), moments)
	if err != nil {
		return err
	}
	if final {
		a.weights = digest
	}
	return a.log.Append(event.Checkpoint{Step: a.step, Digest: digest})
}
