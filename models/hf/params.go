package hf

import (
	"fmt"

	"headroom/models/family"
)

// ParamSpec is one parameter that a config implies.
type ParamSpec struct {
	Name  string // canonical
	Shape []int  // matrices are [out, in]
	Head  bool   // belongs to the MLM head
}

// Params lists every parameter of the model in the order of its forward pass, the decoder's weight included, tied or
// not. It is empty for a family that the table lacks.
func (c Config) Params() []ParamSpec {
	l := &specs{normBias: c.NormBias}
	n := c.Names()
	switch c.Graph() {
	case family.PostNorm:
		l.postNorm(c, n)
	case family.Rotary:
		l.rotary(c, n)
	default:
		return nil
	}
	l.head = true
	l.linear(n.HeadDense, c.Embedding, c.Hidden, c.ClassifierBias)
	l.norm(n.HeadNorm, c.Embedding)
	l.add(n.Decoder, c.Vocab, c.Embedding)
	if c.DecoderBias {
		l.add(n.DecoderBias, c.Vocab)
	}
	return l.list
}

// specs gathers parameters.
type specs struct {
	list     []ParamSpec
	head     bool
	normBias bool
}

func (l *specs) add(name string, shape ...int) {
	l.list = append(l.list, ParamSpec{Name: name, Shape: shape, Head: l.head})
}

func (l *specs) linear(name string, out, in int, bias bool) {
	l.add(name+".weight", out, in)
	if bias {
		l.add(name+".bias", out)
	}
}

func (l *specs) norm(name string, width int) {
	l.add(name+".weight", width)
	if l.normBias {
		l.add(name+".bias", width)
	}
}

func (l *specs) postNorm(c Config, n family.Params) {
	h, i := c.Hidden, c.Intermediate
	l.add(n.Word+".weight", c.Vocab, c.Embedding)
	l.add(n.Position+".weight", c.Positions, c.Embedding)
	if n.Types != "" {
		l.add(n.Types+".weight", c.TypeVocab, c.Embedding)
	}
	l.norm(n.EmbeddingNorm, c.Embedding)
	if c.Projects() {
		l.linear(n.Project, h, c.Embedding, true)
	}
	for number := range c.Layers {
		layer := fmt.Sprintf(n.Layer, number)
		for _, name := range []string{n.Query, n.Key, n.Value, n.Output} {
			l.linear(layer+name, h, h, true)
		}
		l.norm(layer+n.AttentionNorm, h)
		l.linear(layer+n.Up, i, h, true)
		l.linear(layer+n.Down, h, i, true)
		l.norm(layer+n.FeedNorm, h)
	}
}

func (l *specs) rotary(c Config, n family.Params) {
	h, i := c.Hidden, c.Intermediate
	l.add(n.Word+".weight", c.Vocab, c.Embedding)
	l.norm(n.EmbeddingNorm, c.Embedding)
	for number := range c.Layers {
		layer := fmt.Sprintf(n.Layer, number)
		if number > 0 { // the first layer reads the embeddings' own norm
			l.norm(layer+n.AttentionNorm, h)
		}
		l.linear(layer+n.QueryKeyValue, 3*h, h, c.AttentionBias)
		l.linear(layer+n.Output, h, h, c.AttentionBias)
		l.norm(layer+n.FeedNorm, h)
		l.linear(layer+n.Up, 2*i, h, c.MLPBias)
		l.linear(layer+n.Down, h, i, c.MLPBias)
	}
	l.norm(n.FinalNorm, h)
}

// Projects reports whether a matrix leads from the embeddings' width to the layers'.
func (c Config) Projects() bool { return c.Names().Project != "" && c.Embedding != c.Hidden }

// ParameterCount is the number of trained values; a tied decoder counts once.
func (c Config) ParameterCount(tied bool) int64 {
	var n int64
	for _, p := range c.Params() {
		if tied && p.Name == c.DecoderName() {
			continue
		}
		size := int64(1)
		for _, d := range p.Shape {
			size *= int64(d)
		}
		n += size
	}
	return n
}
