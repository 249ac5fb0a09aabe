package sweeps_test

import (
	"slices"
	"testing"
)

// What the contract allows stays allowed; a notice says that it is seldom meant, and only then.
func TestWhatIsAllowedAndSeldomMeantIsSaid(t *testing.T) {
	const watched = "evaluate.during=['builtin:demo']"
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"nothing": {nil, nil},
		"all at their limits": {
			[]string{watched, "evaluate.every=100", "checkpoint.every=100", "regularizer.ramp_steps=100", "train.warmup_steps=100"}, nil,
		},
		"dev data after the end": {
			[]string{watched, "evaluate.every=101"},
			[]string{"evaluate.every = 101 is more than train.steps = 100: the dev data are measured once, after the last step"},
		},
		"a choice of one": {
			[]string{watched, "evaluate.every=101", "checkpoint.select=best"},
			[]string{`evaluate.every = 101 is more than train.steps = 100: the dev data are measured once, after the last step, and checkpoint.select = "best" has only that model to choose from`},
		},
		"nothing to measure": {
			[]string{"evaluate.final=['builtin:demo']", "evaluate.measures=[]"},
			[]string{`evaluate.measures = []: nothing is measured on evaluate.final = ["builtin:demo"]`},
		},
		"no checkpoint": {
			[]string{"checkpoint.every=1000"},
			[]string{"checkpoint.every = 1000 is more than train.steps = 100: nothing is saved before the last step, so that a run that is killed begins again"},
		},
		"a long ramp": {
			[]string{"regularizer.ramp_steps=990"},
			[]string{"regularizer.ramp_steps = 990 is more than train.steps = 100: λ ends at 0.01 of its full value"},
		},
		"a long straight ramp": {
			[]string{"regularizer.ramp_steps=198", "regularizer.ramp_kind=linear"},
			[]string{"regularizer.ramp_steps = 198 is more than train.steps = 100: λ ends at 0.5 of its full value"},
		},
		"a ramp that nothing reads":  {[]string{"regularizer.ramp_steps=990", "regularizer.ramp_kind=constant"}, nil},
		"a ramp of no regularizer":   {[]string{"regularizer.ramp_steps=990", "regularizer.kind=none"}, nil},
		"a share is never too large": {[]string{"regularizer.ramp=1", "train.warmup=1"}, nil},
	} {
		if got := only(t, base, c.args...).Notices(); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}
