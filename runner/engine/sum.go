package engine

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/layers"
	"headroom/models/splade"
	"headroom/models/splade/fused"
)

// Under sum pooling every logit counts, so no maximum can be taken before the
// activation. The head runs over groups of tokens, whose logits [groupTokens, vocab]
// take little memory, and a text's weights are sums over its groups.
const (
	groupTokens = 256
	groupTexts  = 16
)

// SumHead is the head under sum pooling on a backend with shared memory.
type SumHead struct {
	model             *Model
	forward, backward *Program
}

// NewSumHead prepares the head of a model for a form with Sum.
func NewSumHead(m *Model, form splade.Form) (*SumHead, error) {
	h := &SumHead{model: m}
	decoder := h.decoder()
	pooled := func(in []*Node) *Node {
		logits := layers.Linear(in[0], in[2], nil)
		if len(decoder) > 1 {
			logits = Add(logits, ExpandLeftToRank(in[3], 2))
		}
		logits = MulScalar(logits, m.LogitScale)
		// Where the logit is not above 0 the logarithm's argument must be 0: its slope would reach the gradient.
		weights := Log1p(Where(LessOrEqual(logits, ZerosLike(logits)), ZerosLike(logits), logits))
		if form.Twice {
			weights = Log1p(weights)
		}
		return Dot(in[1], weights).Product()
	}
	var err error
	h.forward, err = m.Engine.Program("sum head", func(in []*Node) []*Node { return []*Node{pooled(in)} })
	if err != nil {
		return nil, err
	}
	h.backward, err = m.Engine.Program("sum head backward", func(in []*Node) []*Node {
		wrt := append([]*Node{in[0]}, in[2:2+len(decoder)]...)
		return Gradient(ReduceAllSum(Mul(pooled(in), in[len(in)-1])), wrt...)
	})
	return h, err
}

// Close frees the programs.
func (h *SumHead) Close() {
	h.forward.Close()
	h.backward.Close()
}

func (h *SumHead) decoder() []*Param {
	list := []*Param{h.model.DecoderWeight()}
	if bias := h.model.DecoderBias(); bias != nil {
		list = append(list, bias)
	}
	return list
}

// Weights adds Σ_t act(logit(t, v)) of each text to out [len(texts), vocab].
func (h *SumHead) Weights(texts []fused.Text, out []float32) error {
	return h.eachGroup(texts, func(g *group) error { return h.addWeights(g, texts, out) })
}

// addWeights adds the weights of a group's tokens to out. The product with owner
// multiplies every token with 0 or 1, and 0 times a token that is not finite would
// spoil the group's other texts. In that case each text is computed alone.
func (h *SumHead) addWeights(g *group, texts []fused.Text, out []float32) error {
	vocab := h.model.Config.Vocab
	got, err := h.forward.Call(g.inputs(h.decoder())...)
	if err != nil {
		return err
	}
	defer Free(got...)
	spoiled := false
	if err := h.model.Engine.Read(got[0], func(values []float32) {
		if spoiled = len(g.texts) > 1 && slices.ContainsFunc(values, func(x float32) bool { return x-x != 0 }); spoiled {
			return
		}
		for i, text := range g.texts {
			add(out[text*vocab:(text+1)*vocab], values[i*vocab:(i+1)*vocab])
		}
	}); err != nil || !spoiled {
		return err
	}
	size := g.tokens.Tensor.Shape().Dimensions[0]
	for _, text := range g.texts {
		alone := &group{texts: []int{text}}
		for _, at := range g.rows {
			if at.text == text {
				alone.rows = append(alone.rows, at)
			}
		}
		if err := h.fillGroup(alone, texts, size, func(g *group) error { return h.addWeights(g, texts, out) }); err != nil {
			return err
		}
	}
	return nil
}

// Backward takes dOut [len(texts), vocab], the gradient by the weights, back through the
// head. It adds the gradients to dHidden, one slice per text, to dWeight [vocab, dim] and
// to dBias [vocab].
func (h *SumHead) Backward(texts []fused.Text, dOut []float32, dHidden [][]float32, dWeight, dBias []float32) error {
	vocab, dim := h.model.Config.Vocab, h.model.Config.Embedding
	return h.eachGroup(texts, func(g *group) error {
		upstream, err := NewBuffer[float32](h.model.Engine, groupTexts, vocab)
		if err != nil {
			return err
		}
		defer upstream.Free()
		for i, text := range g.texts {
			copy(upstream.Values[i*vocab:(i+1)*vocab], dOut[text*vocab:(text+1)*vocab])
		}
		got, err := h.backward.Call(append(g.inputs(h.decoder()), upstream.Tensor)...)
		if err != nil {
			return err
		}
		defer Free(got...)
		if err := h.model.Engine.Read(got[0], func(values []float32) {
			for i, at := range g.rows {
				add(dHidden[at.text][at.token*dim:(at.token+1)*dim], values[i*dim:(i+1)*dim])
			}
		}); err != nil {
			return err
		}
		for i, into := range [][]float32{dWeight, dBias}[:len(got)-1] {
			if err := h.model.Engine.Read(got[1+i], func(values []float32) { add(into, values) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func add(into, values []float32) {
	for i, x := range values {
		into[i] += x
	}
}

// group is up to groupTokens tokens of up to groupTexts texts.
type group struct {
	tokens Buffer[float32] // [tokens, dim]
	owner  Buffer[float32] // [groupTexts, tokens]: 1 where the token is of the text
	texts  []int
	rows   []row
}

type row struct{ text, token int }

func (g *group) inputs(decoder []*Param) []*tensors.Tensor {
	list := []*tensors.Tensor{g.tokens.Tensor, g.owner.Tensor}
	for _, p := range decoder {
		list = append(list, p.Tensor)
	}
	return list
}

// eachGroup calls do with every group of tokens of the texts, in order.
func (h *SumHead) eachGroup(texts []fused.Text, do func(g *group) error) error {
	total := 0
	for i, t := range texts {
		if len(t.Hidden) != t.Tokens*h.model.Config.Embedding {
			return fmt.Errorf("pool head: text %d has %d elements, want [%d, %d]", i, len(t.Hidden), t.Tokens, h.model.Config.Embedding)
		}
		total += t.Tokens
	}
	size := min(groupTokens, PaddedLength(total, groupTokens))
	g := &group{}
	for i, t := range texts {
		for token := range t.Tokens {
			if len(g.rows) == size || len(g.texts) == groupTexts && g.texts[len(g.texts)-1] != i {
				if err := h.fillGroup(g, texts, size, do); err != nil {
					return err
				}
				g = &group{}
			}
			if len(g.texts) == 0 || g.texts[len(g.texts)-1] != i {
				g.texts = append(g.texts, i)
			}
			g.rows = append(g.rows, row{i, token})
		}
	}
	return h.fillGroup(g, texts, size, do)
}

// fillGroup fills a group's tensors and calls do with it.
func (h *SumHead) fillGroup(g *group, texts []fused.Text, size int, do func(g *group) error) (err error) {
	if len(g.rows) == 0 {
		return nil
	}
	dim := h.model.Config.Embedding
	if g.tokens, err = NewBuffer[float32](h.model.Engine, size, dim); err != nil {
		return err
	}
	defer g.tokens.Free()
	if g.owner, err = NewBuffer[float32](h.model.Engine, groupTexts, size); err != nil {
		return err
	}
	defer g.owner.Free()
	slot := 0
	for i, at := range g.rows {
		copy(g.tokens.Values[i*dim:(i+1)*dim], texts[at.text].Hidden[at.token*dim:(at.token+1)*dim])
		if g.texts[slot] != at.text {
			slot++
		}
		g.owner.Values[slot*size+i] = 1
	}
	return do(g)
}

// Texts returns the term weights [len(texts), vocab] of texts of token ids.
func (h *SumHead) Texts(texts [][]int32) ([]float32, error) {
	m := h.model
	return m.pool(texts, func(texts []fused.Text, out []float32) error { return h.Weights(texts, out) })
}
