package device

import (
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/runner/engine"
	"headroom/runner/train"
)

// maskedInputs holds all the tensors that a step of pretraining sends to the device. Tokens
// are numbered through the padded batch, text after text.
type maskedInputs struct {
	batch   *engine.Batch
	seed    engine.Buffer[uint64]
	chosen  engine.Buffer[int32]   // [rows] the masked token that the model must predict; 0 if weights are 0
	labels  engine.Buffer[int32]   // [rows]
	weights engine.Buffer[float32] // [rows] 1, and 0 for rows that only fill up
	places  engine.Buffer[int32]   // [texts × tokens] the token's row, or the number of rows for a token that is not masked
	scalars engine.Buffer[float32]
}

// inputs pads a step's batch and computes its scalars.
func (s *MLM) inputs(step int, masked train.Masked) (in *maskedInputs, err error) {
	in = &maskedInputs{}
	defer func() {
		if err != nil {
			in.free()
			in = nil
		}
	}()
	e, longest := s.model.Engine, 0
	for _, text := range masked.Texts {
		longest = max(longest, len(text))
	}
	limit := min(s.model.Config.MaxTokens(), max(s.limit, longest))
	if in.batch, err = engine.NewBatchOf(e, masked.Texts, e.PaddedLength(longest, limit), s.model.Config); err != nil {
		return in, err
	}
	rows := train.PaddedPlaces(len(masked.Places), true)
	for _, b := range []struct {
		buffer *engine.Buffer[int32]
		size   int
	}{{&in.chosen, rows}, {&in.labels, rows}, {&in.places, in.batch.Size() * in.batch.Tokens}} {
		if *b.buffer, err = engine.NewBuffer[int32](e, b.size); err != nil {
			return in, err
		}
	}
	if in.weights, err = engine.NewBuffer[float32](e, rows); err != nil {
		return in, err
	}
	for i := range in.places.Values {
		in.places.Values[i] = int32(rows)
	}
	for i, place := range masked.Places {
		token := place[0]*int32(in.batch.Tokens) + place[1]
		in.chosen.Values[i], in.labels.Values[i], in.weights.Values[i] = token, masked.Labels[i], 1
		in.places.Values[token] = int32(i)
	}
	if in.seed, err = train.RandomState(e, s.seed, step, 0, 0); err != nil {
		return in, err
	}
	if in.scalars, err = engine.NewBuffer[float32](e, scalars); err != nil {
		return in, err
	}
	s.optimizer.fillScalars(s.Rate.At(step), s.updates+1, in.scalars.Values)
	return in, nil
}

// tensors returns ids, lengths, seed, chosen, labels, weights, places, scalars.
func (in *maskedInputs) tensors() []*tensors.Tensor {
	return []*tensors.Tensor{
		in.batch.IDs.Tensor, in.batch.Lengths.Tensor, in.seed.Tensor, in.chosen.Tensor,
		in.labels.Tensor, in.weights.Tensor, in.places.Tensor, in.scalars.Tensor,
	}
}

func (in *maskedInputs) free() {
	if in.batch != nil {
		in.batch.Free()
	}
	engine.Free(in.seed.Tensor, in.chosen.Tensor, in.labels.Tensor, in.weights.Tensor, in.places.Tensor, in.scalars.Tensor)
}
