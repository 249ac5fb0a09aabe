package train_test

import (
	"math"
	"testing"

	"headroom/runner/train"
)

func TestSchedulesByHand(t *testing.T) {
	three := 3
	linear := train.Schedule{Peak: 2, Kind: "linear", Warmup: train.WarmupSteps(nil, .1, 15), Steps: 15}
	if linear.Warmup != 2 { // ceil(1.5)
		t.Fatalf("W = %d", linear.Warmup)
	}
	for _, c := range []struct {
		s    train.Schedule
		step int
		want float64
	}{
		{linear, 0, 0}, {linear, 1, 1}, {linear, 2, 2}, {linear, 14, 2.0 / 13}, {linear, 15, 0},
		{train.Schedule{Peak: 2, Kind: "constant", Warmup: 2, Steps: 10}, 9, 2},
		{train.Schedule{Peak: 2, Kind: "cosine", Warmup: 0, Steps: 10}, 5, 1},
		{train.Schedule{Peak: 2, Kind: "linear", Warmup: 0, Steps: 4}, 0, 2},
	} {
		if got := c.s.At(c.step); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%+v at %d: %g, want %g", c.s, c.step, got, c.want)
		}
	}
	if train.WarmupSteps(&three, .5, 100) != 3 || train.RampSteps(&three, .5, 100) != 3 {
		t.Error("a stated number of steps must win over the share")
	}
	if got := train.RampSteps(nil, 1.0/3, 150); got != 50 && got != 49 {
		t.Errorf("R = %d", got)
	}
	if train.RampSteps(nil, .1, 5) != 1 {
		t.Error("R is at least 1")
	}
	for _, c := range []struct {
		r    train.Ramp
		step int
		want float64
	}{
		{train.Ramp{Full: 8, Kind: "quadratic", Steps: 4}, 0, 0}, {train.Ramp{Full: 8, Kind: "quadratic", Steps: 4}, 2, 2},
		{train.Ramp{Full: 8, Kind: "quadratic", Steps: 4}, 9, 8}, {train.Ramp{Full: 8, Kind: "linear", Steps: 4}, 1, 2},
		{train.Ramp{Full: 8, Kind: "constant", Steps: 4}, 0, 8},
	} {
		if got := c.r.At(c.step); got != c.want {
			t.Errorf("%+v at %d: %g, want %g", c.r, c.step, got, c.want)
		}
	}
}
