package sweeps

import (
	"fmt"
	"strings"
)

// Loss is one kind of ranking loss. Only this table says what a kind needs; validation,
// planning, training and recording ask it.
type Loss struct {
	// Kind is the value of loss.kind.
	Kind string
	// Teacher is true if the loss compares scores with those of a teacher, for at least two
	// documents of one query. Otherwise the documents of the whole batch are candidates too.
	Teacher bool
	series  string
}

// Losses are all kinds, the default first.
func Losses() []Loss {
	return []Loss{
		{Kind: "infonce", series: "loss/contrastive"},
		{Kind: "margin_mse", Teacher: true, series: "loss/margin_mse"},
		{Kind: "kl", Teacher: true, series: "loss/kl"},
	}
}

// LossOf finds a kind of loss; an unknown kind is an error.
func LossOf(kind string) (Loss, error) {
	for _, l := range Losses() {
		if l.Kind == kind {
			return l, nil
		}
	}
	return Loss{}, fmt.Errorf("loss.kind %q is unknown: %s are allowed", kind, strings.Join(lossKinds(), ", "))
}

func lossKinds() []string {
	var kinds []string
	for _, l := range Losses() {
		kinds = append(kinds, l.Kind)
	}
	return kinds
}

// Series is the name under which the loss is recorded. InfoNCE with heavier hard negatives
// has a name of its own, because its value cannot be compared with ln(candidates).
func (c LossConfig) Series() string {
	l, err := LossOf(c.Kind)
	if err != nil {
		return ""
	}
	if c.Hard() {
		return l.series + "_hardness"
	}
	return l.series
}

// Hard reports whether hard negatives get more weight.
func (c LossConfig) Hard() bool { return c.Kind == "infonce" && c.Hardness != "none" }

// CandidatesOf is the number of documents against which each query is scored. A batch has
// batch queries with columns documents each: a positive and hard negatives.
func (c LossConfig) CandidatesOf(batch, columns int) int {
	switch l, _ := LossOf(c.Kind); {
	case l.Teacher:
		return columns
	case c.Candidates == "in_batch_and_own":
		return batch + columns - 1
	}
	return batch * columns
}

// Regularizer is one kind of sparsity regularizer.
type Regularizer struct {
	// Kind is the value of regularizer.kind.
	Kind string
	// Series is the first part of the names under which its unweighted value is recorded for
	// each side; "" if nothing is recorded.
	Series string
}

// Regularizers are all kinds, the default first.
func Regularizers() []Regularizer {
	return []Regularizer{{"flops", "flops"}, {"l1", "l1"}, {"df_flops", "df_flops"}, {"none", ""}}
}

// RegularizerOf finds a kind of regularizer; an unknown kind is an error.
func RegularizerOf(kind string) (Regularizer, error) {
	for _, r := range Regularizers() {
		if r.Kind == kind {
			return r, nil
		}
	}
	return Regularizer{}, fmt.Errorf("regularizer.kind %q is unknown: %s are allowed", kind, strings.Join(regularizerKinds(), ", "))
}

func regularizerKinds() []string {
	var kinds []string
	for _, r := range Regularizers() {
		kinds = append(kinds, r.Kind)
	}
	return kinds
}

// Masked reports whether texts with few terms are left out of the regularizer.
func (c RegularizerConfig) Masked() bool {
	return c.Kind == "flops" && (c.ThresholdQuery > 0 || c.ThresholdDocument > 0)
}

// Series is the first part of the names of the unweighted regularizer's series; "" for none.
func (c RegularizerConfig) Series() string {
	r, err := RegularizerOf(c.Kind)
	if err == nil && c.Masked() {
		return r.Series + "_l0"
	}
	return r.Series
}

// ScheduleKinds are the courses of the learning rate after its warm-up.
func ScheduleKinds() []string { return []string{"linear", "cosine", "constant"} }

// RampKinds are the ways in which λ rises.
func RampKinds() []string { return []string{"quadratic", "linear", "constant"} }
