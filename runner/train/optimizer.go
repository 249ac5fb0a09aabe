package train

import (
	"math"
)

// AdamW is the optimizer of PyTorch's AdamW. Moments are bias-corrected. Weight decay applies
// to the parameter and not to the gradient, and not to vectors (norms and biases). The
// gradient is clipped by its norm over all parameters together.
type AdamW struct {
	Beta1, Beta2, Epsilon float64
	WeightDecay           float64
	Clip                  float64 // 0: no clipping
	HeadLRScale           float64 // multiplies the rate of a decoder that is its own parameter
}

// NewAdamW has PyTorch's defaults, no decay and no clipping.
func NewAdamW() AdamW { return AdamW{Beta1: .9, Beta2: .999, Epsilon: 1e-8, HeadLRScale: 1} }

// Decays says whether weight decay applies to a parameter of this shape.
func (o AdamW) Decays(shape []int) bool { return len(shape) > 1 }

// Factors are the factors of an update, computed in float64 and rounded once.
type Factors struct {
	StepSize float32 // rate over the first moment's bias correction
	Keep     float32 // the share of a parameter that weight decay leaves
	Root     float32 // 1 over the square root of the second moment's bias correction
}

// Factors returns the factors of the update-th update, counted from 1, at rate lr. head asks
// for those of a decoder that is its own parameter.
func (o AdamW) Factors(lr float64, update int, head bool) Factors {
	if head {
		lr *= o.HeadLRScale
	}
	c1 := 1 - math.Pow(o.Beta1, float64(update))
	c2 := math.Sqrt(1 - math.Pow(o.Beta2, float64(update)))
	return Factors{StepSize: float32(lr / c1), Keep: float32(1 - lr*o.WeightDecay), Root: float32(1 / c2)}
}
