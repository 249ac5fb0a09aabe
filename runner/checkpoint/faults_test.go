package checkpoint_test

import (
	"fmt"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/runner/checkpoint"
)

func TestACheckpointIsTheOldOrTheNewWhateverFails(t *testing.T) {
	for name, step := range map[string]int{"a further step": 3, "the same step again": 2} {
		t.Run(name, func(t *testing.T) {
			faults.Test(t, faults.Case{
				Before: func(t *testing.T, dir string) { save(t, dir, 1, 1); save(t, dir, 2, 2) },
				Write: func(disk atomic.Disk, dir string) error {
					_, err := checkpoint.SaveOn(disk, dir, checkpoint.State{Run: "run-a", Step: step, Updates: step}, tensors(5), tensors(6))
					return err
				},
				Read: func(dir string) (string, error) {
					var notices []string
					l, err := checkpoint.Latest(dir, "run-a", nil, func(m string) { notices = append(notices, m) })
					if err != nil {
						return "", err
					}
					if len(notices) > 0 || l == nil {
						return "", fmt.Errorf("%v, %v", l, notices)
					}
					defer l.Close()
					return fmt.Sprint(l.Step, l.Digest), nil
				},
			})
		})
	}
}
