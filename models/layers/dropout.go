package layers

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Dropout zeroes elements at random and scales the rest, in training graphs
// only; a nil Dropout does nothing. One seed gives the same zeros each time the
// forward pass is built, so that a pass can be computed a second time.
type Dropout struct {
	rates Rates
	state *Node
}

// Rates are the shares of elements dropped, each at its own place.
type Rates struct{ Embedding, Hidden, Attention, MLP float64 }

// NewDropout takes the rates and the state of the random generator, as
// graph.RNGStateFromSeed makes it. If all rates are 0 it returns nil.
func NewDropout(rates Rates, state *Node) *Dropout {
	if rates == (Rates{}) {
		return nil
	}
	return &Dropout{rates: rates, state: state}
}

// ratesOrZero returns the rates, or zeros if d is nil.
func (d *Dropout) ratesOrZero() Rates {
	if d == nil {
		return Rates{}
	}
	return d.rates
}

// clone returns a Dropout that will draw the same zeros as d from now on.
func (d *Dropout) clone() *Dropout {
	if d == nil {
		return nil
	}
	return &Dropout{rates: d.rates, state: d.state}
}

// drop zeroes elements of x; keep is true for the others, and nil if nothing drops.
func (d *Dropout) drop(x *Node, rate float64) (y, keep *Node) {
	if rate == 0 {
		return x, nil
	}
	var u *Node
	// Float32 whatever x is: bfloat16 has too few numbers for a rate to be met.
	d.state, u = RandomUniform(d.state, shapes.Make(dtypes.Float32, x.Shape().Dimensions...))
	keep = StopGradient(GreaterOrEqual(u, Scalar(x.Graph(), dtypes.Float32, rate)))
	return d.dropGradient(x, keep, rate), keep
}

// dropGradient takes a gradient back through drop: it zeroes the elements that drop has zeroed.
func (d *Dropout) dropGradient(x, keep *Node, rate float64) *Node {
	if keep == nil {
		return x
	}
	return Where(keep, MulScalar(x, 1/(1-rate)), ZerosLike(x))
}

func (m Mode) drop(x *Node, rate float64) *Node {
	y, keep := m.dropout.drop(x, rate)
	if keep = m.tape.keep(keep); keep != nil {
		m.tape.record(y, func(dy *Node) { m.tape.add(x, m.dropout.dropGradient(dy, keep, rate)) })
	}
	return y
}

// DropEmbedding drops elements of the normalized embeddings.
func (m Mode) DropEmbedding(x *Node) *Node { return m.drop(x, m.dropout.ratesOrZero().Embedding) }

// DropHidden drops elements of a block's output.
func (m Mode) DropHidden(x *Node) *Node { return m.drop(x, m.dropout.ratesOrZero().Hidden) }

// DropMLP drops elements inside a feed-forward block.
func (m Mode) DropMLP(x *Node) *Node { return m.drop(x, m.dropout.ratesOrZero().MLP) }
