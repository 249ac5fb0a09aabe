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

// at returns the rates, zeros for nil.
func (d *Dropout) at() Rates {
	if d == nil {
		return Rates{}
	}
	return d.rates
}

// again draws what d draws from here on.
func (d *Dropout) again() *Dropout {
	if d == nil {
		return nil
	}
	return &Dropout{rates: d.rates, state: d.state}
}

// drop zeroes elements of x; keep is true for the others, and nil where nothing drops.
func (d *Dropout) drop(x *Node, rate float64) (y, keep *Node) {
	if rate == 0 {
		return x, nil
	}
	var u *Node
	// Float32 whatever x is: bfloat16 has too few numbers for a rate to be met.
	d.state, u = RandomUniform(d.state, shapes.Make(dtypes.Float32, x.Shape().Dimensions...))
	keep = StopGradient(GreaterOrEqual(u, Scalar(x.Graph(), dtypes.Float32, rate)))
	return d.back(x, keep, rate), keep
}

// back drops what drop has dropped, which is how a gradient goes back through it.
func (d *Dropout) back(x, keep *Node, rate float64) *Node {
	if keep == nil {
		return x
	}
	return Where(keep, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}

func (m Mode) drop(x *Node, rate float64) *Node {
	y, keep := m.Dropout.drop(x, rate)
	if keep = m.Tape.keep(keep); keep != nil {
		m.Tape.record(y, func(dy *Node) { m.Tape.add(x, m.Dropout.back(dy, keep, rate)) })
	}
	return y
}

// DropEmbedding drops elements of the normalized embeddings.
func (m Mode) DropEmbedding(x *Node) *Node { return m.drop(x, m.Dropout.at().Embedding) }

// DropHidden drops elements of a block's output.
func (m Mode) DropHidden(x *Node) *Node { return m.drop(x, m.Dropout.at().Hidden) }

// DropMLP drops elements inside a feed-forward block.
func (m Mode) DropMLP(x *Node) *Node { return m.drop(x, m.Dropout.at().MLP) }
