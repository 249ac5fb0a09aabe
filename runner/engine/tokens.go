package engine

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/internal/parallel"
	"headroom/models/layers"
	"headroom/models/splade"
	"headroom/models/splade/fused"
)

// TokenHead is the head of a form whose tokens keep only their greatest logits, on any
// backend. It computes the logits of groupTokens tokens at a time, [groupTokens, vocab];
// after that it touches only the logits that are kept.
type TokenHead struct {
	model  *Model
	form   splade.Form
	logits *Program
}

// NewTokenHead prepares the head of a model for a form with TokenTopM.
func NewTokenHead(m *Model, form splade.Form) (*TokenHead, error) {
	h := &TokenHead{model: m, form: form}
	var err error
	h.logits, err = m.Engine.Program("token head", func(in []*Node) []*Node {
		logits := layers.Linear(in[0], in[1], nil)
		if len(in) > 2 {
			logits = Add(logits, ExpandLeftToRank(in[2], 2))
		}
		return []*Node{logits}
	})
	return h, err
}

// Close frees the program.
func (h *TokenHead) Close() { h.logits.Close() }

// Max writes the largest logit that a token of a text keeps to out [len(texts), vocab],
// bias included and LogitScale not, or 0 if no token keeps one. If arg is not nil,
// it writes the first token that has that logit to arg [len(texts), vocab]. NaN, once
// seen, stays.
func (h *TokenHead) Max(texts []fused.Text, out []float32, arg []int32) error {
	clear(out)
	vocab := h.model.Config.Vocab
	return h.eachToken(texts, func(text, token int, kept []splade.Logit) {
		for _, x := range kept {
			at := text*vocab + int(x.Term)
			if best := out[at]; best == best && !(x.Value <= best) {
				out[at] = x.Value
				if arg != nil {
					arg[at] = int32(token)
				}
			}
		}
	})
}

// Weights adds the weights of the logits that the tokens of a text keep to out
// [len(texts), vocab].
func (h *TokenHead) Weights(texts []fused.Text, out []float32) error {
	vocab := h.model.Config.Vocab
	return h.eachToken(texts, func(text, _ int, kept []splade.Logit) {
		for _, x := range kept {
			out[text*vocab+int(x.Term)] += h.form.Weight(x.Value * h.model.LogitScale)
		}
	})
}

// Backward takes dOut [len(texts), vocab], the gradient by the result of Weights, back
// through the head. It adds the gradients to dHidden, one slice per text, to dWeight
// [vocab, dim] and to dBias [vocab].
func (h *TokenHead) Backward(texts []fused.Text, dOut []float32, dHidden [][]float32, dWeight, dBias []float32) error {
	vocab, dim := h.model.Config.Vocab, h.model.Config.Embedding
	weight := h.model.DecoderWeight().Values
	return h.eachToken(texts, func(text, token int, kept []splade.Logit) {
		hidden := texts[text].Hidden[token*dim : (token+1)*dim]
		into := dHidden[text][token*dim : (token+1)*dim]
		for _, x := range kept {
			v := int(x.Term)
			scale := h.model.LogitScale
			g := dOut[text*vocab+v] * scale * h.form.Slope(x.Value*scale)
			if g == 0 {
				continue
			}
			addScaled(into, g, weight[v*dim:(v+1)*dim])
			addScaled(dWeight[v*dim:(v+1)*dim], g, hidden)
			dBias[v] += g
		}
	})
}

func addScaled(into []float32, factor float32, values []float32) {
	into = into[:len(values)]
	for i, x := range values {
		into[i] += factor * x
	}
}

// Texts returns [len(texts), vocab] for texts of token ids: the weights under sum pooling,
// else the largest logits, LogitScale included.
func (h *TokenHead) Texts(texts [][]int32) ([]float32, error) {
	if h.form.Sum {
		return h.model.pool(texts, h.Weights)
	}
	pooled, err := h.model.pool(texts, func(texts []fused.Text, out []float32) error { return h.Max(texts, out, nil) })
	for i := range pooled {
		pooled[i] *= h.model.LogitScale
	}
	return pooled, err
}

// eachToken calls do for every token of the texts, in order, with the logits that it keeps.
func (h *TokenHead) eachToken(texts []fused.Text, do func(text, token int, kept []splade.Logit)) error {
	dim := h.model.Config.Embedding
	var rows []row
	for i, t := range texts {
		for token := range t.Tokens {
			rows = append(rows, row{i, token})
		}
	}
	size := min(groupTokens, PaddedLength(len(rows), groupTokens))
	for len(rows) > 0 {
		some := rows[:min(size, len(rows))]
		rows = rows[len(some):]
		tokens, err := NewBuffer[float32](h.model.Engine, size, dim)
		if err != nil {
			return err
		}
		for i, at := range some {
			copy(tokens.Values[i*dim:(i+1)*dim], texts[at.text].Hidden[at.token*dim:(at.token+1)*dim])
		}
		kept, err := h.keptLogits(tokens, len(some))
		tokens.Free()
		if err != nil {
			return err
		}
		for i, at := range some {
			do(at.text, at.token, kept[i])
		}
	}
	return nil
}

// keptLogits returns the logits that each of the first n tokens keeps.
func (h *TokenHead) keptLogits(tokens Buffer[float32], n int) ([][]splade.Logit, error) {
	in := []*tensors.Tensor{tokens.Tensor, h.model.DecoderWeight().Tensor}
	if bias := h.model.DecoderBias(); bias != nil {
		in = append(in, bias.Tensor)
	}
	got, err := h.logits.Call(in...)
	if err != nil {
		return nil, err
	}
	defer Free(got...)
	kept, vocab := make([][]splade.Logit, n), h.model.Config.Vocab
	err = h.model.Engine.Read(got[0], func(values []float32) {
		parallel.For(n, h.model.Engine.Threads(), func(i int) { kept[i] = h.form.Kept(values[i*vocab:(i+1)*vocab], nil) })
	})
	return kept, err
}
