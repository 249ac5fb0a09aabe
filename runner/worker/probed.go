package worker

import (
	"fmt"
	"slices"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/metrics/evidence"
)

// heaviest is the number of terms of each side in the log.
const heaviest = 5

// probeSet has the texts of the run's probe set, and the steps of its looks.
type probeSet struct {
	batch   loader.Batch
	lengths [2][]int
	at      []int // steps
}

// openProbe draws the probe set; nil if none is wanted.
func (a *training) openProbe(data *loader.Loader) (*probeSet, error) {
	trained := a.cfg.Train.Batch * (2 + a.cfg.Data.Negatives)
	n, stated := evidence.Queries(a.cfg.Train.Steps, trained), a.cfg.Stability.Probe
	if stated != nil {
		n = *stated
	}
	if n == 0 {
		return nil, nil
	}
	b, err := data.Sample(n, a.cfg.Seed)
	if err != nil {
		return nil, fmt.Errorf("draw probe set: %w", err)
	}
	if found := len(b.Queries); stated != nil && found < n {
		return nil, fmt.Errorf("draw probe set: stability.probe = %d: %s has %d training examples that share no query and no document: allowed is 0 to %d, or no such key, which takes what there is", n, a.cfg.Data.Train, found, found)
	}
	p := &probeSet{batch: b, at: evidence.Steps(a.cfg.Train.Steps, trained, len(b.Queries)+len(b.Documents))}
	for side, texts := range [2][][]int32{b.Queries, b.Documents} {
		for _, ids := range texts {
			p.lengths[side] = append(p.lengths[side], len(ids))
		}
	}
	return p, nil
}

// probeValues returns the series of the probe set before this step, and nil at steps
// without a look. Training does not need the probe set: if the device has no room for it,
// it is left out from then on.
func (a *training) probeValues() (map[string]event.Value, error) {
	if a.probe == nil || !slices.Contains(a.probe.at, a.reached.step) {
		return nil, nil
	}
	start := a.now()
	var sides [2]evidence.Side
	for i, texts := range [2][][]int32{a.probe.batch.Queries, a.probe.batch.Documents} {
		v, err := a.trainer.Look(texts)
		if err != nil {
			a.probe = nil
			a.notice(a.log, fmt.Sprintf("the probe set is left out from step %d on: %v", a.reached.step, err))
			return nil, nil
		}
		sides[i] = evidence.Side{Vocab: a.model.Config.Vocab, Weights: v.Weights, Logits: v.Logits, Positions: v.Positions, Lengths: a.probe.lengths[i]}
	}
	values := evidence.Series(sides[0], sides[1], a.cfg.Loss.Scale, a.model.Engine.Threads())
	probed := event.Probed{Step: a.reached.step, Texts: len(a.probe.batch.Queries), Query: a.heaviestTerms(sides[0]), Document: a.heaviestTerms(sides[1])}
	values[event.ProbePrefix+"seconds"] = event.Value(a.now().Sub(start).Seconds())
	return values, a.log.Append(probed)
}

// heaviestTerms returns a side's heaviest terms with their tokens.
func (a *training) heaviestTerms(side evidence.Side) []event.Term {
	list := evidence.Heaviest(side, heaviest)
	for i := range list {
		if list[i].ID < a.tokenizer.VocabSize() { // a head may be wider
			list[i].Token = a.tokenizer.Tokens([]int32{int32(list[i].ID)})[0]
		}
	}
	return list
}
