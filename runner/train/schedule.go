package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/sweeps"
)

// Schedule is the learning rate as a pure function of the 0-based step, so that
// resuming and micro-batches do not change it.
type Schedule struct {
	Peak   float64
	Kind   string // "linear", "cosine", "constant": the course after the warm-up
	Warmup int    // W: steps of linear rise; the first update has rate 0 if W > 0
	Steps  int    // T
}

// WarmupSteps is W: the stated number, or ceil(share·T).
func WarmupSteps(stated *int, share float64, steps int) int {
	if stated != nil {
		return *stated
	}
	return int(math.Ceil(share * float64(steps)))
}

// Check refuses an unknown kind.
func (c Schedule) Check() error { return checkKind("train.schedule", c.Kind, sweeps.ScheduleKinds()) }

// At is the rate of the update at step s.
func (c Schedule) At(s int) float64 {
	if s < c.Warmup {
		return c.Peak * float64(s) / float64(c.Warmup)
	}
	rest := max(1, c.Steps-c.Warmup)
	switch c.Kind {
	case "linear":
		return c.Peak * math.Max(0, float64(c.Steps-s)/float64(rest))
	case "cosine":
		return c.Peak * 0.5 * (1 + math.Cos(math.Pi*float64(s-c.Warmup)/float64(rest)))
	case "constant":
		return c.Peak
	}
	return math.NaN() // Check refuses it
}

// Ramp is a regularizer's weight as a pure function of the 0-based step.
type Ramp struct {
	Full  float64
	Kind  string // "quadratic", "linear", "constant"
	Steps int    // R: the step at which Full is reached
}

// RampSteps is R: the stated number, or max(1, floor(share·T)).
func RampSteps(stated *int, share float64, steps int) int {
	if stated != nil {
		return max(1, *stated)
	}
	return max(1, int(share*float64(steps)))
}

// Check refuses an unknown kind.
func (r Ramp) Check() error { return checkKind("regularizer.ramp_kind", r.Kind, sweeps.RampKinds()) }

func checkKind(key, kind string, kinds []string) error {
	if !slices.Contains(kinds, kind) {
		return fmt.Errorf("%s %q is unknown: %s are allowed", key, kind, strings.Join(kinds, ", "))
	}
	return nil
}

// At is λ at step s.
func (r Ramp) At(s int) float64 {
	share := math.Min(1, float64(s)/float64(r.Steps))
	switch r.Kind {
	case "quadratic":
		return r.Full * share * share
	case "linear":
		return r.Full * share
	case "constant":
		return r.Full
	}
	return math.NaN() // Check refuses it
}
