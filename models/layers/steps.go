package layers

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// The steps that encoders are built of. Activations are [rows, features] throughout,
// a row for each token of each text. With Fused they are the Go backend's own
// operations; with a Tape they can be gone back through.

// Linear is the function Linear.
func (m Mode) Linear(x, weight, bias *Node) *Node {
	if !m.Fused {
		return Linear(x, weight, bias)
	}
	y := BackendFusedDense(x, weight, bias, compute.DenseConfig{WeightLayout: compute.DenseLayoutOutputsInput})
	before := m.Tape.keep(x)
	m.Tape.record(y, func(dy *Node) {
		m.Tape.add(x, Product(dy, []int{1}, nil, weight, []int{0}, nil))
		m.Tape.add(weight, outer(dy, before))
		if bias != nil {
			m.Tape.add(bias, ReduceSum(dy, 0))
		}
	})
	return y
}

// outer is dyᵀ·x for dy [rows, out] and x [rows, in]. The backend multiplies it as it
// stands once the narrower of the two is transposed.
func outer(dy, x *Node) *Node {
	if x.Shape().Dimensions[1] <= dy.Shape().Dimensions[1] {
		return Transpose(Product(Transpose(x, 0, 1), []int{1}, nil, dy, []int{0}, nil), 0, 1)
	}
	return Product(Transpose(dy, 0, 1), []int{1}, nil, x, []int{0}, nil)
}

// Norm is the function LayerNorm.
func (m Mode) Norm(x, gain, shift *Node, eps float64) *Node {
	switch {
	case !m.Fused:
		return LayerNorm(x, gain, shift, eps)
	case m.Tape == nil:
		return BackendFusedLayerNorm(x, []int{1}, eps, gain, shift)
	}
	centered := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	deviation := Sqrt(AddScalar(ReduceAndKeep(Square(centered), ReduceMean, -1), eps))
	unit := Div(centered, deviation) // rounded once; times the reciprocal it would be twice
	wide := ExpandLeftToRank(gain, 2)
	y := Mul(unit, wide)
	if shift != nil {
		y = Add(y, ExpandLeftToRank(shift, 2))
	}
	unit, deviation = m.Tape.keep(unit), m.Tape.keep(deviation)
	m.Tape.record(y, func(dy *Node) {
		m.Tape.add(gain, ReduceSum(Mul(dy, unit), 0))
		if shift != nil {
			m.Tape.add(shift, ReduceSum(dy, 0))
		}
		g := Mul(dy, wide)
		along := Mul(unit, ReduceAndKeep(Mul(g, unit), ReduceMean, -1))
		m.Tape.add(x, Mul(Sub(Sub(g, along), ReduceAndKeep(g, ReduceMean, -1)), Reciprocal(deviation)))
	})
	return y
}

// Activation is the function Activation. Only "gelu" is one of the backend's: its
// gradient of the tanh form was seen to be wrong.
func (m Mode) Activation(name string, x *Node) *Node {
	if !m.Fused || name != "gelu" {
		y, before := Activation(name, x), m.Tape.keep(x)
		m.Tape.record(y, func(dy *Node) {
			m.Tape.add(x, Gradient(ReduceAllSum(Mul(Activation(name, before), StopGradient(dy))), before)[0])
		})
		return y
	}
	gelu := compute.ActivationConfig{Type: compute.ActivationGelu}
	y := BackendFusedActivation(x, gelu)
	before, after := m.Tape.keep(x), m.Tape.keep(y)
	m.Tape.record(y, func(dy *Node) { m.Tape.add(x, BackendFusedActivationVJP(after, before, dy, gelu)) })
	return y
}

// Add is x + y, of one shape.
func (m Mode) Add(x, y *Node) *Node {
	sum := Add(x, y)
	m.Tape.record(sum, func(d *Node) {
		m.Tape.add(x, d)
		m.Tape.add(y, d)
	})
	return sum
}

// Mul is x · y, elementwise, of one shape.
func (m Mode) Mul(x, y *Node) *Node {
	product := Mul(x, y)
	keptX, keptY := m.Tape.keep(x), m.Tape.keep(y)
	m.Tape.record(product, func(d *Node) {
		m.Tape.add(x, Mul(d, keptY))
		m.Tape.add(y, Mul(d, keptX))
	})
	return product
}

// Input is the sum of the rows of table [vocab, hidden] for ids [batch, tokens] and, where
// it is not nil, of the rows of positions: [batch·tokens, hidden]. positions, of the same for
// all texts [tokens, hidden] or of each [batch·tokens, hidden], is made of the nodes by.
func (m Mode) Input(table, ids, positions *Node, by ...*Node) *Node {
	words := m.Embed(table, ids)
	dims := words.Shape().Dimensions
	batch, tokens, hidden := dims[0], dims[1], dims[2]
	if positions == nil {
		x := Reshape(words, batch*tokens, hidden)
		m.Tape.Reshaped(x, words)
		return x
	}
	m.Tape.local(positions, by...)
	if batch > 1 && positions.Shape().Dimensions[0] == batch*tokens {
		x := Reshape(words, batch*tokens, hidden)
		m.Tape.Reshaped(x, words)
		return m.Add(x, positions)
	}
	// A text a row: the backend adds one row to all faster than a matrix to all.
	x := Add(Reshape(words, batch, tokens*hidden), Reshape(positions, 1, tokens*hidden))
	x = Reshape(x, batch*tokens, hidden)
	m.Tape.record(x, func(dx *Node) {
		m.Tape.add(words, Reshape(dx, batch, tokens, hidden))
		m.Tape.add(positions, Reshape(ReduceSum(Reshape(dx, batch, tokens*hidden), 0), tokens, hidden))
	})
	return x
}

// Scale is x times a number; x may be nil.
func (m Mode) Scale(x *Node, by float64) *Node {
	if x == nil {
		return nil
	}
	y := MulScalar(x, by)
	m.Tape.local(y, x)
	return y
}

// Split cuts x along its first axis into n equal parts; those of nil are nil.
func (m Mode) Split(x *Node, n int) []*Node {
	parts := make([]*Node, n)
	if x == nil {
		return parts
	}
	size := x.Shape().Dimensions[0] / n
	for i := range parts {
		parts[i] = SliceAxis(x, 0, AxisRange(i*size, (i+1)*size))
	}
	if m.Tape != nil {
		// Recorded before the steps that use the parts, so reached after them.
		m.Tape.record(parts[0], func(*Node) {
			list := make([]*Node, n)
			for i, p := range parts {
				if list[i] = m.Tape.gradients[p]; list[i] == nil {
					list[i] = ZerosLike(p)
				}
			}
			m.Tape.add(x, Concatenate(list, 0))
		})
	}
	return parts
}
