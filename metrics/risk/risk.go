// Package risk predicts before training how likely a run is to collapse, from its settings
// and from what its model computes at step 0. The prediction ranks runs and must not decide
// which may start: seeds of one setting disagree, and a rule cannot see wrong data.
package risk

import (
	"math"
)

// Setting is what is known of a run before its first update.
type Setting struct {
	// LambdaQuery and LambdaDocument are the regularizer's full weights.
	LambdaQuery, LambdaDocument float64
	// InfoNCE is the loss at step 0 over ln(candidates): 1 is chance level; far above 1,
	// the head is too large.
	InfoNCE float64
	// Rate is the head's peak learning rate: train.lr · train.head_lr_scale.
	Rate float64
	// Ramp is the number of steps until λ is full, at least 1.
	Ramp float64
}

// Lambda is the mean of the two weights.
func (s Setting) Lambda() float64 { return (s.LambdaQuery + s.LambdaDocument) / 2 }

// Pressure is λ · InfoNCE(0)/ln(C) · rate / ramp: how hard, at what scale and how soon the
// regularizer pulls at a head that moves at this rate.
func (s Setting) Pressure() float64 { return s.Lambda() * s.InfoNCE * s.Rate / math.Max(1, s.Ramp) }

// least replaces a quantity of 0, whose logarithm would be infinite.
const least = 1e-12

// Log returns the base-10 logarithm of a quantity; NaN of NaN.
func Log(x float64) float64 {
	if x != x {
		return x
	}
	return math.Log10(math.Max(x, least))
}

// Rule is a logistic rule of one quantity: the chance is 1/(1 + exp(−(Intercept + Slope·log10 x))).
type Rule struct {
	Intercept float64 `json:"intercept"`
	Slope     float64 `json:"slope"`
}

// Chance returns the predicted chance of a collapse; NaN if the quantity is NaN.
func (r Rule) Chance(x float64) float64 { return logistic(r.Intercept + r.Slope*Log(x)) }

func logistic(z float64) float64 { return 1 / (1 + math.Exp(-z)) }

// SafeChance is the chance up to which a k counts as safe.
const SafeChance = 0.05

// Scale is a factor k and InfoNCE at step 0 over ln(candidates) under it.
type Scale struct{ K, InfoNCE float64 }

// SafeFrom returns the smallest k such that it and every larger k of the scales is safe
// under a setting; false if the largest is not safe. The scales ascend by K.
func (r Rule) SafeFrom(s Setting, scales []Scale) (k float64, ok bool) {
	for i := len(scales) - 1; i >= 0; i-- {
		s.InfoNCE = scales[i].InfoNCE
		if !(r.Chance(s.Pressure()) <= SafeChance) { // NaN is not safe
			break
		}
		k, ok = scales[i].K, true
	}
	return k, ok
}
