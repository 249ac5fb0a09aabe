package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// KText writes a rescale factor as people say it: 0.125 is 1/8, 16 is 16.
func KText(k float64) string {
	switch {
	case math.IsNaN(k) || k <= 0:
		return "?"
	case k < 1:
		if n := math.Round(1 / k); math.Abs(k*n-1) < 1e-9 && n < 1e6 {
			return "1/" + strconv.FormatFloat(n, 'f', 0, 64)
		}
	}
	return strconv.FormatFloat(k, 'g', 6, 64)
}

// KName is a name by the text of k, in tables, files, figures and on pages: "k=16". It has no
// spaces because it is one word of longer names: "demo-bert k=16". Sentences have "k = 16".
func KName(text string) string { return "k=" + text }

// Score writes a measure with three decimals.
func Score(v float64) string {
	if math.IsNaN(v) {
		return "?"
	}
	return fixed(v, "%.3f")
}

// Signed writes a difference with its sign.
func Signed(v float64) string {
	if math.IsNaN(v) {
		return "?"
	}
	return fixed(v, "%+.3f")
}

// fixed formats v and never writes a negative zero.
func fixed(v float64, layout string) string {
	s := fmt.Sprintf(layout, v)
	if strings.Trim(s, "-0.") == "" {
		return fmt.Sprintf(layout, 0.0)
	}
	return s
}

// QuantityLike writes v with as many decimals as Quantity gives like: a spread
// beside its mean.
func QuantityLike(v, like float64) string {
	text := Quantity(like)
	if math.IsNaN(v) || strings.ContainsAny(text, "?enI") {
		return Quantity(v)
	}
	decimals := 0
	if i := strings.IndexByte(text, '.'); i >= 0 {
		decimals = len(text) - i - 1
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// Quantity writes a count-like mean with about three digits: 330.25 is 330, 4.26 is 4.3.
func Quantity(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "?"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(strconv.FormatFloat(v, 'f', 0, 64), "+")
	case a == 0:
		return "0"
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}

// list joins words as a sentence does: a, b and c.
func list(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// PText writes a p value with two digits, and as a bound if it is below .0001.
func PText(p float64) string {
	switch {
	case math.IsNaN(p):
		return "?"
	case p < 1e-4:
		return "below 0.0001"
	case p < 0.1:
		return strconv.FormatFloat(p, 'g', 2, 64)
	}
	return strconv.FormatFloat(p, 'f', 2, 64)
}
