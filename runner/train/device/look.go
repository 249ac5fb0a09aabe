package device

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models"
	"headroom/models/layers"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// lookTexts is the number of texts that Look gives the device at a time: no more than a
// small step has, so that Look needs no more memory than training.
const lookTexts = 16

// lookPart runs texts forward without dropout. Inputs: parameters; ids, lengths. Outputs:
// term weights; without sum pooling also the largest logits and their positions, as float32.
func (d *Splade) lookPart(in []*Node) []*Node {
	get, rest := d.model.AllNodes(in)
	head := d.model.GraphHead(get)
	hidden := models.Transformed(get, d.model.Config, rest[0], rest[1], layers.Inference(d.dtype))
	p := head.Pool(hidden, rest[1], d.form)
	out := []*Node{head.Weights(p, d.form)}
	if p.Position != nil {
		out = append(out, MulScalar(p.Values, head.Scale), ConvertDType(p.Position, dtypes.Float32))
	}
	return out
}

// Look runs texts of token ids forward without dropout, and changes nothing.
func (d *Splade) Look(texts [][]int32) (train.Vectors, error) {
	v, err := d.lookAt(texts)
	if err != nil {
		return train.Vectors{}, fmt.Errorf("look at texts: %w", err)
	}
	return v, nil
}

func (d *Splade) lookAt(texts [][]int32) (v train.Vectors, err error) {
	if err := d.load(); err != nil {
		return v, err
	}
	m := d.model
	longest := 0
	for _, ids := range texts {
		longest = max(longest, len(ids))
	}
	tokens := m.Engine.PaddedLength(longest, m.Config.MaxTokens())
	size := lookTexts
	if d.micro > 0 {
		size = min(size, d.micro)
	}
	size = min(size, len(texts))
	var positions []float32
	for first := 0; first < len(texts); first += size {
		group := slices.Clone(texts[first:min(first+size, len(texts))])
		own := len(group) * m.Config.Vocab
		for len(group) < size { // fill up the last group, so that all have one shape
			group = append(group, texts[0])
		}
		err := d.lookGroup(group, tokens, func(i int, values []float32) {
			into := [...]*[]float32{&v.Weights, &v.Logits, &positions}[i]
			*into = append(*into, values[:own]...)
		})
		if err != nil {
			return v, err
		}
	}
	if positions != nil {
		v.Positions = make([]int32, len(positions))
		for i, x := range positions {
			v.Positions[i] = int32(x)
		}
	}
	return v, nil
}

// lookGroup calls add with each output of the program.
func (d *Splade) lookGroup(texts [][]int32, tokens int, add func(i int, values []float32)) error {
	m := d.model
	batch, err := engine.NewBatchOf(m.Engine, texts, tokens, m.Config)
	if err != nil {
		return err
	}
	defer batch.Free()
	out, err := d.look.Call(append(slices.Clone(d.state[:len(m.Params)]), batch.IDs.Tensor, batch.Lengths.Tensor)...)
	if err != nil {
		return err
	}
	defer engine.Free(out...)
	values := make([]float32, len(texts)*m.Config.Vocab)
	for i, t := range out {
		if err := m.Engine.Download(t, values); err != nil {
			return err
		}
		add(i, values)
	}
	return nil
}
