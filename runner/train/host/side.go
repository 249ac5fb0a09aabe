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
	parts  []*part
	reps   engine.Buffer[float32] // [texts, vocab], term weights
	pooled []float32              // [texts, vocab], logits behind the maximum; nil for sum pooling, as arg
	arg    []int32                // [texts, vocab]
}

// part is some texts of a side, encoded together.
type part struct {
	batch   *engine.Batch
	seed    engine.Buffer[uint64]
	hidden  *tensors.Tensor
	keeps   bool                   // whether the forward pass keeps what the way back needs,
	kept    []*tensors.Tensor      // which is this
	dHidden engine.Buffer[float32] // the gradient by hidden
}

// partTokens is about how many tokens, padding included, a part has, if it has more than
// one text. Most of a graph's operations run on one thread each, so a step keeps cores busy
// by encoding parts side by side. Much smaller ones would be slower: the backend has slower
// kernels for small products, and every part has gradients to be added up. Parts do not
// depend on the number of threads, so that no sum does.
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
	s.choose(parts)
	if err := s.each(parts, func(_ int, p *part) error { return s.encoder.run(p) }); err != nil {
		return sides, err
	}
	for _, d := range sides {
		if err := s.pool(d); err != nil {
			return sides, err
		}
	}
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
		if err = s.cut(d, step, which, texts[first:min(first+micro, len(texts))]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// cut adds the parts of a micro-batch to a side. They are of one padded length and of at
// most two sizes, so that few graphs are compiled.
func (s *Splade) cut(d *side, step, which int, texts [][]int32) (err error) {
	m := s.model
	longest := 1
	for _, t := range texts {
		longest = max(longest, len(t))
	}
	tokens := m.Engine.Padded(longest, m.Config.MaxTokens())
	n := min(len(texts), (len(texts)*tokens+partTokens-1)/partTokens)
	for i := range n {
		p := &part{}
		d.parts = append(d.parts, p)
		// Parts drop out apart from one another.
		if p.seed, err = train.RandomState(m.Engine, s.seed, step, which, len(d.parts)-1); err != nil {
			return err
		}
		if p.batch, err = engine.NewBatchOf(m.Engine, texts[i*len(texts)/n:(i+1)*len(texts)/n], tokens, m.Config); err != nil {
			return err
		}
	}
	return nil
}

// keptBytes is how much the parts of a step may keep from the forward pass.
const keptBytes = 256 << 20

// choose lets all parts keep what the way back needs, or none. Micro-batches and remat
// ask for little memory. Which it is depends on shapes alone, and changes no bit.
func (s *Splade) choose(parts []*part) {
	total := 0
	for _, p := range parts {
		total += len(p.batch.IDs.Values) * s.encoder.keptBytes(p.batch.Tokens)
	}
	for _, p := range parts {
		p.keeps = total <= keptBytes && s.micro <= 0 && !s.remat
	}
}

// form is the number of the programs that run a part.
func (p *part) form() int {
	if p.keeps {
		return 1
	}
	return 0
}

// each calls do with all parts, side by side as far as threads and the micro-batch allow.
func (s *Splade) each(parts []*part, do func(i int, p *part) error) error {
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

// pool fills a side's term weights.
func (s *Splade) pool(d *side) error {
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
	if err := d.withTexts(m, func(texts []fused.Text) error {
		return s.maxima(texts, d.pooled, d.arg)
	}); err != nil {
		return err
	}
	parallel.For(texts, m.Engine.Threads(), func(i int) {
		out := d.reps.Values[i*vocab : (i+1)*vocab]
		for v, z := range d.pooled[i*vocab : (i+1)*vocab] {
			out[v] = s.form.Weight(z * m.LogitScale)
		}
		s.form.Prune(out)
	})
	return nil
}

// withTexts calls fn with the hidden states of the side, padding left out.
func (d *side) withTexts(m *engine.Model, fn func([]fused.Text) error) error {
	var texts []fused.Text
	// The values of all parts have to be held at the same time, so the calls nest.
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
