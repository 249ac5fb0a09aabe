package layers

import . "github.com/gomlx/gomlx/core/graph"

// Tape takes down how an encoder's output was made, in steps as large as a linear
// layer, a norm or attention, and goes back through them by gradients written by hand.
// GoMLX's own, by elementary operation, transpose every operand of a product and pass
// over activations many times; where matrices are small that is most of the time.
//
// What the way back needs of the way there it either computes in the same graph, or a
// graph before it has kept: Kept of the one are KeptTape's nodes of the other.
type Tape struct {
	steps     []step
	gradients map[*Node]*Node
	kept      []*Node
	place     map[*Node]int // in kept
	given     []*Node       // nil where nothing was kept
}

type step struct {
	output *Node
	back   func(dy *Node)
}

// NewTape is an empty tape.
func NewTape() *Tape { return &Tape{gradients: map[*Node]*Node{}, place: map[*Node]int{}} }

// KeptTape is an empty tape for a graph whose way back begins with the values that another
// graph, built alike, has kept.
func KeptTape(values []*Node) *Tape {
	t := NewTape()
	t.given = values
	return t
}

// Kept are the nodes whose values the way back needs.
func (t *Tape) Kept() []*Node { return t.kept }

// keep returns x as the way back has it.
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

// record notes how the gradient by output is passed on. A nil tape records nothing.
func (t *Tape) record(output *Node, back func(dy *Node)) {
	if t != nil {
		t.steps = append(t.steps, step{output, back})
	}
}

// local notes a step that is small enough for GoMLX's own gradient.
func (t *Tape) local(output *Node, inputs ...*Node) {
	t.record(output, func(dy *Node) {
		for i, dx := range Gradient(ReduceAllSum(Mul(output, StopGradient(dy))), inputs...) {
			t.add(inputs[i], dx)
		}
	})
}

// Reshaped notes that y has x's elements in another shape.
func (t *Tape) Reshaped(y, x *Node) {
	t.record(y, func(dy *Node) { t.add(x, Reshape(dy, x.Shape().Dimensions...)) })
}

// add adds to the gradient by a node.
func (t *Tape) add(x, dx *Node) {
	if sum := t.gradients[x]; sum != nil {
		dx = Add(sum, dx)
	}
	t.gradients[x] = dx
}

// Gradient goes back from output, by which the gradient is dy, and returns the gradients by
// the nodes. It is called once.
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
