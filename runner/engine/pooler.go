package engine

import (
	"math"

	"headroom/models/splade"
	"headroom/models/splade/fused"
)

// Pooler is Model.Pool for inference, where only positive logits count. It may hold
// a copy of the decoder in another form. So it serves one job during which no weight
// changes, such as the encoding of a collection. No Model keeps one, so training
// never uses a stale copy.
type Pooler struct {
	model  *Model
	screen *fused.Screen // nil: float32 throughout
}

// screenFrom is the total number of tokens from which on the screen saves more time than
// its preparation takes.
const screenFrom = 1024

// Pooler makes a Pooler for texts with the given total number of tokens. Only its
// speed depends on that number.
func (m *Model) Pooler(tokens int) (*Pooler, error) {
	p := &Pooler{model: m}
	if !m.Engine.Shared() || tokens < screenFrom || !(m.LogitScale > 0 && m.LogitScale <= math.MaxFloat32) {
		return p, nil
	}
	var err error
	p.screen, err = fused.NewScreen(m.Head(), m.Engine.Threads())
	return p, err
}

// Positive equals Model.Pool, bit for bit, if that is positive or NaN; elsewhere
// it is zero or any number below. The head uses the given number of threads.
// Several batches may be pooled at the same time.
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

// FormPooler prepares the pooling of a form. pool returns [len(texts), vocab] for texts of
// token ids: the weights under sum pooling, else the largest logits, LogitScale included,
// of which only those above 0 count. tokens and threads are as in Pooler and Positive.
// done frees it.
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
