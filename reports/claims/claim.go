// Package claims reads claims from a TOML file and judges them. Claims are
// statements of a paper, or of a model's authors, that a sweep or a model can
// confirm or contradict.
//
// Contract. Parse is strict: it reports every fault of a file at once, with key,
// value and what is allowed. It parses every kind of claim, whoever judges it. A
// judge is a pure function of measured figures; it never returns "OK" for
// something that was not measured, or for one seed.
package claims

import (
	"encoding/json"
	"fmt"

	"headroom/sweeps"
)

// Kind is what a claim states.
type Kind string

// The kinds of claims.
const (
	Better    Kind = "better"    // points score higher than against
	Equal     Kind = "equal"     // points score like against, within tolerance
	Collapses Kind = "collapses" // at least share of the points' runs collapse
	Value     Kind = "value"     // points score value, within tolerance
	Vectors   Kind = "vectors"   // a model's dot products are the published ones, within tolerance
)

// Claim is one [[claim]] of a file.
type Claim struct {
	ID, Text, Source string
	Kind             Kind
	// Points are the runs of the claim; Against are the runs with which they are compared.
	Points, Against Points
	// On is a reference to a collection or a group; of Vectors to the published texts and figures.
	On      string
	Measure string
	// At asks for equal cost; nil compares the points as they are.
	At *Cost
	// Tolerance of Equal, Value and Vectors is absolute.
	Tolerance float64
	// Share is of the points' runs, 0 < Share ≤ 1.
	Share float64
	// Value is the published number; nil if it is not known.
	Value *float64
	// Predicted is the expected verdict; "" if the file states none.
	Predicted Verdict
}

// Points are chosen by an expression as --only takes it.
type Points struct {
	Expression string
	sweeps.Filter
}

// Cost is a cost at which runs are compared.
type Cost struct {
	Name  string // "flops" or "active_document"
	Value float64
}

// Verdict is the result of a judge.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "OK"
	OKish   Verdict = "OKish"
	Fail    Verdict = "FAIL"
	NotRun  Verdict = "not run" // there is no such run or collection
	Unknown Verdict = "unknown" // the published number is not entered yet
)

// Judgement is a claim with its verdict, in the form of claims --json. Every member is always
// present; it is null or 0 if it does not apply.
type Judgement struct {
	ID      string  `json:"id"`
	Text    string  `json:"text"`
	Source  string  `json:"source"`
	Verdict Verdict `json:"verdict"`
	// Why is the reason, and the evidence of every pair of settings.
	Why       string   `json:"why"`
	Predicted *Verdict `json:"predicted"`
	// Observed is a difference, a share or a score; of Vectors the dot products.
	Observed Figures `json:"observed"`
	// Interval is of Observed, at 95 %.
	Interval *[2]float64 `json:"interval"`
	// P is corrected by Holm over the claims of the file.
	P       *float64 `json:"p"`
	Queries int      `json:"queries"`
	// Seeds is the number of seeds of the arm with fewer.
	Seeds int `json:"seeds"`
}

// Judgement returns a judgement of the claim with a verdict and its reason.
func (c Claim) Judgement(v Verdict, format string, args ...any) Judgement {
	j := Judgement{ID: c.ID, Text: c.Text, Source: c.Source, Verdict: v, Why: fmt.Sprintf(format, args...)}
	if c.Predicted != "" {
		j.Predicted = &c.Predicted
	}
	return j
}

// Figures are numbers; a single one is written without brackets, none as null.
type Figures []float64

// MarshalJSON writes one number, or a list.
func (f Figures) MarshalJSON() ([]byte, error) {
	switch len(f) {
	case 0:
		return []byte("null"), nil
	case 1:
		return json.Marshal(f[0])
	}
	return json.Marshal([]float64(f))
}
