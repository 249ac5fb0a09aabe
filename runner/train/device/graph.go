package device

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models"
	"headroom/models/layers"
	"headroom/models/splade"
	"headroom/runner/train"
)

// sideNodes is a micro-batch in a graph.
type sideNodes struct {
	ids, lengths *Node
	hidden       *Node // [texts, tokens, dim], of the type of the computation
	lookup       *layers.Lookup
	head         splade.Head
	pooled       splade.Pooled
}

// encode builds the encoder and the head's transform for a micro-batch: ids, lengths, seed.
func (d *Splade) encode(get layers.Params, in []*Node) sideNodes {
	lookup := &layers.Lookup{}
	mode := layers.Training(layers.NewDropout(d.rates, in[2]), d.dtype, d.remat, lookup)
	hidden := models.Transformed(get, d.model.Config, in[0], in[1], mode)
	return sideNodes{ids: in[0], lengths: in[1], hidden: hidden, lookup: lookup, head: d.model.GraphHead(get)}
}

// gradients returns the gradient of every parameter, given those by each side's term weights.
func (d *Splade) gradients(params []*Node, sides []sideNodes, weights, dWeights []*Node) []*Node {
	var total, dDecoder, dBias *Node
	var lookups []*layers.Lookup
	for i, s := range sides {
		dHidden, decoder, bias := s.head.Gradients(s.hidden, s.lengths, d.form, s.pooled, weights[i], dWeights[i])
		dDecoder, dBias = sumOf(dDecoder, decoder), sumOf(dBias, bias)
		total = sumOf(total, withGradient(s.hidden, dHidden))
		lookups = append(lookups, s.lookup)
	}
	return modelGradients(d.model, params, total, lookups, dDecoder, dBias)
}

// withGradient is a scalar whose gradient by x is gradient, so that autodiff takes that
// gradient back to the parameters.
func withGradient(x, gradient *Node) *Node {
	return ConvertDType(ReduceAllSum(Mul(x, StopGradient(gradient))), dtypes.Float32)
}

// wholeStep is a step without micro-batches. Inputs: parameters, m, v; ids, lengths and
// seed of queries and of documents; scalars; the teacher's scores, if any. Outputs: the
// new parameters, m, v; the series.
func (d *Splade) wholeStep(in []*Node) []*Node {
	n := len(d.model.Params)
	get, _ := d.model.AllNodes(in)
	rest := in[3*n:]
	sides := []sideNodes{d.encode(get, rest[:3]), d.encode(get, rest[3:6])}
	weights := make([]*Node, 2)
	for i := range sides {
		s := &sides[i]
		s.pooled = s.head.Pool(s.hidden, s.lengths, d.form)
		weights[i] = s.head.Weights(s.pooled, d.form)
	}
	scalars := rest[6]
	c := d.components(weights[0], weights[1], rest[6:])
	dWeights := Gradient(c.Total(), weights...)
	grads := d.gradients(in[:n], sides, weights, dWeights)
	state, recorded := d.optimizer.update(in[:n], in[n:2*n], in[2*n:3*n], grads, scalars)
	return append(state, vector(append(d.series(c, weights[0], weights[1]), recorded...)))
}

// components builds the objective. rest: scalars, then the teacher's scores, if any.
func (d *Splade) components(queries, documents *Node, rest []*Node) train.Components {
	at := func(i int) *Node { return Squeeze(Slice(rest[0], AxisRange(i, i+1))) }
	var teacher *Node
	if d.objective.Teacher() {
		teacher = rest[1]
	}
	return d.objective.Build(queries, documents, teacher, at(atLambdaQuery), at(atLambdaDocument))
}

// forwardPart pools a micro-batch. Inputs: parameters; ids, lengths, seed. Outputs: the
// pooled values and positions.
func (d *Splade) forwardPart(in []*Node) []*Node {
	get, rest := d.model.AllNodes(in)
	s := d.encode(get, rest)
	p := s.head.Pool(s.hidden, s.lengths, d.form)
	if p.Position == nil {
		return []*Node{p.Values}
	}
	return []*Node{p.Values, p.Position}
}

// objectivePart is the whole batch's objective. Inputs: scalars; the teacher's scores,
// if any; the pooled values of each micro-batch, queries first. Outputs: the series, and
// for each micro-batch its term weights and the gradient by them.
func (d *Splade) objectivePart(queryParts int, in []*Node) []*Node {
	rest := 1
	if d.objective.Teacher() {
		rest = 2
	}
	head := splade.Head{Scale: float64(d.model.LogitScale)}
	join := func(list []*Node) *Node {
		if len(list) == 1 {
			return list[0]
		}
		return Concatenate(list, 0)
	}
	pooled := in[rest:]
	parts := [2][]*Node{pooled[:queryParts], pooled[queryParts:]}
	var weights []*Node
	for _, list := range parts {
		weights = append(weights, head.Weights(splade.Pooled{Values: join(list)}, d.form))
	}
	c := d.components(weights[0], weights[1], in[:rest])
	gradients := Gradient(c.Total(), weights...)
	out := []*Node{vector(d.series(c, weights[0], weights[1]))}
	for i, list := range parts {
		first := 0
		for _, values := range list {
			rows := AxisRange(first, first+values.Shape().Dimensions[0])
			out = append(out, SliceAxis(weights[i], 0, rows), SliceAxis(gradients[i], 0, rows))
			first += values.Shape().Dimensions[0]
		}
	}
	return out
}

// backwardFirst goes back through a micro-batch. Inputs: parameters; ids, lengths, seed;
// pooled values and positions; term weights and the gradient by them. Outputs: every
// parameter's gradient.
func (d *Splade) backwardFirst(in []*Node) []*Node {
	get, rest := d.model.AllNodes(in)
	s := d.encode(get, rest[:3])
	s.pooled.Values, rest = rest[3], rest[4:]
	if !d.form.Sum {
		s.pooled.Position, rest = rest[0], rest[1:]
	}
	return d.gradients(in[:len(d.model.Params)], []sideNodes{s}, rest[:1], rest[1:2])
}

// backwardLater is backwardFirst for later micro-batches: it adds its gradients to those in
// the last inputs.
func (d *Splade) backwardLater(in []*Node) []*Node {
	n := len(d.model.Params)
	grads := d.backwardFirst(in[:len(in)-n])
	for i, before := range in[len(in)-n:] {
		grads[i] = Add(before, grads[i])
	}
	return grads
}

// updatePart is the optimizer alone. Inputs: parameters, m, v, gradients; scalars.
// Outputs: the new parameters, m, v; the numbers to record.
func (d *Splade) updatePart(in []*Node) []*Node {
	n := len(d.model.Params)
	state, recorded := d.optimizer.update(in[:n], in[n:2*n], in[2*n:3*n], in[3*n:4*n], in[4*n])
	return append(state, vector(recorded))
}

// vector joins scalars to one float64 vector.
func vector(list []*Node) *Node {
	parts := make([]*Node, len(list))
	for i, x := range list {
		parts[i] = Reshape(ConvertDType(x, dtypes.Float64), 1)
	}
	return Concatenate(parts, 0)
}
