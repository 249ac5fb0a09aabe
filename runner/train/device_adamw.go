package train

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/runner/engine"
)

// deviceAdamW is AdamW as part of a graph: the same formula, in float32, its norm
// summed in float64.
type deviceAdamW struct {
	beta1, beta2, epsilon float64
	weightDecay           float64
	clip                  float64 // 0: no clipping
	headLRScale           float64
	head                  int // index of the decoder that is its own parameter; -1 where it is tied
	params                []*engine.Param
}

func newDeviceAdamW(m *engine.Model, headLRScale float64) deviceAdamW {
	o := deviceAdamW{beta1: .9, beta2: .999, epsilon: 1e-8, headLRScale: headLRScale, head: -1, params: m.Params}
	for i, p := range m.Params {
		if p == m.DecoderWeight() && !m.Tied {
			o.head = i
		}
	}
	return o
}

// norm is the L2 norm of all gradients together, a float64 scalar.
func (o deviceAdamW) norm(grads []*Node) *Node {
	total := Scalar(grads[0].Graph(), dtypes.Float64, 0)
	for _, g := range grads {
		total = Add(total, ReduceAllSum(Square(ConvertDType(g, dtypes.Float64))))
	}
	return Sqrt(total)
}

// update returns parameters, m and v after an update by grads, and the gradient's norm
// before clipping. scalars is the step's vector.
func (o deviceAdamW) update(params, m, v, grads []*Node, scalars *Node) (state []*Node, norm *Node) {
	g := scalars.Graph()
	at := func(i int) *Node { return Squeeze(Slice(scalars, AxisRange(i, i+1))) }
	norm = o.norm(grads)
	scale := Scalar(g, dtypes.Float32, 1)
	if o.clip > 0 {
		// PyTorch's form: a non-finite norm makes the update non-finite too, and visible.
		one := Scalar(g, dtypes.Float64, 1)
		ratio := Div(Scalar(g, dtypes.Float64, o.clip), AddScalar(norm, 1e-6))
		scale = ConvertDType(Where(GreaterThan(ratio, one), one, ratio), dtypes.Float32)
	}
	n := len(params)
	state = make([]*Node, 3*n)
	for i, x := range params {
		step, keep := at(atStepSize), at(atKeep)
		if i == o.head {
			step, keep = at(atHeadStepSize), at(atHeadKeep)
		}
		grad := Mul(grads[i], scale)
		first := Add(MulScalar(m[i], o.beta1), MulScalar(grad, 1-o.beta1))
		second := Add(MulScalar(v[i], o.beta2), MulScalar(Square(grad), 1-o.beta2))
		if len(o.params[i].Shape) > 1 {
			x = Mul(x, keep)
		}
		move := Div(Mul(first, step), AddScalar(Mul(Sqrt(second), at(atRoot)), o.epsilon))
		state[i], state[n+i], state[2*n+i] = Sub(x, move), first, second
	}
	return state, norm
}
