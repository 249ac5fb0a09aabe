package device

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/metrics/event"
	"headroom/runner/engine"
	"headroom/runner/train"
)

// adamW is AdamW as part of a graph: the same formula in float32, with a norm that is summed in float64.
type adamW struct {
	train.AdamW
	head   int // index of the decoder that is its own parameter; -1 if it is tied
	params []*engine.Param
	groups []int // the parameters' groups, from train.GroupsOf
}

func newAdamW(m *engine.Model, settings train.AdamW) adamW {
	o := adamW{AdamW: settings, head: -1, params: m.Params, groups: train.GroupsOf(m)}
	for i, p := range m.Params {
		if p == m.DecoderWeight() && !m.Tied {
			o.head = i
		}
	}
	return o
}

// norm is the L2 norm of all gradients together, a float64 scalar.
func (o adamW) norm(grads []*Node) *Node {
	total := Scalar(grads[0].Graph(), dtypes.Float64, 0)
	for _, g := range grads {
		total = Add(total, squares(g))
	}
	return Sqrt(total)
}

// squares is the sum of squares of all elements, a float64 scalar.
func squares(x *Node) *Node { return ReduceAllSum(Square(ConvertDType(x, dtypes.Float64))) }

// update returns parameters, m and v after an update by grads, and the numbers to record,
// float64 scalars: the gradient's norm before clipping, then each group's sums in the order
// of train.Sums. scalars is the vector of the step's scalars.
func (o adamW) update(params, m, v, grads []*Node, scalars *Node) (state, recorded []*Node) {
	g := scalars.Graph()
	at := func(i int) *Node { return Squeeze(Slice(scalars, AxisRange(i, i+1))) }
	norm := o.norm(grads)
	scale := Scalar(g, dtypes.Float32, 1)
	if o.Clip > 0 {
		// As in PyTorch, a norm that is not finite makes the update not finite too, so that it shows.
		one := Scalar(g, dtypes.Float64, 1)
		ratio := Div(Scalar(g, dtypes.Float64, o.Clip), AddScalar(norm, 1e-6))
		scale = ConvertDType(Where(GreaterThan(ratio, one), one, ratio), dtypes.Float32)
	}
	n := len(params)
	state = make([]*Node, 3*n)
	sums := make([]*Node, recordedSums*len(train.NewSums()))
	for i := range sums {
		sums[i] = Scalar(g, dtypes.Float64, 0)
	}
	for i, x := range params {
		before := x
		step, keep := at(atStepSize), at(atKeep)
		if i == o.head {
			step, keep = at(atHeadStepSize), at(atHeadKeep)
		}
		grad := Mul(grads[i], scale)
		first := Add(MulScalar(m[i], o.Beta1), MulScalar(grad, 1-o.Beta1))
		second := Add(MulScalar(v[i], o.Beta2), MulScalar(Square(grad), 1-o.Beta2))
		if o.Decays(o.params[i].Shape) {
			x = Mul(x, keep)
		}
		move := Div(Mul(first, step), AddScalar(Mul(Sqrt(second), at(atRoot)), o.Epsilon))
		state[i], state[n+i], state[2*n+i] = Sub(x, move), first, second
		for j, part := range []*Node{grads[i], Sub(state[i], before), before} {
			sum := &sums[recordedSums*o.groups[i]+j]
			*sum = Add(*sum, squares(part))
		}
	}
	return state, append([]*Node{norm}, sums...)
}

// recordedSums is the number of sums per group.
const recordedSums = 3

// record puts the numbers that update has returned into values, under their series' names.
func (o adamW) record(values map[string]event.Value, recorded []float64) {
	values["grad_norm"] = event.Value(recorded[0])
	sums := train.NewSums()
	for i := range sums {
		own := recorded[1+recordedSums*i:]
		sums[i] = train.Sums{Gradient: own[0], Change: own[1], Weight: own[2]}
	}
	train.RecordGroups(values, sums)
}

// recordedCount is the number of numbers that update records.
func recordedCount() int { return 1 + recordedSums*len(train.NewSums()) }

// fillScalars writes the scalars of the update-th update, counted from 1, to out.
func (o adamW) fillScalars(lr float64, update int, out []float32) {
	for i, head := range [2]bool{false, true} {
		f := o.Factors(lr, update, head)
		out[atStepSize+2*i], out[atKeep+2*i], out[atRoot] = f.StepSize, f.Keep, f.Root
	}
}
