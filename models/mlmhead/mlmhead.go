// Package mlmhead measures and rescales the projection of a masked language
// model's head: the decoder whose rows' norms decide how large a SPLADE model's
// first term weights are.
package mlmhead

import (
	"fmt"
	"math"
	"slices"
)

// Norms are statistics of ‖W_v‖₂ over the vocabulary rows v of a decoder. Mean
// is the figure that published comparisons of head norms quote.
type Norms struct {
	Mean, P05, P50, P95, Max float64
}

// RowNorms measures weight [vocab, dim]. A row that is not finite is not skipped: it
// makes Mean and Max not finite.
func RowNorms(weight []float32, dim int) Norms {
	rows := len(weight) / dim
	norms := make([]float64, rows)
	var n Norms
	for v := range norms {
		sum := 0.0
		for _, w := range weight[v*dim : (v+1)*dim] {
			sum += float64(w) * float64(w)
		}
		norms[v] = math.Sqrt(sum)
		n.Mean += norms[v] / float64(rows)
	}
	slices.Sort(norms) // NaN first
	n.P05, n.P50, n.P95 = quantile(norms, .05), quantile(norms, .5), quantile(norms, .95)
	n.Max = norms[rows-1]
	if math.IsNaN(norms[0]) {
		n.Max = math.NaN()
	}
	return n
}

// quantile interpolates between order statistics, as NumPy's default does.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[low]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// Target is the part of the head that a rescale divides.
type Target string

// The targets. All three give the same step-0 logits up to the bias; under AdamW
// they train differently, since its step does not shrink with the gradient.
const (
	Decoder     Target = "decoder"      // the projection: z = h·w/k + b
	DecoderBias Target = "decoder+bias" // projection and bias: z = (h·w + b)/k
	Logits      Target = "logits"       // the logits, in the graph: parameters untouched
)

// Rescale divides the target by k before training. It changes weight and bias in
// place (bias may be nil) and returns the factor on logits in the graph, which is 1
// unless the target is Logits.
func Rescale(weight, bias []float32, k float64, target Target) (logitScale float32, err error) {
	if !(k > 0) || math.IsInf(k, 0) {
		return 0, fmt.Errorf("rescale head: k = %v: must be a finite number > 0", k)
	}
	divide := func(values []float32) {
		for i, w := range values {
			values[i] = float32(float64(w) / k)
		}
	}
	switch target {
	case Decoder:
		divide(weight)
	case DecoderBias:
		divide(weight)
		divide(bias)
	case Logits:
		return float32(1 / k), nil
	default:
		return 0, fmt.Errorf("rescale head: target %q: allowed are %q, %q, %q", target, Decoder, DecoderBias, Logits)
	}
	return 1, nil
}

// Shift subtracts s from every logit, so that weights are log(1+ReLU(x − s)). It changes the
// bias [vocab] in place; logitScale is the factor that Rescale returned. A bias has no weight
// decay, so AdamW trains the shifted model as it would train one with s in its graph. A head
// without a bias is an error.
func Shift(bias []float32, s float64, logitScale float32) error {
	if s == 0 {
		return nil
	}
	if bias == nil {
		return fmt.Errorf("shift logits by %v: the head has no bias to move: allowed is model.shift = 0, or a backbone whose decoder has a bias", s)
	}
	for v, b := range bias {
		bias[v] = float32(float64(b) - s/float64(logitScale))
	}
	return nil
}
