package layers

import . "github.com/gomlx/gomlx/core/graph"

// Tape records the steps of an encoder's forward pass, each as large as a linear layer, a
// norm or attention, and computes the gradient by hand-written rules, one per kind of step.
// GoMLX's own gradients, one per elementary operation, transpose every operand of a product
// and pass over activations many times; with small matrices that takes most of the time.
//
// The backward pass needs values of the forward pass. Either both are in one graph, or the
// forward graph returns the nodes Kept, and the backward graph gets their values by KeptTape.
type Tape struct {
	steps     []step
	gradients map[*Node]*Node
	kept      []*Node
	place     map[*Node]int // in kept
	given     []*Node       // nil if nothing was kept
}

type step struct {
	output *Node
	back   func(dy *Node)
}

// NewTape returns an empty tape for a graph with both passes, or with the forward pass alone.
func NewTape() *Tape { return &Tape{gradients: map[*Node]*Node{}, place: map[*Node]int{}} }

// KeptTape returns an empty tape for a graph with the backward pass alone. values are those
// of Kept in a forward graph that was built in the same way.
func KeptTape(values []*Node) *Tape {
	t := NewTape()
	t.given = values
	return t
}

// Kept returns the nodes whose values the backward pass needs.
func (t *Tape) Kept() []*Node { return t.kept }

// keep returns the node that stands for x in the backward pass.
func (t *Tape) keep(x *Node) *Node {
	if t == nil || x == nil {
		return x
	}
	i, found := t.place[x]
	if !found {
		i = len(t.kept)
		t.place[x], t.kept = i, append(t.kept, x)
	}
	if t.given == nil {
		return x
	}
	return t.given[i]
}

// record adds a step, which passes the gradient by its output on to its inputs. A nil tape
// records nothing.
func (t *Tape) record(output *Node, back func(dy *Node)) {
	if t != nil {
		t.steps = append(t.steps, step{output, back})
	}
}

// recordSmall adds a step that is small enough for GoMLX's own gradient.
func (t *Tape) recordSmall(output *Node, inputs ...*Node) {
	t.record(output, func(dy *Node) {
		for i, dx := range Gradient(ReduceAllSum(Mul(output, StopGradient(dy))), inputs...) {
			t.add(inputs[i], dx)
		}
	})
}

// recordReshape records that y has x's elements in another shape.
func (t *Tape) recordReshape(y, x *Node) {
	t.record(y, func(dy *Node) { t.add(x, Reshape(dy, x.Shape().Dimensions...)) })
}

// add adds dx to the gradient by x.
func (t *Tape) add(x, dx *Node) {
	if sum := t.gradients[x]; sum != nil {
		dx = Add(sum, dx)
	}
	t.gradients[x] = dx
}

// Gradient goes back through the steps, from the gradient dy by output, and returns the
// gradient by each node of by. It may be called once.
func (t *Tape) Gradient(output, dy *Node, by ...*Node) []*Node {
	t.add(output, dy)
	for i := len(t.steps) - 1; i >= 0; i-- {
		if dy := t.gradients[t.steps[i].output]; dy != nil {
			t.steps[i].back(dy)
		}
	}
	list := make([]*Node, len(by))
	for i, x := range by {
		if list[i] = t.gradients[x]; list[i] == nil {
			list[i] = ZerosLike(x)
		}
	}
	return list
}
