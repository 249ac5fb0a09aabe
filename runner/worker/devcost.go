package worker

import (
	"fmt"
	"math"
)

// devShare is the share of the training time beyond which evaluations during training
// are called costly.
const devShare = .25

// devCost compares the time of evaluations with that of the steps between them.
type devCost struct {
	steps   int
	seconds float64 // of those steps
	told    bool
}

func (c *devCost) step(seconds float64) { c.steps, c.seconds = c.steps+1, c.seconds+seconds }

// evaluation adds one evaluation's seconds, of a run that is evaluated after every so many of its
// steps. It returns a warning at most once per attempt, otherwise "".
func (c *devCost) evaluation(seconds float64, every, steps int) string {
	if c.told || c.steps == 0 || !(c.seconds > 0) {
		return ""
	}
	step := c.seconds / float64(c.steps)
	if seconds <= devShare*step*float64(every) {
		return ""
	}
	c.told = true
	mend := "smaller collections"
	if enough := math.Ceil(seconds / (devShare * step)); enough < float64(steps) {
		mend = fmt.Sprintf("evaluate.every = %.0f, or smaller collections,", enough)
	}
	return fmt.Sprintf("an evaluation during training took %.3g s, and the %d steps between two take %.3g s: %s would bring that down to %.0f %%",
		seconds, every, step*float64(every), mend, 100*devShare)
}
