package sweeps

import (
	"fmt"
	"reflect"
	"slices"
)

// maxPoints bounds a sweep's size: more points are likelier to be a typing error than
// a plan.
const maxPoints = 100_000

// Validate reports every fault of one configuration: ranges, spellings, missing keys,
// contradictions. file stands for its source in messages.
func Validate(file string, c RunConfig) error {
	var faults Faults
	v := reflect.ValueOf(c)
	for _, r := range runRules() {
		f, ok := fieldByKey(runFields(), r.key)
		if !ok {
			continue
		}
		value := f.of(v)
		if r.required && value.IsZero() {
			faults.add(missingFault(file, r))
			continue
		}
		if problem := r.check(value); problem != "" {
			faults.add(Fault{File: file, Key: r.key, Value: literal(value), Allowed: r.allowed, Message: problem})
		}
	}
	for _, f := range acrossRun(c) {
		f.File = file
		faults.add(f)
	}
	return faults.orNil()
}

func missingFault(file string, r rule) Fault {
	return Fault{File: file, Key: r.key, Message: "is missing", Allowed: r.allowed}
}

// validate finds the faults of the whole sweep: missing keys, contradictions, and the
// faults of single points.
func (s *Spec) validate(faults *Faults) {
	s.sound = nil
	assigned := map[string]assignment{}
	points := 1
	for _, a := range s.assigned {
		assigned[a.key] = a
	}
	for _, d := range s.dimensions() {
		if points <= maxPoints {
			points *= d.length()
		}
	}
	for _, in := range s.inclusions {
		own := 1
		for _, a := range in.assigned {
			if own <= maxPoints {
				own *= max(1, len(a.values))
			}
		}
		points += own
	}
	for _, r := range runRules() {
		if _, ok := assigned[r.key]; r.required && !ok && s.hasGrid() {
			faults.add(missingFault(s.Path, r))
		}
	}
	for _, pair := range alternatives() {
		a, first := assigned[pair[0]]
		b, second := assigned[pair[1]]
		if first && second {
			faults.add(Fault{File: a.file, Key: pair[0], Message: fmt.Sprintf("is set beside %s (in %s)", pair[1], b.file), Allowed: "one of the two"})
		}
	}
	if points > maxPoints {
		faults.add(Fault{File: s.Path, Key: "grid", Message: "has too many points", Allowed: fmt.Sprintf("at most %d", maxPoints)})
		return
	}
	s.checkFloat32(faults)
	s.judgeInclusions(faults)
	sound := len(*faults) == 0
	if sound {
		s.judgeExclusions(faults)
	}
	known, before := map[string]int{}, len(*faults)
	var list []point
	s.points(func(p point) {
		for _, f := range slices.Concat(acrossRun(p.config), crossedThresholds(p.config.Stability.Thresholds)) {
			f.File = s.SourceOf(f.Key)
			faults.add(f)
		}
		if !sound {
			return // points may be equal only because a value was refused
		}
		key := pointKey(p.config)
		if earlier, twice := known[key]; twice {
			faults.add(s.sameRun(list[earlier], p))
			return
		}
		known[key] = len(list)
		list = append(list, p)
	})
	if sound && len(known) == 0 {
		faults.add(Fault{File: s.Path, Key: "exclude", Message: "no points are left"})
	}
	if len(*faults) == before && sound {
		s.sound = list
	}
}

// checkFloat32 finds numbers that float32 does not hold. A text that a workspace keeps may be
// of a program that took them, so only what is new beside it is checked.
func (s *Spec) checkFloat32(faults *Faults) {
	rules := runSchema().rules
	lists := [][]assignment{s.assigned}
	for _, in := range s.inclusions {
		lists = append(lists, in.assigned)
	}
	for _, a := range slices.Concat(lists...) {
		if r := rules[a.key]; r.float32 && (!s.kept || a.file == commandLine) {
			for _, v := range a.values {
				r.checkFloat32(a.file, v, faults)
			}
		}
	}
}

// alternatives lists pairs of keys for the same setting; an override of one replaces
// the other.
func alternatives() [][2]string {
	return [][2]string{{"train.warmup", "train.warmup_steps"}, {"regularizer.ramp", "regularizer.ramp_steps"}}
}
