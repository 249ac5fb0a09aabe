package layers

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Dropout zeroes elements at random and scales the rest, in training graphs
// only; a nil Dropout does nothing. The same seed gives the same zeros wherever
// the forward pass is built, so that a pass can be computed a second time.
type Dropout struct {
	rates Rates
	state *Node
}

// Rates are the shares of elements dropped, each at its own place.
type Rates struct{ Embedding, Hidden, Attention, MLP float64 }

// NewDropout takes the rates and the state of the random generator, as
// graph.RNGStateFromSeed makes it. Where all rates are 0 it returns nil.
func NewDropout(rates Rates, state *Node) *Dropout {
	if rates == (Rates{}) {
		return nil
	}
	return &Dropout{rates: rates, state: state}
}

// Embedding drops elements of the normalized embeddings.
func (d *Dropout) Embedding(x *Node) *Node {
	if d == nil {
		return x
	}
	return d.apply(x, d.rates.Embedding)
}

// Hidden drops elements of a block's output.
func (d *Dropout) Hidden(x *Node) *Node {
	if d == nil {
		return x
	}
	return d.apply(x, d.rates.Hidden)
}

// Attention drops attention weights.
func (d *Dropout) Attention(x *Node) *Node {
	if d == nil {
		return x
	}
	return d.apply(x, d.rates.Attention)
}

// MLP drops elements inside a feed-forward block.
func (d *Dropout) MLP(x *Node) *Node {
	if d == nil {
		return x
	}
	return d.apply(x, d.rates.MLP)
}

func (d *Dropout) apply(x *Node, rate float64) *Node {
	if rate == 0 {
		return x
	}
	var u *Node
	// Float32 whatever x is: bfloat16 has too few numbers for a rate to be met.
	d.state, u = RandomUniform(d.state, shapes.Make(dtypes.Float32, x.Shape().Dimensions...))
	keep := StopGradient(GreaterOrEqual(u, Scalar(x.Graph(), dtypes.Float32, rate)))
	return Where(keep, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}
