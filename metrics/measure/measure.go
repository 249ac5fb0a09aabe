// Package measure is the grammar of retrieval measures: how they are written, and what each name means.
// Package metrics/ir computes them.
//
// A measure is written as in ir_measures: a name, parameters in brackets, a cut-off after @. trec_eval's names
// (ndcg_cut_10, map, recip_rank, P_5, iprec_at_recall_0.10) and usual ones (MRR@10, Recall@100, hit rate@5)
// mean the same measures. Case, spaces, hyphens and underscores in a name do not matter. String gives the one
// canonical name, which is ir_measures' own.
package measure

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a measure computes.
type Kind int

// The kinds in the order in which help and docs list them.
const (
	NDCG Kind = iota
	AP
	RR
	Precision
	Recall
	CappedRecall
	Success
	Rprec
	Bpref
	InfAP
	IPrec
	RBP
	ERR
	Judged
	SetP
	SetRelP
	SetR
	SetF
	SetAP
	NumRet
	NumRel
	NumQ
)

// Measure is one measure with its parameters. Two measures are equal if they compute the
// same.
type Measure struct {
	Kind Kind
	// Cutoff is the number of documents that count; 0 is all of them.
	Cutoff int
	// Rel is the least grade that counts as relevant. It is 0 for the kinds without one, and for NumRet if
	// all documents are counted; otherwise it is at least 1.
	Rel int
	// JudgedOnly takes unjudged documents out of the ranking first.
	JudgedOnly bool
	// Exponential is nDCG's gain 2^grade - 1 instead of the grade.
	Exponential bool
	// Gains is nDCG's own gain of some grades, in ascending order of grade: "1:1,2:5". GainOf reads it.
	// A grade that is not in it gains itself; "" changes none.
	Gains string
	// Level is IPrec's recall, 0 to 1.
	Level float64
	// Persistence is RBP's p, above 0 and below 1.
	Persistence float64
	// Beta is SetF's weight of recall as trec_eval has it, above 0.
	Beta float64
}

// Defaults are the measures of a report that asks for none.
func Defaults() []Measure {
	return []Measure{{Kind: NDCG, Cutoff: 10}, {Kind: RR, Cutoff: 10, Rel: 1}, {Kind: Recall, Cutoff: 1000, Rel: 1}}
}

// Main returns the measure to show if there is room for only one: nDCG@10 if it is among
// them, else the first. ok is false if there is none.
func Main(measures []Measure) (main Measure, ok bool) {
	for _, m := range measures {
		if m == Defaults()[0] {
			return m, true
		}
	}
	if len(measures) == 0 {
		return Measure{}, false
	}
	return measures[0], true
}

// Depth returns how many documents of a ranking the measure looks at; 0 is all of them. A measure that first
// takes out unjudged documents looks at all.
func (m Measure) Depth() int {
	if m.JudgedOnly {
		return 0
	}
	return m.Cutoff
}

// RankingDepth is the number of documents that a ranking keeps, unless a cut-off is deeper.
const RankingDepth = 1000

// DepthFor returns how many documents a ranking must keep for its measures: RankingDepth, or the deepest cut-off.
// A measure without a cut-off is computed on the documents that are kept.
func DepthFor(measures []Measure) int {
	depth := RankingDepth
	for _, m := range measures {
		depth = max(depth, m.Cutoff)
	}
	return depth
}

// Uncut returns the measures that look at the whole ranking, however deep it is.
func Uncut(measures []Measure) []Measure {
	var list []Measure
	for _, m := range measures {
		if m.Ranked() && m.Depth() == 0 {
			list = append(list, m)
		}
	}
	return list
}

// CheckKept refuses a measure without a cut-off beside a cut-off deeper than RankingDepth. The deeper ranking
// would change the value of the first, which could not be compared with other evaluations.
func CheckKept(measures []Measure) error {
	uncut, depth := Uncut(measures), DepthFor(measures)
	if len(uncut) == 0 || depth == RankingDepth {
		return nil
	}
	return fmt.Errorf("measure %s looks at whole rankings, which are kept with %d documents, but a cut-off of %d asks for deeper ones; allowed: one of the two, or a cut-off for both (AP@%d)", uncut[0], RankingDepth, depth, depth)
}

// Ranked reports whether the measure looks at a ranking at all: NumRel and NumQ do not.
func (m Measure) Ranked() bool { return m.Kind != NumRel && m.Kind != NumQ }

// Summed reports whether the value over all queries is their sum and not their mean.
func (m Measure) Summed() bool { return m.Kind == NumRet || m.Kind == NumRel || m.Kind == NumQ }

// String is the canonical name: ir_measures' own, with parameters left out if they have their default.
func (m Measure) String() string {
	shape, ok := formOf(m.Kind)
	if !ok {
		return fmt.Sprintf("Kind(%d)", int(m.Kind))
	}
	if m.Kind == NumRet && m.Rel == 1 {
		return "NumRelRet"
	}
	var parameters []string
	add := func(format string, args ...any) { parameters = append(parameters, fmt.Sprintf(format, args...)) }
	if m.Exponential {
		add("dcg='exp-log2'")
	}
	if m.Gains != "" {
		add("gains={%s}", m.Gains)
	}
	if m.Kind == RBP && m.Persistence != defaultPersistence {
		add("p=%s", number(m.Persistence))
	}
	if m.Rel != shape.rel || m.Kind == RBP {
		add("rel=%d", m.Rel)
	}
	if m.Kind == SetF && m.Beta != defaultBeta {
		add("beta=%s", number(m.Beta))
	}
	if m.JudgedOnly {
		add("judged_only=True")
	}
	text := shape.name
	if len(parameters) > 0 {
		text += "(" + strings.Join(parameters, ",") + ")"
	}
	switch {
	case m.Kind == IPrec:
		text += "@" + number(m.Level)
	case m.Cutoff > 0:
		text += "@" + strconv.Itoa(m.Cutoff)
	}
	return text
}

// number writes a float as Python does: 1 is "1.0".
func number(x float64) string {
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// GainOf returns the function from a grade to its gain, by Gains.
func (m Measure) GainOf() func(grade int) int {
	if m.Gains == "" {
		return func(grade int) int { return grade }
	}
	gains, err := parseGains(m.Gains)
	if err != nil { // Check has seen it
		panic(err)
	}
	return func(grade int) int {
		if gain, ok := gains[grade]; ok {
			return gain
		}
		return grade
	}
}

// Check refuses a measure that Parse would not return.
func (m Measure) Check() error {
	again, err := Parse(m.String())
	if err == nil && again != m {
		err = fmt.Errorf("measure %s: %+v is not what the name means, %+v", m, m, again)
	}
	return err
}

// canonicalGains writes gains in the order of the grades and leaves out those that change nothing.
func canonicalGains(gains map[int]int) string {
	grades := make([]int, 0, len(gains))
	for grade, gain := range gains {
		if grade != gain {
			grades = append(grades, grade)
		}
	}
	slices.Sort(grades)
	parts := make([]string, len(grades))
	for i, grade := range grades {
		parts[i] = fmt.Sprintf("%d:%d", grade, gains[grade])
	}
	return strings.Join(parts, ",")
}
