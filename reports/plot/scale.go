package plot

import (
	"math"
	"strconv"
	"strings"
)

// scale maps data to 0…1 along an axis.
type scale struct {
	low, high float64
	// warp maps a value to a quantity that is linear on the paper: the value, its logarithm, …
	warp  func(float64) float64
	ticks []tick
	// logarithmic says that warp is a logarithm.
	logarithmic bool
}

type tick struct {
	value float64
	label string // "" is a minor tick
}

func (s *scale) at(v float64) float64 {
	low, high := s.warp(s.low), s.warp(s.high)
	return (s.warp(v) - low) / (high - low)
}

// span is the range of the finite values.
type span struct{ low, high float64 }

func newSpan() span { return span{math.Inf(1), math.Inf(-1)} }

func (s *span) add(v float64) {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		s.low, s.high = math.Min(s.low, v), math.Max(s.high, v)
	}
}

func (s span) empty() bool { return s.low > s.high }

// linear spans s with round ticks; an end that is a round number stays.
func linear(s span) scale {
	if s.empty() {
		s = span{0, 1}
	}
	if s.low == s.high {
		s.low, s.high = s.low-0.5, s.high+0.5
	}
	step := niceStep(s.high-s.low, 5)
	out := scale{low: math.Floor(s.low/step+1e-9) * step, high: math.Ceil(s.high/step-1e-9) * step,
		warp: func(v float64) float64 { return v }}
	out.ticks = linearTicks(out.low, out.high, step)
	return out
}

// steps spans training steps from 0. The axis ends at the last step, not at the next
// round number.
func steps(last float64) scale {
	last = math.Max(last, 1)
	step := math.Max(1, niceStep(last, 5))
	if next := math.Ceil(last/step) * step; next < 1.03*last {
		last = next // steps count from 0: the last of 150 is 149
	}
	out := scale{low: 0, high: last, warp: func(v float64) float64 { return v }}
	out.ticks = linearTicks(0, last, step)
	return out
}

func linearTicks(low, high, step float64) []tick {
	var ticks []tick
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		v := i*step + 0 // adding 0 makes -0 a 0
		ticks = append(ticks, tick{v, tickLabel(v, decimals)})
	}
	return ticks
}

func tickLabel(v float64, decimals int) string {
	if a := math.Abs(v); a >= 10_000 {
		return strconv.FormatFloat(v/1000, 'f', -1, 64) + "k"
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// exponentLabel writes a number shortly, whatever its size: "1e-5", "2.5e9", "0".
func exponentLabel(v float64) string {
	if v == 0 {
		return "0"
	}
	text := strconv.FormatFloat(v, 'e', 2, 64)
	mantissa, exponent, _ := strings.Cut(text, "e")
	mantissa = strings.TrimSuffix(strings.TrimRight(mantissa, "0"), ".")
	sign, digits := strings.TrimPrefix(exponent[:1], "+"), strings.TrimLeft(exponent[1:], "0")
	if digits == "" {
		return mantissa
	}
	return mantissa + "e" + sign + digits
}

// niceStep is 1, 2 or 5 times a power of ten that cuts width into about n parts.
func niceStep(width float64, n int) float64 {
	raw := width / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	switch f := raw / power; {
	case f <= 1:
		return power
	case f <= 2:
		return 2 * power
	case f <= 5:
		return 5 * power
	}
	return 10 * power
}

// logarithmic spans positive values with decades; with few decades 2 and 5 are
// labelled too.
func logarithmic(s span) scale {
	if s.empty() || s.low <= 0 {
		s = span{1, 10}
	}
	low, high := math.Log10(s.low), math.Log10(s.high)
	if narrow := math.Log10(2) - (high - low); narrow > 0 { // a tick or two, for one value too
		low, high = low-narrow/2, high+narrow/2
	}
	pad := math.Max(0.04*(high-low), 0.02)
	out := scale{low: positive(math.Pow(10, low-pad)), high: positive(math.Pow(10, high+pad)), warp: math.Log10, logarithmic: true}
	decades := high - low
	every := math.Max(1, math.Ceil(decades/8)) // decades from one label to the next
	for power := math.Floor((low-pad)/every) * every; power <= high+pad; power += every {
		for digit := 1; digit <= 9; digit++ {
			v := float64(digit) * math.Pow(10, power)
			if v < out.low || v > out.high || every > 1 && digit > 1 {
				continue
			}
			label := ""
			if every > 1 {
				label = exponentLabel(v)
			} else if digit == 1 || decades < 2.5 && (digit == 2 || digit == 5) || decades < 0.8 {
				label = plainNumber(v)
			}
			out.ticks = append(out.ticks, tick{v, label})
		}
	}
	return out
}

// positive is the nearest number to v with a finite logarithm. The margin at the ends of a scale can lie beyond all
// numbers, and drawing at NaN does not end.
func positive(v float64) float64 {
	return math.Min(math.Max(v, math.SmallestNonzeroFloat64), math.MaxFloat64)
}

// counts spans values from 0 on a scale of log(1+v), which includes zero.
func counts(high float64) scale {
	high = math.Max(high, 1)
	// A little below 0, so that a curve at 0 does not hide in the axis.
	out := scale{low: -0.25, high: math.Expm1(math.Log1p(high) * 1.03), warp: math.Log1p}
	out.ticks = append(out.ticks, tick{0, "0"})
	for power := 0.0; math.Pow(10, power) <= out.high; power++ {
		for digit := 1; digit <= 9; digit++ {
			v := float64(digit) * math.Pow(10, power)
			if v > out.high {
				break
			}
			label := ""
			if digit == 1 || digit == 3 {
				label = plainNumber(v)
			}
			out.ticks = append(out.ticks, tick{v, label})
		}
	}
	return out
}

func plainNumber(v float64) string {
	if v >= 10_000 {
		return tickLabel(v, 0)
	}
	return strconv.FormatFloat(float64(float32(v)), 'f', -1, 32)
}
