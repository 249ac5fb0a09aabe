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

// Mode says how a backbone's graph is built. The zero value is inference in float32; the
// functions below make the other modes. No other combination of settings exists.
type Mode struct {
	dropout *Dropout     // nil outside training
	dtype   dtypes.DType // of matrix products and stored activations; the zero value is float32
	remat   bool         // compute each layer's activations again in the backward pass
	lookup  *Lookup      // of the token embeddings; nil if autodiff gives their gradient
	fused   bool         // use the Go backend's fused operations
	tape    *Tape        // records the steps; only with fused, a lookup and float32
}

// Inference is a forward pass in dtype, dtypes.Float32 or dtypes.BFloat16, on any backend.
// Norms, softmax, activation functions and the embeddings' sum are float32 in any case.
func Inference(dtype dtypes.DType) Mode { return Mode{dtype: dtype} }

// FusedInference is a forward pass in float32 by the Go backend's fused operations, which
// have no gradient.
func FusedInference() Mode { return Mode{fused: true} }

// Training is a forward pass in dtype, as in Inference, whose gradient GoMLX builds. With
// remat the backward pass computes each layer's activations again instead of keeping them.
// lookup may be nil; else TableGradient alone gives the gradient of the token embeddings.
func Training(dropout *Dropout, dtype dtypes.DType, remat bool, lookup *Lookup) Mode {
	return Mode{dropout: dropout, dtype: dtype, remat: remat, lookup: lookup}
}

// TapedTraining is a forward pass in float32 by the Go backend's fused operations. The tape
// computes its gradient, TableGradient that of the token embeddings. remat is as in Training.
func TapedTraining(tape *Tape, lookup *Lookup, dropout *Dropout, remat bool) Mode {
	return Mode{dropout: dropout, remat: remat, lookup: lookup, fused: true, tape: tape}
}

// Reshape returns y, which has x's elements in another shape, and tells the tape so.
func (m Mode) Reshape(y, x *Node) *Node {
	m.tape.recordReshape(y, x)
	return y
}

// Compute converts the embeddings' output to the type that the layers compute in.
func (m Mode) Compute(x *Node) *Node {
	if m.dtype == dtypes.InvalidDType {
		return x
	}
	return cast(x, m.dtype)
}

// Layer returns build(x), a layer of an encoder. With remat, x is the only activation that
// is kept for the backward pass.
func (m Mode) Layer(x *Node, build func(m Mode, x *Node) *Node) *Node {
	switch {
	case !m.remat:
		return build(m, x)
	case m.tape == nil:
		return build(m, x.Checkpoint())
	}
	begin := m.dropout.clone()
	first := m
	first.tape = NewTape() // nobody goes back through its steps
	y := build(first, x)
	m.tape.record(y, func(dy *Node) {
		second := m
		second.tape, second.dropout = NewTape(), begin
		second.tape.gradients = m.tape.gradients
		// The barriers make the layer wait for dy, and keep the compiler from reusing its
		// first computation.
		again := SchedulingBarrier(OptimizationBarrier(x), dy)
		m.tape.add(x, second.tape.Gradient(build(second, again), dy, again)[0])
	})
	return y
}

// LastOutput marks the end of the last layer.
func (m Mode) LastOutput(x *Node) *Node {
	if m.remat && m.tape == nil {
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

// Product is a batched dot product over axesA and axesB. Its result, and the products of its
// gradients, have the operands' type: by default GoMLX gives half types a float32 accumulator,
// and then converts both operands of every product in the backward pass to float32.
func Product(a *Node, axesA, batchA []int, b *Node, axesB, batchB []int) *Node {
	return Dot(a, b).WithAccumulatorDType(dtypes.InvalidDType).General(axesA, batchA, axesB, batchB)
}

// Linear returns x·weightᵀ + bias: x [..., in], weight [out, in], bias [out] or
// nil, both converted to x's type. The leading axes are folded into one, so that backends
// see plain matrices, also in the backward pass, and need no general transposition.
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
