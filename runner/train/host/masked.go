package host

import (
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/runner/engine"
	"headroom/runner/train"
)

// maskedBatch is a step's batch as the inputs of the program.
type maskedBatch struct {
	batch          *engine.Batch
	places, labels engine.Buffer[int32]
	weights        engine.Buffer[float32]
	seed           engine.Buffer[uint64]
}

// newMaskedBatch pads the texts of a step.
func newMaskedBatch(m *engine.Model, seed int64, step int, masked train.Masked) (_ *maskedBatch, err error) {
	b := &maskedBatch{}
	defer func() {
		if err != nil {
			b.free()
		}
	}()
	if b.batch, err = engine.NewBatch(m.Engine, masked.Texts, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens()); err != nil {
		return nil, err
	}
	n := train.PaddedPlaces(len(masked.Places), false)
	if b.places, err = engine.NewBuffer[int32](m.Engine, n, 2); err != nil {
		return nil, err
	}
	if b.labels, err = engine.NewBuffer[int32](m.Engine, n, 1); err != nil {
		return nil, err
	}
	if b.weights, err = engine.NewBuffer[float32](m.Engine, n); err != nil {
		return nil, err
	}
	for i, place := range masked.Places {
		b.places.Values[2*i], b.places.Values[2*i+1] = place[0], place[1]
		b.labels.Values[i], b.weights.Values[i] = masked.Labels[i], 1
	}
	b.seed, err = train.RandomState(m.Engine, seed, step, 0, 0)
	return b, err
}

// inputs returns ids, lengths, places, labels, weights and seed.
func (b *maskedBatch) inputs() []*tensors.Tensor {
	return []*tensors.Tensor{b.batch.IDs.Tensor, b.batch.Lengths.Tensor, b.places.Tensor, b.labels.Tensor, b.weights.Tensor, b.seed.Tensor}
}

func (b *maskedBatch) free() {
	if b.batch != nil {
		b.batch.Free()
	}
	engine.Free(b.places.Tensor, b.labels.Tensor, b.weights.Tensor, b.seed.Tensor)
}
