package worker

import "testing"

// Steps of 0.125 s and an evaluation of 2 s: 64 steps between two make it a quarter of the time.
func TestACostlyEvaluationIsSaidWithAMendThatTheRunAllows(t *testing.T) {
	for steps, want := range map[int]string{
		100: "an evaluation during training took 2 s, and the 10 steps between two take 1.25 s: evaluate.every = 64, or smaller collections, would bring that down to 25 %",
		60:  "an evaluation during training took 2 s, and the 10 steps between two take 1.25 s: smaller collections would bring that down to 25 %",
	} {
		var c devCost
		for range 10 {
			c.step(0.125)
		}
		if got := c.evaluation(0.2, 10, steps); got != "" {
			t.Errorf("a cheap evaluation: %q", got)
		}
		if got := c.evaluation(2, 10, steps); got != want {
			t.Errorf("of %d steps: %q, want %q", steps, got, want)
		}
		if got := c.evaluation(2, 10, steps); got != "" {
			t.Errorf("a second time: %q", got)
		}
	}
}
