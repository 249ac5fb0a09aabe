// Package splade defines how an MLM head's logits become a sparse vector: the
// activation, the pooling over tokens and the pruning, as settings and as plain
// functions on pooled values. Package fused computes the pooled logits on a CPU.
package splade

import (
	"cmp"
	"math"
	"slices"
)

// Form says how a text's logits [tokens, vocab] become its term weights [vocab].
// The zero value is SPLADE-max: max over tokens of log(1+relu(logit)).
type Form struct {
	// Sum adds the activations of all tokens up; without it the largest counts.
	Sum bool
	// Twice takes log(1+log(1+relu(logit))), which sentence-transformers' files call
	// "log1p_relu".
	Twice bool
	// TopK keeps a text's largest weights only; 0 keeps all.
	TopK int
	// TokenTopM is the number of greatest logits that each token keeps before pooling; 0
	// keeps all. A special token counts as a token, padding does not.
	TokenTopM int
}

// NewForm reads the settings of a run: pooling "max" or "sum", activation
// "log1p_relu" or "log1p_log1p_relu".
func NewForm(pooling, activation string, topK, tokenTopM int) Form {
	return Form{Sum: pooling == "sum", Twice: activation == "log1p_log1p_relu", TopK: topK, TokenTopM: tokenTopM}
}

// Weight is the activation of one logit: 0 if it is not above 0. NaN stays NaN.
func (f Form) Weight(z float32) float32 {
	if z <= 0 {
		return 0
	}
	w := math.Log1p(float64(z))
	if f.Twice {
		w = math.Log1p(w)
	}
	return float32(w)
}

// Slope is the activation's derivative at a logit: 0 if it is not above 0.
func (f Form) Slope(z float32) float32 {
	if z <= 0 {
		return 0
	}
	slope := 1 / (1 + z)
	if f.Twice {
		slope /= 1 + float32(math.Log1p(float64(z)))
	}
	return slope
}

// Prune sets all but the TopK largest of a text's weights [vocab] to zero. Of
// equal weights those with the lowest ids stay. NaN counts as the largest, so that
// pruning never hides it.
func (f Form) Prune(weights []float32) {
	if f.TopK <= 0 {
		return
	}
	var active []int32
	for v, w := range weights {
		if w != 0 {
			active = append(active, int32(v))
		}
	}
	if len(active) <= f.TopK {
		return
	}
	slices.SortStableFunc(active, func(a, b int32) int {
		x, y := weights[a], weights[b]
		switch {
		case x != x && y != y:
			return 0
		case x != x:
			return -1
		case y != y:
			return 1
		}
		return cmp.Compare(y, x)
	})
	for _, v := range active[f.TopK:] {
		weights[v] = 0
	}
}
