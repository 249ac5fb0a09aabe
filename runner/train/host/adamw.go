package host

import (
	"math"

	"headroom/internal/parallel"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// AdamW is the optimizer over parameters in the program's memory.
type AdamW struct {
	train.AdamW

	slots   []*slot
	chunks  []chunk
	threads int
	updates int // number of updates done, for bias correction
}

// slot is one parameter with its gradient and moments.
type slot struct {
	param *engine.Param
	grad  []float32
	m, v  []float32
	head  bool // a decoder that is its own parameter
	group int  // of parameters, from train.GroupsOf
}

// chunk is a part of a slot's elements on which one thread works. Most of a small model
// is its embeddings, so whole slots would leave threads idle. Chunks do not depend on
// the number of threads, and so no sum does.
type chunk struct {
	slot     *slot
	from, to int
}

const chunkSize = 1 << 16

// NewAdamW makes zero moments for every parameter of the model.
func NewAdamW(m *engine.Model, settings train.AdamW) *AdamW {
	o := &AdamW{AdamW: settings, threads: m.Engine.Threads()}
	groups := train.GroupsOf(m)
	for i, p := range m.Params {
		n := len(p.Values)
		s := &slot{group: groups[i], param: p, grad: make([]float32, n), m: make([]float32, n), v: make([]float32, n), head: p == m.DecoderWeight() && !m.Tied}
		o.slots = append(o.slots, s)
		for from := 0; from < n; from += chunkSize {
			o.chunks = append(o.chunks, chunk{s, from, min(from+chunkSize, n)})
		}
	}
	return o
}

// Grad is the gradient buffer of a parameter, to be added to.
func (o *AdamW) Grad(p *engine.Param) []float32 {
	for _, s := range o.slots {
		if s.param == p {
			return s.grad
		}
	}
	return nil
}

// Norm is the L2 norm of the whole gradient, summed in float64. It adds the squares of each
// group's gradient to the group's sums.
func (o *AdamW) Norm(sums []train.Sums) float64 {
	parts := make([]float64, len(o.chunks))
	parallel.For(len(o.chunks), o.threads, func(i int) {
		c := o.chunks[i]
		sum := 0.0
		for _, g := range c.slot.grad[c.from:c.to] {
			sum += float64(g) * float64(g)
		}
		parts[i] = sum
	})
	total := 0.0
	for i, p := range parts {
		total += p
		sums[o.chunks[i].slot.group].Gradient += p
	}
	return math.Sqrt(total)
}

// Update applies the accumulated gradient at rate lr and clears it. It returns
// the gradient's norm before clipping, and the sums of each group of parameters.
func (o *AdamW) Update(lr float64) (float64, []train.Sums) {
	sums := train.NewSums()
	norm := o.Norm(sums)
	scale := 1.0
	if o.Clip > 0 {
		// As in PyTorch, a norm that is not finite makes the update not finite too, so that it shows.
		if scale = o.Clip / (norm + 1e-6); scale > 1 {
			scale = 1
		}
	}
	o.updates++
	factors := map[bool]train.Factors{false: o.Factors(lr, o.updates, false), true: o.Factors(lr, o.updates, true)}
	parts := make([]train.Sums, len(o.chunks))
	parallel.For(len(o.chunks), o.threads, func(at int) {
		c := o.chunks[at]
		s := c.slot
		f := factors[s.head]
		keep := float32(1)
		if o.Decays(s.param.Shape) {
			keep = f.Keep
		}
		stepSize, root, eps := f.StepSize, f.Root, float32(o.Epsilon)
		b1, b2, clip := float32(o.Beta1), float32(o.Beta2), float32(scale)
		a1, a2 := float32(1-o.Beta1), float32(1-o.Beta2)
		grad := s.grad[c.from:c.to]
		m, v, x := s.m[c.from:c.to], s.v[c.from:c.to], s.param.Values[c.from:c.to]
		change, weight := 0.0, 0.0
		for i, g := range grad {
			g *= clip
			m[i] = b1*m[i] + a1*g
			v[i] = b2*v[i] + a2*g*g
			old := x[i]
			x[i] = keep*old - stepSize*m[i]/(float32(math.Sqrt(float64(v[i])))*root+eps)
			moved := float64(x[i] - old)
			change += moved * moved
			weight += float64(old) * float64(old)
		}
		parts[at] = train.Sums{Change: change, Weight: weight}
		clear(grad)
	})
	for i, p := range parts { // in the order of the chunks, whatever the number of threads
		sum := &sums[o.chunks[i].slot.group]
		sum.Change += p.Change
		sum.Weight += p.Weight
	}
	return norm, sums
}
