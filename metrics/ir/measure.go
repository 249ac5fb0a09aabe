// Package ir computes retrieval measures exactly as trec_eval does with -c.
//
// Measures are written in ir_measures' syntax: a name, parameters in brackets, a cut-off after @.
//
//	nDCG  nDCG@k  nDCG(dcg='exp-log2')@k  AP  AP@k  P@k  R@k  RR  RR@k  Success@k
//
// AP, P, R, RR and Success take (rel=n): documents of grade n and above count as relevant (1 unless said).
// The mean is over every query of the qrels: a query that the run does not answer counts as 0, and so does a
// query without any relevant document. A negative grade gains 0, as an unjudged document does. Rankings
// follow data/trec's rule. Everything is float64, added in trec_eval's order.
package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is what a measure computes.
type Kind int

const (
	NDCG Kind = iota
	AP
	Precision
	Recall
	RR
	Success
)

// Measure is one measure with its parameters. The zero value of Cutoff is no cut-off; Rel is at least 1
// (1 for nDCG, which uses the grades themselves); Exponential gains 2^grade - 1 instead of the grade.
type Measure struct {
	Kind        Kind
	Cutoff      int
	Rel         int
	Exponential bool
}

// form says how a kind is written: the first name is the canonical one, the others are ir_measures' aliases.
type form struct {
	kind   Kind
	names  []string
	cutoff bool // required
}

func forms() []form {
	return []form{
		{NDCG, []string{"nDCG", "NDCG"}, false},
		{AP, []string{"AP", "MAP"}, false},
		{Precision, []string{"P", "Precision"}, true},
		{Recall, []string{"R", "Recall"}, true},
		{RR, []string{"RR", "MRR"}, false},
		{Success, []string{"Success"}, true},
	}
}

const allowed = "allowed are nDCG, nDCG@k, AP, AP@k, P@k, R@k, RR, RR@k, Success@k with k from 1; (rel=n) after all but nDCG; (dcg='exp-log2') after nDCG"

// Parse reads a measure in ir_measures' syntax. What String returns parses to the same measure.
func Parse(text string) (Measure, error) {
	fault := func(format string, args ...any) (Measure, error) {
		return Measure{}, fmt.Errorf("parse measure %q: %s: %s", text, fmt.Sprintf(format, args...), allowed)
	}
	rest := strings.TrimSpace(text)
	head, cut, hasCut := strings.Cut(rest, "@")
	name, parameters, hasParameters := strings.Cut(strings.TrimSpace(head), "(")
	name = strings.TrimSpace(name)
	var shape *form
	for _, candidate := range forms() {
		for _, known := range candidate.names {
			if name == known {
				shape = &candidate
			}
		}
	}
	if shape == nil {
		return fault("unknown name %q", name)
	}
	measure := Measure{Kind: shape.kind, Rel: 1}
	if hasParameters {
		inside, closed := strings.CutSuffix(strings.TrimSpace(parameters), ")")
		if !closed {
			return fault("a bracket is not closed")
		}
		if err := measure.setParameters(inside); err != nil {
			return fault("%v", err)
		}
	}
	if hasCut {
		k, err := strconv.Atoi(strings.TrimSpace(cut))
		if err != nil || k < 1 {
			return fault("cut-off %q", cut)
		}
		measure.Cutoff = k
	} else if shape.cutoff {
		return fault("%s needs a cut-off", name)
	}
	return measure, nil
}

func (m *Measure) setParameters(inside string) error {
	if strings.TrimSpace(inside) == "" {
		return nil
	}
	seen := map[string]bool{}
	for _, parameter := range strings.Split(inside, ",") {
		key, value, _ := strings.Cut(parameter, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if seen[key] {
			return fmt.Errorf("parameter %q is given twice", key)
		}
		seen[key] = true
		switch {
		case key == "rel" && m.Kind != NDCG:
			rel, err := strconv.Atoi(value)
			if err != nil || rel < 1 {
				return fmt.Errorf("parameter rel=%s is not an integer from 1", value)
			}
			m.Rel = rel
		case key == "dcg" && m.Kind == NDCG:
			switch strings.Trim(value, `'"`) {
			case "log2":
				m.Exponential = false
			case "exp-log2":
				m.Exponential = true
			default:
				return fmt.Errorf("parameter dcg=%s is neither 'log2' nor 'exp-log2'", value)
			}
		default:
			return fmt.Errorf("unknown parameter %q", key)
		}
	}
	return nil
}

// ParseAll reads several measures and refuses one that is named twice, in whatever spelling.
func ParseAll(texts []string) ([]Measure, error) {
	measures := make([]Measure, 0, len(texts))
	seen := map[Measure]string{}
	for _, text := range texts {
		measure, err := Parse(text)
		if err != nil {
			return nil, err
		}
		if before, twice := seen[measure]; twice {
			return nil, fmt.Errorf("parse measure %q: the same as %q", text, before)
		}
		seen[measure] = text
		measures = append(measures, measure)
	}
	return measures, nil
}

// Defaults are the measures of a report that asks for none.
func Defaults() []Measure {
	return []Measure{{Kind: NDCG, Cutoff: 10, Rel: 1}, {Kind: RR, Cutoff: 10, Rel: 1}, {Kind: Recall, Cutoff: 1000, Rel: 1}}
}

// String is the canonical name: ir_measures' own, with parameters left out where they have their default.
func (m Measure) String() string {
	var text strings.Builder
	text.WriteString(m.name())
	if m.Kind == NDCG && m.Exponential {
		text.WriteString("(dcg='exp-log2')")
	}
	if m.Kind != NDCG && m.Rel > 1 {
		fmt.Fprintf(&text, "(rel=%d)", m.Rel)
	}
	if m.Cutoff > 0 {
		fmt.Fprintf(&text, "@%d", m.Cutoff)
	}
	return text.String()
}

func (m Measure) name() string {
	for _, shape := range forms() {
		if shape.kind == m.Kind {
			return shape.names[0]
		}
	}
	return fmt.Sprintf("Kind(%d)", int(m.Kind))
}
