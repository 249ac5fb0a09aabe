package mlmhead

import (
	"fmt"
	"math"
	"strconv"
)

// ReferenceNorm is the mean row norm to which AutoNorm divides a head. It is the
// only published norm at which a large-norm backbone is reported to train well:
// ModernBERT-base, whose mean row norm is 2.553124, divided by k = 8.
const ReferenceNorm = 2.553124 / 8

// AutoNorm is the factor that brings a head of the given mean row norm to
// ReferenceNorm, to three significant digits: max(1, mean / ReferenceNorm). It is
// never below 1, because inflating a head makes it collapse.
func AutoNorm(mean float64) (float64, error) {
	if !(mean >= 0) || math.IsInf(mean, 0) {
		return math.NaN(), fmt.Errorf("choose k by the head's norm: the mean row norm is %v: the decoder's weights are not finite", mean)
	}
	k, err := strconv.ParseFloat(strconv.FormatFloat(max(1, mean/ReferenceNorm), 'g', 3, 64), 64)
	return k, err
}

// ScoreBound is how far above chance, ln(candidates), AutoScore lets InfoNCE
// start. Over two backbone shapes and two seeds of the demo, k = 8 starts at up to
// 1.18 times chance and trains as well as any k, k = 4 starts at no less than 1.93
// times and trains worse: this is the geometric mean of the two, rounded.
const ScoreBound = 1.5

// MaxScoreFactor ends AutoScore's search: float32 weights divided by more would
// begin to lose their digits to underflow.
const MaxScoreFactor = 1 << 24

// AutoScore returns the smallest power of two k, from 1 to MaxScoreFactor, at which
// measure(k), the InfoNCE at step 0, is at most ScoreBound·ln(candidates).
func AutoScore(candidates int, measure func(k float64) (infonce float64, err error)) (float64, error) {
	bound := ScoreBound * math.Log(float64(candidates))
	for k := 1.0; k <= MaxScoreFactor; k *= 2 {
		infonce, err := measure(k)
		if err != nil {
			return math.NaN(), err
		}
		if infonce <= bound {
			return k, nil
		}
		if math.IsNaN(infonce) {
			return math.NaN(), fmt.Errorf("choose k by the scores: InfoNCE at step 0 is not a number: the model's output is not finite")
		}
	}
	return math.NaN(), fmt.Errorf("choose k by the scores: InfoNCE at step 0 stays above %.4g up to k = %d", bound, MaxScoreFactor)
}
