package layers

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Dropout zeroes elements at random and scales the rest, in training graphs
// only; a nil Dropout does nothing. The same seed gives the same zeros wherever
// the forward pass is built, so that a pass can be computed a second time.
type Dropout struct {
	hidden, attention float64
	state             *Node
}

// NewDropout takes the rates for hidden states and attention weights, and the
// state of the random generator, as graph.RNGStateFromSeed makes it. Where both
// rates are 0 it returns nil.
func NewDropout(hidden, attention float64, state *Node) *Dropout {
	if hidden == 0 && attention == 0 {
		return nil
	}
	return &Dropout{hidden: hidden, attention: attention, state: state}
}

// Hidden drops elements of hidden states.
func (d *Dropout) Hidden(x *Node) *Node {
	if d == nil {
		return x
	}
	return d.apply(x, d.hidden)
}

// Attention drops attention weights.
func (d *Dropout) Attention(x *Node) *Node {
	if d == nil {
		return x
	}
	return d.apply(x, d.attention)
}

func (d *Dropout) apply(x *Node, rate float64) *Node {
	if rate == 0 {
		return x
	}
	var u *Node
	d.state, u = RandomUniform(d.state, shapes.Make(x.DType(), x.Shape().Dimensions...))
	keep := StopGradient(GreaterOrEqual(u, Scalar(x.Graph(), x.DType(), rate)))
	return Where(keep, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}
