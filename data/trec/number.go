package trec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseScore accepts the numbers that people and trec_eval's C reader read alike: decimal numbers with or without an
// exponent, and inf. It refuses texts that only C or only Go would read: hexadecimal digits, underscores, nan,
// trailing text, numbers beyond float64.
func parseScore(field []byte) (float64, error) {
	text := string(field)
	if !isDecimal(field) {
		switch strings.ToLower(strings.TrimLeft(text, "+-")) {
		case "inf", "infinity":
		default:
			return 0, fmt.Errorf("score %q: a decimal number or inf is allowed", field)
		}
	}
	score, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("score %q: a number within float64 is allowed", field)
	}
	if err != nil || math.IsNaN(score) {
		return 0, fmt.Errorf("score %q: a decimal number or inf is allowed", field)
	}
	return score, nil
}

// isNumber reports whether a field is a score.
func isNumber(field []byte) bool {
	_, err := parseScore(field)
	return err == nil
}

// isDecimal reports whether a field is made of digits, with sign, point and exponent if strconv allows them.
func isDecimal(field []byte) bool {
	for _, b := range field {
		switch {
		case b >= '0' && b <= '9', b == '.', b == '-', b == '+', b == 'e', b == 'E':
		default:
			return false
		}
	}
	return true
}

// parseGrade accepts 32-bit integers, also with a point and zeros ("1.0"). It refuses other fractions, which C's atol
// rounds silently.
func parseGrade(field []byte) (int, error) {
	whole, zeros, _ := bytes.Cut(field, []byte("."))
	grade, err := strconv.ParseInt(string(whole), 10, 32)
	if err != nil || len(bytes.Trim(zeros, "0")) > 0 {
		return 0, fmt.Errorf("grade %q: an integer of 32 bits is allowed", field)
	}
	return int(grade), nil
}
