package measure

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// setParameters reads the text in brackets.
func (m *Measure) setParameters(shape form, inside string) error {
	seen := map[string]bool{}
	for _, parameter := range splitParameters(inside) {
		key, value, _ := strings.Cut(parameter, "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		if seen[key] {
			return fmt.Errorf("parameter %q is given twice", key)
		}
		seen[key] = true
		if !shape.takes(key) {
			allowed := "it takes none"
			if len(shape.parameters) > 0 {
				allowed = "it takes " + strings.Join(shape.parameters, ", ")
			}
			return fmt.Errorf("unknown parameter %q of %s: %s", key, shape.name, allowed)
		}
		if err := m.set(key, value); err != nil {
			return err
		}
	}
	if m.Exponential && m.Gains != "" {
		return errors.New("dcg='exp-log2' and gains exclude each other: the gains may be powers themselves")
	}
	return nil
}

// splitParameters splits at the commas outside braces.
func splitParameters(inside string) []string {
	var list []string
	depth, start := 0, 0
	for i := range len(inside) {
		switch inside[i] {
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth == 0 {
				list, start = append(list, inside[start:i]), i+1
			}
		}
	}
	if strings.TrimSpace(inside) == "" {
		return nil
	}
	return append(list, inside[start:])
}

func (m *Measure) set(key, value string) error {
	switch key {
	case "rel":
		rel, err := strconv.ParseInt(value, 10, 32)
		if err != nil || rel < 1 {
			return fmt.Errorf("parameter rel=%s is not an integer from 1", value)
		}
		m.Rel = int(rel)
	case "judged_only", "relative":
		on, err := truth(value)
		if err != nil {
			return fmt.Errorf("parameter %s=%s: %w", key, value, err)
		}
		if key == "judged_only" {
			m.JudgedOnly = on
		} else if on {
			m.Kind = SetRelP
		}
	case "dcg":
		switch strings.Trim(value, `'"`) {
		case "log2":
		case "exp-log2":
			m.Exponential = true
		default:
			return fmt.Errorf("parameter dcg=%s is neither 'log2' nor 'exp-log2'", value)
		}
	case "gains":
		inner, ok := strings.CutPrefix(value, "{")
		inner, closed := strings.CutSuffix(inner, "}")
		if !ok || !closed {
			return fmt.Errorf("parameter gains=%s: write it as gains={0:0,1:1,2:5}", value)
		}
		gains, err := parseGains(inner)
		if err != nil {
			return err
		}
		m.Gains = canonicalGains(gains)
	case "p":
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || !(x > 0 && x < 1) {
			return fmt.Errorf("parameter p=%s: a number between 0 and 1 is allowed", value)
		}
		m.Persistence = x
	case "beta":
		return m.setBeta(value)
	}
	return nil
}

func (m *Measure) setBeta(value string) error {
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || !(x > 0 && x <= 1e6) {
		return fmt.Errorf("beta %q: a number above 0 is allowed", value)
	}
	m.Beta = x
	return nil
}

func truth(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, errors.New("allowed: True or False")
}

func parseGains(inside string) (map[int]int, error) {
	gains := map[int]int{}
	for _, pair := range strings.Split(inside, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		left, right, _ := strings.Cut(pair, ":")
		grade, err := strconv.ParseInt(strings.TrimSpace(left), 10, 32)
		gain, err2 := strconv.ParseInt(strings.TrimSpace(right), 10, 32)
		if err != nil || err2 != nil {
			return nil, fmt.Errorf("gain %q: two integers are allowed, grade:gain", pair)
		}
		if _, twice := gains[int(grade)]; twice {
			return nil, fmt.Errorf("gain of grade %d is given twice", grade)
		}
		gains[int(grade)] = int(gain)
	}
	return gains, nil
}
