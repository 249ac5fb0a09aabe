package layers

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// The steps that encoders are built of. Activations are [rows, features] throughout,
// a row for each token of each text. A fused mode uses the Go backend's own operations;
// a tape takes gradients back through them.

// Linear is the function Linear.
func (m Mode) Linear(x, weight, bias *Node) *Node {
	if !m.fused {
		return Linear(x, weight, bias)
	}
	y := BackendFusedDense(x, weight, bias, compute.DenseConfig{WeightLayout: compute.DenseLayoutOutputsInput})
	before := m.tape.keep(x)
	m.tape.record(y, func(dy *Node) {
		m.tape.add(x, Product(dy, []int{1}, nil, weight, []int{0}, nil))
		m.tape.add(weight, outer(dy, before))
		if bias != nil {
			m.tape.add(bias, ReduceSum(dy, 0))
		}
	})
	return y
}

// outer is dyᵀ·x for dy [rows, out] and x [rows, in]. It transposes the narrower operand,
// which costs less; the backend multiplies the other one without a copy.
func outer(dy, x *Node) *Node {
	if x.Shape().Dimensions[1] <= dy.Shape().Dimensions[1] {
		return Transpose(Product(Transpose(x, 0, 1), []int{1}, nil, dy, []int{0}, nil), 0, 1)
	}
	return Product(Transpose(dy, 0, 1), []int{1}, nil, x, []int{0}, nil)
}

// Norm is the function LayerNorm.
func (m Mode) Norm(x, gain, shift *Node, eps float64) *Node {
	switch {
	case !m.fused:
		return LayerNorm(x, gain, shift, eps)
	case m.tape == nil:
		return BackendFusedLayerNorm(x, []int{1}, eps, gain, shift)
	}
	centered := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	deviation := Sqrt(AddScalar(ReduceAndKeep(Square(centered), ReduceMean, -1), eps))
	unit := Div(centered, deviation) // rounds once; a product with the reciprocal rounds twice
	wide := ExpandLeftToRank(gain, 2)
	y := Mul(unit, wide)
	if shift != nil {
		y = Add(y, ExpandLeftToRank(shift, 2))
	}
	unit, deviation = m.tape.keep(unit), m.tape.keep(deviation)
	m.tape.record(y, func(dy *Node) {
		m.tape.add(gain, ReduceSum(Mul(dy, unit), 0))
		if shift != nil {
			m.tape.add(shift, ReduceSum(dy, 0))
		}
		g := Mul(dy, wide)
		along := Mul(unit, ReduceAndKeep(Mul(g, unit), ReduceMean, -1))
		m.tape.add(x, Mul(Sub(Sub(g, along), ReduceAndKeep(g, ReduceMean, -1)), Reciprocal(deviation)))
	})
	return y
}

// Activation is the function Activation. Only "gelu" uses the backend's own operation:
// the backend's gradient of the tanh form was seen to be wrong.
func (m Mode) Activation(name string, x *Node) *Node {
	if !m.fused || name != "gelu" {
		y, before := Activation(name, x), m.tape.keep(x)
		m.tape.record(y, func(dy *Node) {
			m.tape.add(x, Gradient(ReduceAllSum(Mul(Activation(name, before), StopGradient(dy))), before)[0])
		})
		return y
	}
	gelu := compute.ActivationConfig{Type: compute.ActivationGelu}
	y := BackendFusedActivation(x, gelu)
	before, after := m.tape.keep(x), m.tape.keep(y)
	m.tape.record(y, func(dy *Node) { m.tape.add(x, BackendFusedActivationVJP(after, before, dy, gelu)) })
	return y
}

// Add is x + y, of one shape.
func (m Mode) Add(x, y *Node) *Node {
	sum := Add(x, y)
	m.tape.record(sum, func(d *Node) {
		m.tape.add(x, d)
		m.tape.add(y, d)
	})
	return sum
}

// Mul is x · y, elementwise, of one shape.
func (m Mode) Mul(x, y *Node) *Node {
	product := Mul(x, y)
	keptX, keptY := m.tape.keep(x), m.tape.keep(y)
	m.tape.record(product, func(d *Node) {
		m.tape.add(x, Mul(d, keptY))
		m.tape.add(y, Mul(d, keptX))
	})
	return product
}

// Input adds the rows of table [vocab, hidden] for ids [batch, tokens] and the rows of
// positions: [batch·tokens, hidden]. positions is [tokens, hidden] if all texts have the
// same, [batch·tokens, hidden] if each has its own, nil if there are none; by lists
// the nodes from which it was computed.
func (m Mode) Input(table, ids, positions *Node, by ...*Node) *Node {
	words := m.Embed(table, ids)
	dims := words.Shape().Dimensions
	batch, tokens, hidden := dims[0], dims[1], dims[2]
	if positions == nil {
		x := Reshape(words, batch*tokens, hidden)
		m.tape.recordReshape(x, words)
		return x
	}
	m.tape.recordSmall(positions, by...)
	if batch > 1 && positions.Shape().Dimensions[0] == batch*tokens {
		x := Reshape(words, batch*tokens, hidden)
		m.tape.recordReshape(x, words)
		return m.Add(x, positions)
	}
	// One row per text: the backend adds one row to all rows faster than a matrix to all matrices.
	x := Add(Reshape(words, batch, tokens*hidden), Reshape(positions, 1, tokens*hidden))
	x = Reshape(x, batch*tokens, hidden)
	m.tape.record(x, func(dx *Node) {
		m.tape.add(words, Reshape(dx, batch, tokens, hidden))
		m.tape.add(positions, Reshape(ReduceSum(Reshape(dx, batch, tokens*hidden), 0), tokens, hidden))
	})
	return x
}

// Scale is x times a number, or nil if x is nil.
func (m Mode) Scale(x *Node, by float64) *Node {
	if x == nil {
		return nil
	}
	y := MulScalar(x, by)
	m.tape.recordSmall(y, x)
	return y
}

// Split cuts x along its first axis into n equal parts, which are nil if x is nil.
func (m Mode) Split(x *Node, n int) []*Node {
	parts := make([]*Node, n)
	if x == nil {
		return parts
	}
	size := x.Shape().Dimensions[0] / n
	for i := range parts {
		parts[i] = SliceAxis(x, 0, AxisRange(i*size, (i+1)*size))
	}
	if m.tape != nil {
		// The way back reaches this step after those that use the parts, as it is recorded before them.
		m.tape.record(parts[0], func(*Node) {
			list := make([]*Node, n)
			for i, p := range parts {
				if list[i] = m.tape.gradients[p]; list[i] == nil {
					list[i] = ZerosLike(p)
				}
			}
			m.tape.add(x, Concatenate(list, 0))
		})
	}
	return parts
}
