package sweeps

import (
	"fmt"
	"reflect"
	"strings"

	"headroom/metrics/stability"
)

// StabilityConfig says whether a collapse ends the run, and holds the detectors'
// thresholds. The thresholds enter a run's id only if Stop is true: otherwise
// detectors change nothing, and a finished run can be judged again.
type StabilityConfig struct {
	// Stop ends a collapsing run early. Default false.
	Stop bool `toml:"stop"`
	// Probe is the number of queries, and of documents, in the run's probe set, which it encodes at some steps. nil
	// (default): 64, or as many as the data has; 0: none. It changes no trained bit.
	Probe                *int `toml:"probe" id:"no"`
	stability.Thresholds `id:"stop"`
}

// maxProbe bounds a probe set: every pair of its texts is compared.
const maxProbe = 1024

// StabilityDefaults never stops a run.
func StabilityDefaults() StabilityConfig {
	return StabilityConfig{Thresholds: stability.Defaults()}
}

func stabilityRules() []rule {
	within := func(key string) rule { return number("stability."+key, share, "number, 0 ≤ x ≤ 1") }
	above := func(key string) rule { return number("stability."+key, positive, "number > 0") }
	count := func(key string, low int64, allowed string) rule {
		return integer("stability."+key, low, maxSteps, allowed)
	}
	atLeastOne, atLeastZero := "integer ≥ 1", "integer ≥ 0"
	return []rule{
		flag("stability.stop"),
		integer("stability.probe", 0, maxProbe, "integer, 0 ≤ n ≤ 1024; 0 is off"),
		count("non_finite.recovery", 1, atLeastOne),
		within("empty.share"), count("empty.steps", 1, atLeastOne),
		within("identical.cosine"), within("identical.slack"),
		number("stability.identical.score_sd", notNegative, "number ≥ 0; 0 is off"),
		above("identical.growth"), within("identical.accuracy"), within("identical.blank"),
		count("identical.steps", 1, atLeastOne), count("identical.min_steps", 0, atLeastZero),
		above("stalled.infonce"), within("stalled.accuracy"), within("stalled.falling"),
		count("stalled.window", 2, "integer ≥ 2"), within("stalled.start"), count("stalled.min_steps", 0, atLeastZero),
		choices("stability.stalled.losses", lossKinds()...),
		above("spike.deviations"), above("spike.ratio"), count("spike.window", 3, "integer ≥ 3"),
		count("spike.after", 3, "integer ≥ 3"), count("spike.recovery", 1, atLeastOne),
		within("no_progress.accuracy"), above("no_progress.low"), above("no_progress.high"),
		count("no_progress.window", 2, "integer ≥ 2"), within("no_progress.share"), within("no_progress.start"),
		count("no_progress.candidates", 2, "integer ≥ 2"), count("no_progress.recovery", 1, atLeastOne),
		count("no_progress.min_steps", 0, atLeastZero),
	}
}

// crossedThresholds finds lower thresholds that are above their upper ones.
func crossedThresholds(th stability.Thresholds) []Fault {
	var faults []Fault
	if p := th.NoProgress; p.Low >= p.High {
		faults = append(faults, Fault{Key: "stability.no_progress.low", Value: literal(reflect.ValueOf(p.Low)), Allowed: "a number below it",
			Message: fmt.Sprintf("is not below stability.no_progress.high = %v: no loss lies between the two", p.High)})
	}
	if low, high := th.Stalled.Accuracy, th.Identical.Accuracy; low > high {
		faults = append(faults, Fault{Key: "stability.stalled.accuracy", Value: literal(reflect.ValueOf(low)), Allowed: "a number up to it",
			Message: fmt.Sprintf("is above stability.identical.accuracy = %v: one accuracy would be chance level and tell inputs apart", high)})
	}
	return faults
}

// isRetired reports whether a key belonged to a detector that no longer exists. In files of an
// older program such a key is ignored: its runs have their episodes, and it changes none.
func isRetired(key string) bool {
	return strings.HasPrefix(key+".", "stability.scale_shock.") || strings.HasPrefix(key+".", "stability.dense.")
}
