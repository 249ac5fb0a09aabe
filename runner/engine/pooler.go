package engine

import (
	"math"

	"headroom/models/splade"
	"headroom/models/splade/fused"
)

// Pooler is Model.Pool for inference, where only positive logits count. It may
// hold the decoder in another form, as it was when the Pooler was made. So it
// belongs to one job during which no weight changes, such as encoding one
// collection, and is never kept in a Model: training cannot meet a stale one.
type Pooler struct {
	model  *Model
	screen *fused.Screen // nil: float32 throughout
}

// screenFrom tokens in all are enough for preparing the screen to pay.
const screenFrom = 1024

// Pooler prepares for texts with the given number of tokens in all; only its
// speed depends on that.
func (m *Model) Pooler(tokens int) (*Pooler, error) {
	p := &Pooler{model: m}
	if !m.Engine.Shared() || tokens < screenFrom || !(m.LogitScale > 0 && m.LogitScale <= math.MaxFloat32) {
		return p, nil
	}
	var err error
	p.screen, err = fused.NewScreen(m.Head(), m.Engine.Threads())
	return p, err
}

// Positive is Model.Pool, bit for bit, wherever that is positive or not a
// number; elsewhere it is zero or any number below. The head takes so many
// threads. Batches may be pooled at the same time.
func (p *Pooler) Positive(texts [][]int32, threads int) ([]float32, error) {
	m := p.model
	if p.screen == nil {
		return m.Pool(texts)
	}
	pooled, err := m.pool(texts, func(texts []fused.Text, out []float32) error {
		return p.screen.Positive(texts, out, threads)
	})
	if m.LogitScale != 1 {
		for i := range pooled {
			pooled[i] *= m.LogitScale
		}
	}
	return pooled, err
}

// FormPooler prepares what a form pools texts of token ids with: it gives [len(texts),
// vocab], under sum pooling weights, else largest logits, LogitScale included, of which
// only those above 0 count. tokens and threads are as Pooler and Positive have them; done
// frees it.
func (m *Model) FormPooler(form splade.Form, tokens, threads int) (pool func(texts [][]int32) ([]float32, error), done func(), err error) {
	switch {
	case form.TokenTopM > 0:
		head, err := NewTokenHead(m, form)
		if err != nil {
			return nil, nil, err
		}
		return head.Texts, head.Close, nil
	case form.Sum:
		head, err := NewSumHead(m, form)
		if err != nil {
			return nil, nil, err
		}
		return head.Texts, head.Close, nil
	}
	pooler, err := m.Pooler(tokens)
	if err != nil {
		return nil, nil, err
	}
	return func(texts [][]int32) ([]float32, error) { return pooler.Positive(texts, threads) }, func() {}, nil
}
