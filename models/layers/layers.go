// Package layers holds the few graph functions that every backbone shares.
// Weights keep Hugging Face's layout, Linear [out, in], and are contracted on
// axis 1, so that loading and saving a checkpoint is a copy.
//
// All functions build graphs: they panic on wrong shapes, and runner/engine
// turns that into an error.
package layers

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Params gives a parameter's value by its Hugging Face name: float32, whatever a
// graph computes in.
type Params func(name string) *Node

// Mode says how a backbone's graph is built. The zero value is inference in float32.
type Mode struct {
	// Dropout is nil outside training.
	Dropout *Dropout
	// DType is what matrix products and stored activations are in: dtypes.BFloat16, or
	// the zero value for float32. Norms, softmax, activation functions and the
	// embeddings' sum are float32 in any case.
	DType dtypes.DType
	// Remat computes each layer's activations again in the backward pass instead of
	// keeping them.
	Remat bool
	// Lookup is set where the token embeddings' gradient is to be had by TableGradient, or
	// by its Rows.
	Lookup *Lookup
	// Fused takes the Go backend's fused operations. Without a Tape they have no gradient.
	Fused bool
	// Tape, where not nil, records the steps. It needs Fused, a Lookup and float32.
	Tape *Tape
}

// Compute converts the embeddings' output to what the layers compute in.
func (m Mode) Compute(x *Node) *Node {
	if m.DType == dtypes.InvalidDType {
		return x
	}
	return cast(x, m.DType)
}

// Layer is build(x), a layer of an encoder. With Remat only x is kept of it.
func (m Mode) Layer(x *Node, build func(m Mode, x *Node) *Node) *Node {
	switch {
	case !m.Remat:
		return build(m, x)
	case m.Tape == nil:
		return build(m, x.Checkpoint())
	}
	begin := m.Dropout.again()
	first := m
	first.Tape = NewTape() // its steps are not gone back through
	y := build(first, x)
	m.Tape.record(y, func(dy *Node) {
		second := m
		second.Tape, second.Dropout = NewTape(), begin
		second.Tape.gradients = m.Tape.gradients
		// Not before dy is there, and not one with the first time.
		again := SchedulingBarrier(OptimizationBarrier(x), dy)
		m.Tape.add(x, second.Tape.Gradient(build(second, again), dy, again)[0])
	})
	return y
}

// LastOutput marks the end of the last layer.
func (m Mode) LastOutput(x *Node) *Node {
	if m.Remat && m.Tape == nil {
		return x.StopCheckpoint()
	}
	return x
}

func cast(x *Node, to dtypes.DType) *Node {
	if x.DType() == to {
		return x
	}
	return ConvertDType(x, to)
}

// inFloat32 applies fn to x in float32 and returns x's own type.
func inFloat32(x *Node, fn func(x *Node) *Node) *Node {
	return cast(fn(cast(x, dtypes.Float32)), x.DType())
}

// Product is a dot product over axesA and axesB, batched, whose result and whose gradients' products are of the operands'
// type. Left alone, GoMLX gives half types a float32 accumulator, and then converts
// both operands of every product in the backward pass to float32.
func Product(a *Node, axesA, batchA []int, b *Node, axesB, batchB []int) *Node {
	return Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType).General(axesA, batchA, axesB, batchB)
}

// Linear returns x·weightᵀ + bias: x [..., in], weight [out, in], bias [out] or
// nil, both converted to x's type. The leading axes are folded into one: backends
// then see plain matrices, also in the backward pass, and need no general transposition.
func Linear(x, weight, bias *Node) *Node {
	dims := x.Shape().Dimensions
	flat := x
	if x.Rank() != 2 {
		flat = Reshape(x, -1, dims[len(dims)-1])
	}
	y := Product(flat, []int{1}, nil, cast(weight, x.DType()), []int{1}, nil)
	if bias != nil {
		y = Add(y, ExpandLeftToRank(cast(bias, x.DType()), 2))
	}
	if x.Rank() != 2 {
		y = Reshape(y, append(append([]int(nil), dims[:len(dims)-1]...), weight.Shape().Dimensions[0])...)
	}
	return y
}

// LayerNorm normalizes the last axis: (x−mean)/√(var+eps)·gain + shift, with the
// variance over n (not n−1), as PyTorch does. shift may be nil. It computes in
// float32 and returns x's type.
func LayerNorm(x, gain, shift *Node, eps float64) *Node {
	return inFloat32(x, func(x *Node) *Node { return layerNorm(x, gain, shift, eps) })
}

func layerNorm(x, gain, shift *Node, eps float64) *Node {
	mean := ReduceAndKeep(x, ReduceMean, -1)
	centered := Sub(x, mean)
	variance := ReduceAndKeep(Square(centered), ReduceMean, -1)
	y := Mul(centered, Reciprocal(Sqrt(AddScalar(variance, eps))))
	y = Mul(y, ExpandLeftToRank(gain, x.Rank()))
	if shift == nil {
		return y
	}
	return Add(y, ExpandLeftToRank(shift, x.Rank()))
}

// Activation applies the named function elementwise, in float32, and returns x's
// type: "gelu" is the exact, erf form.
func Activation(name string, x *Node) *Node {
	return inFloat32(x, func(x *Node) *Node { return activation(name, x) })
}

func activation(name string, x *Node) *Node {
	switch name {
	case "gelu":
		return MulScalar(Mul(x, AddScalar(Erf(MulScalar(x, math.Sqrt2/2)), 1)), 0.5)
	case "gelu_new", "gelu_pytorch_tanh":
		inner := MulScalar(Add(x, MulScalar(Mul(x, Square(x)), 0.044715)), math.Sqrt(2/math.Pi))
		return MulScalar(Mul(x, AddScalar(Tanh(inner), 1)), 0.5)
	case "relu":
		return Where(IsPositive(x), x, ZerosLike(x))
	case "silu":
		return Mul(x, Logistic(x))
	}
	panic(fmt.Errorf("build graph: activation %q is unknown: gelu, gelu_new, gelu_pytorch_tanh, relu, silu are known", name))
}
