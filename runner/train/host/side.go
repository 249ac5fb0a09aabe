package host

import (
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/internal/parallel"
	"headroom/models/splade/fused"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// side is one half of a training step: the queries, or the documents.
type side struct {
	parts    []*part
	reps     engine.Buffer[float32] // [texts, vocab], term weights
	pooled   []float32              // [texts, vocab], the largest logits; nil for sum pooling, like arg
	arg      []int32                // [texts, vocab]
	positive int                    // logits above 0
}

// part is some texts of a side, encoded together.
type part struct {
	batch   *engine.Batch
	seed    engine.Buffer[uint64]
	hidden  *tensors.Tensor
	keeps   bool                   // whether the forward pass keeps activations for the backward pass
	kept    []*tensors.Tensor      // these activations
	dHidden engine.Buffer[float32] // the gradient by hidden
}

// partTokens is the approximate number of tokens, padding included, of a part with more
// than one text. Most of a graph's operations run on one thread each, so a step keeps cores
// busy by encoding several parts at once. Much smaller parts would be slower: the backend
// has slower kernels for small products, and the gradients of all parts must be added up.
// Parts do not depend on the number of threads, and so no sum does.
const partTokens = 1024

// newSides prepares the queries (0) and the documents (1) of a step and encodes them.
func (s *Splade) newSides(step int, texts ...[][]int32) (sides []*side, err error) {
	defer func() {
		if err != nil {
			free(sides)
		}
	}()
	var parts []*part
	for i, texts := range texts {
		d, err := s.newSide(step, i, texts)
		if err != nil {
			return sides, err
		}
		sides = append(sides, d)
		parts = append(parts, d.parts...)
	}
	s.chooseKept(parts)
	if err := s.eachPart(parts, func(_ int, p *part) error { return s.encoder.run(p) }); err != nil {
		return sides, err
	}
	if err := s.prepareScreen(); err != nil {
		return sides, err
	}
	for _, d := range sides {
		if err := s.pool(d, s.positives); err != nil {
			return sides, err
		}
	}
	s.chooseScreening(sides)
	return sides, nil
}

// newSide cuts a side's texts into parts.
func (s *Splade) newSide(step, which int, texts [][]int32) (_ *side, err error) {
	d := &side{}
	defer func() {
		if err != nil {
			d.free()
		}
	}()
	m := s.model
	if d.reps, err = engine.NewBuffer[float32](m.Engine, len(texts), m.Config.Vocab); err != nil {
		return nil, err
	}
	micro := s.micro
	if micro <= 0 {
		micro = len(texts)
	}
	for first := 0; first < len(texts); first += micro {
		if err = s.addParts(d, step, which, texts[first:min(first+micro, len(texts))]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// addParts cuts the texts of a micro-batch into parts and adds them to a side. The parts
// have one padded length and at most two sizes, so that few graphs are compiled.
func (s *Splade) addParts(d *side, step, which int, texts [][]int32) (err error) {
	m := s.model
	longest := 1
	for _, t := range texts {
		longest = max(longest, len(t))
	}
	tokens := m.Engine.PaddedLength(longest, m.Config.MaxTokens())
	n := min(len(texts), (len(texts)*tokens+partTokens-1)/partTokens)
	for i := range n {
		p := &part{}
		d.parts = append(d.parts, p)
		// Each part has a dropout of its own.
		if p.seed, err = train.RandomState(m.Engine, s.seed, step, which, len(d.parts)-1); err != nil {
			return err
		}
		if p.batch, err = engine.NewBatchOf(m.Engine, texts[i*len(texts)/n:(i+1)*len(texts)/n], tokens, m.Config); err != nil {
			return err
		}
	}
	return nil
}

// keptBytes is the memory in which the parts of a step may keep activations.
const keptBytes = 256 << 20

// chooseKept decides whether the parts keep activations for the backward pass: all of them
// or none. With micro-batches or remat none does, since these ask for little memory. The
// choice depends on shapes alone, and changes no bit.
func (s *Splade) chooseKept(parts []*part) {
	total := 0
	for _, p := range parts {
		total += len(p.batch.IDs.Values) * s.encoder.keptBytes(p.batch.Tokens)
	}
	for _, p := range parts {
		p.keeps = total <= keptBytes && s.micro <= 0 && !s.remat
	}
}

// program is the index of the encoder's programs that run a part.
func (p *part) program() int {
	if p.keeps {
		return 1
	}
	return 0
}

// eachPart calls do with all parts, as many at a time as threads and the micro-batch allow.
func (s *Splade) eachPart(parts []*part, do func(i int, p *part) error) error {
	threads := s.model.Engine.Threads()
	if s.micro > 0 {
		largest := 1
		for _, p := range parts {
			largest = max(largest, p.batch.Size())
		}
		threads = min(threads, max(1, s.micro/largest))
	}
	faults := make([]error, len(parts))
	parallel.For(len(parts), threads, func(i int) { faults[i] = do(i, parts[i]) })
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// pool computes a side's term weights from what head makes of its texts.
func (s *Splade) pool(d *side, head func(texts []fused.Text, pooled []float32, arg []int32) error) error {
	m := s.model
	vocab, texts := m.Config.Vocab, len(d.reps.Values)/m.Config.Vocab
	if s.sum != nil {
		if err := d.withTexts(m, func(texts []fused.Text) error { return s.sum.Weights(texts, d.reps.Values) }); err != nil {
			return err
		}
		parallel.For(texts, m.Engine.Threads(), func(i int) { s.form.Prune(d.reps.Values[i*vocab : (i+1)*vocab]) })
		return nil
	}
	d.pooled, d.arg = make([]float32, texts*vocab), make([]int32, texts*vocab)
	if err := d.withTexts(m, func(texts []fused.Text) error { return head(texts, d.pooled, d.arg) }); err != nil {
		return err
	}
	positive := make([]int, texts)
	parallel.For(texts, m.Engine.Threads(), func(i int) {
		out, n := d.reps.Values[i*vocab:(i+1)*vocab], 0
		for v, z := range d.pooled[i*vocab : (i+1)*vocab] {
			out[v] = s.form.Weight(z * m.LogitScale)
			if z > 0 {
				n++
			}
		}
		positive[i] = n
		s.form.Prune(out)
	})
	for _, n := range positive {
		d.positive += n
	}
	return nil
}

// withTexts calls fn with the hidden states of the side, without padding.
func (d *side) withTexts(m *engine.Model, fn func([]fused.Text) error) error {
	var texts []fused.Text
	// The values of all parts must be readable at the same time, so the calls nest.
	var hold func(parts []*part) error
	hold = func(parts []*part) error {
		if len(parts) == 0 {
			return fn(texts)
		}
		var fault error
		err := m.Engine.Read(parts[0].hidden, func(values []float32) {
			texts = append(texts, parts[0].batch.Texts(values, m.Config.Embedding)...)
			fault = hold(parts[1:])
		})
		if err != nil {
			return err
		}
		return fault
	}
	return hold(d.parts)
}

// free returns the memory of sides.
func free(sides []*side) {
	for _, d := range sides {
		d.free()
	}
}

func (d *side) free() {
	for _, p := range d.parts {
		engine.Free(p.hidden)
		engine.Free(p.kept...)
		p.seed.Free()
		p.dHidden.Free()
		if p.batch != nil {
			p.batch.Free()
		}
	}
	d.reps.Free()
}
