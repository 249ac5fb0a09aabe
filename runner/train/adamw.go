package train

import (
	"math"
	"sync"

	"headroom/runner/engine"
)

// AdamW is the decoupled optimizer of PyTorch's defaults: bias-corrected, decay
// applied to the parameter and not to the gradient, none on vectors (norms and
// biases), the gradient clipped by its norm over all parameters together.
type AdamW struct {
	Beta1, Beta2, Epsilon float64
	WeightDecay           float64
	Clip                  float64 // 0: no clipping

	slots   []*slot
	threads int
	updates int // number of updates done, for bias correction
}

// slot is one parameter with its gradient and moments.
type slot struct {
	param   *engine.Param
	grad    []float32
	m, v    []float32
	decay   bool
	lrScale float64
}

// NewAdamW makes zero moments for every parameter of the model. headLRScale
// multiplies the rate of a decoder that is its own parameter.
func NewAdamW(m *engine.Model, headLRScale float64) *AdamW {
	o := &AdamW{Beta1: .9, Beta2: .999, Epsilon: 1e-8, threads: m.Engine.Threads()}
	for _, p := range m.Params {
		n := len(p.Values)
		s := &slot{param: p, grad: make([]float32, n), m: make([]float32, n), v: make([]float32, n), decay: len(p.Shape) > 1, lrScale: 1}
		if p == m.DecoderWeight() && !m.Tied {
			s.lrScale = headLRScale
		}
		o.slots = append(o.slots, s)
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

// Norm is the L2 norm of the whole gradient, summed in float64.
func (o *AdamW) Norm() float64 {
	parts := make([]float64, len(o.slots))
	o.each(func(i int, s *slot) {
		sum := 0.0
		for _, g := range s.grad {
			sum += float64(g) * float64(g)
		}
		parts[i] = sum
	})
	total := 0.0
	for _, p := range parts {
		total += p
	}
	return math.Sqrt(total)
}

// Update applies the accumulated gradient at rate lr and clears it. It returns
// the gradient's norm before clipping.
func (o *AdamW) Update(lr float64) float64 {
	norm := o.Norm()
	scale := 1.0
	if o.Clip > 0 {
		// PyTorch's form: a non-finite norm makes the update non-finite too, and visible.
		if scale = o.Clip / (norm + 1e-6); scale > 1 {
			scale = 1
		}
	}
	o.updates++
	c1 := 1 - math.Pow(o.Beta1, float64(o.updates))
	c2 := math.Sqrt(1 - math.Pow(o.Beta2, float64(o.updates)))
	o.each(func(_ int, s *slot) {
		rate := lr * s.lrScale
		keep := float32(1)
		if s.decay {
			keep = float32(1 - rate*o.WeightDecay)
		}
		stepSize, root, eps := float32(rate/c1), float32(1/c2), float32(o.Epsilon)
		b1, b2, clip := float32(o.Beta1), float32(o.Beta2), float32(scale)
		a1, a2 := float32(1-o.Beta1), float32(1-o.Beta2)
		m, v, x := s.m, s.v, s.param.Values
		for i, g := range s.grad {
			g *= clip
			m[i] = b1*m[i] + a1*g
			v[i] = b2*v[i] + a2*g*g
			x[i] = keep*x[i] - stepSize*m[i]/(float32(math.Sqrt(float64(v[i])))*root+eps)
		}
		clear(s.grad)
	})
	return norm
}

// each runs do on every slot; slots are independent, so threads change no bit.
func (o *AdamW) each(do func(i int, s *slot)) {
	next := make(chan int, len(o.slots))
	for i := range o.slots {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range max(1, o.threads) {
		wg.Go(func() {
			for i := range next {
				do(i, o.slots[i])
			}
		})
	}
	wg.Wait()
}
