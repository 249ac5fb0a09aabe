package event

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// History returns the steps below a limit that a run's attempts recorded, in ascending
// order. Each attempt replaces what earlier attempts recorded from its first step on; the
// store folds by the same rule. A resumed run gives the history to its detectors.
func History(dir string, before int) ([]Step, error) {
	attempts, err := Attempts(dir)
	if err != nil {
		return nil, err
	}
	byStep := map[int]Step{}
	for _, n := range attempts {
		_, err := Scan(Path(dir, n), Position{}, func(r Record) error {
			switch e := r.Event.(type) {
			case Started:
				maps.DeleteFunc(byStep, func(step int, _ Step) bool { return step >= e.FromStep })
			case Step:
				if old, ok := byStep[e.Step]; ok {
					maps.Copy(old.Values, e.Values)
					e = old
				}
				byStep[e.Step] = e
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read history of attempt %d: %w", n, err)
		}
	}
	var steps []Step
	for _, step := range slices.Sorted(maps.Keys(byStep)) {
		if step < before {
			steps = append(steps, byStep[step])
		}
	}
	return steps, nil
}
