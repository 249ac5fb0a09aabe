package device

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"headroom/data/loader"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// part is a micro-batch as the inputs of a program.
type part struct {
	batch *engine.Batch
	seed  engine.Buffer[uint64]
}

func (p part) inputs() []*tensors.Tensor {
	return []*tensors.Tensor{p.batch.IDs.Tensor, p.batch.Lengths.Tensor, p.seed.Tensor}
}

// stepInputs holds all the tensors that a step sends to the device.
type stepInputs struct {
	sides   [2][]part // queries, documents
	scalars engine.Buffer[float32]
	teacher *engine.Buffer[float32] // [queries, documents per query]
}

// The step's scalars in their order.
const (
	atLambdaQuery = iota
	atLambdaDocument
	atStepSize     // rate over the first moment's bias correction
	atKeep         // the share of a parameter that weight decay leaves
	atHeadStepSize // the same for a decoder of its own
	atHeadKeep
	atRoot // 1 over the second moment's bias correction
	scalars
)

// otherTensors returns the inputs after those of the sides: scalars, then the teacher's scores, if any.
func (in *stepInputs) otherTensors() []*tensors.Tensor {
	list := []*tensors.Tensor{in.scalars.Tensor}
	if in.teacher != nil {
		list = append(list, in.teacher.Tensor)
	}
	return list
}

func (in *stepInputs) free() {
	for _, side := range in.sides {
		for _, p := range side {
			if p.batch != nil {
				p.batch.Free()
			}
			p.seed.Free()
		}
	}
	in.scalars.Free()
	if in.teacher != nil {
		in.teacher.Free()
	}
}

// inputs pads a step's texts and computes its scalars. All micro-batches of a side are
// padded alike, so that they share their programs.
func (d *Splade) inputs(step int, b loader.Batch) (in *stepInputs, err error) {
	in = &stepInputs{}
	defer func() {
		if err != nil {
			in.free()
			in = nil
		}
	}()
	m := d.model
	for which, texts := range [2][][]int32{b.Queries, b.Documents} {
		longest := 0
		for _, ids := range texts {
			longest = max(longest, len(ids))
		}
		limit := m.Config.MaxTokens()
		if d.limits[which] > 0 {
			limit = min(limit, max(d.limits[which], longest))
		}
		tokens := m.Engine.PaddedLength(longest, limit)
		micro := d.micro
		if micro <= 0 {
			micro = len(texts)
		}
		for first := 0; first < len(texts); first += micro {
			var p part
			if p.batch, err = engine.NewBatchOf(m.Engine, texts[first:min(first+micro, len(texts))], tokens, m.Config); err != nil {
				return in, err
			}
			// As on the Go backend, each side and each micro-batch has a dropout of its own.
			p.seed, err = train.RandomState(m.Engine, d.seed, step, which, len(in.sides[which]))
			in.sides[which] = append(in.sides[which], p)
			if err != nil {
				return in, err
			}
		}
	}
	if in.scalars, err = engine.NewBuffer[float32](m.Engine, scalars); err != nil {
		return in, err
	}
	d.optimizer.fillScalars(d.Rate.At(step), d.updates+1, in.scalars.Values)
	in.scalars.Values[atLambdaQuery], in.scalars.Values[atLambdaDocument] = float32(d.Query.At(step)), float32(d.Document.At(step))
	if d.objective.Teacher() {
		teacher, err := engine.NewBuffer[float32](m.Engine, len(b.Queries), b.Columns())
		if err != nil {
			return in, fmt.Errorf("teacher's scores: %w", err)
		}
		copy(teacher.Values, b.Scores)
		in.teacher = &teacher
	}
	return in, nil
}
