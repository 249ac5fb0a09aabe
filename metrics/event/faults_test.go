package event_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/metrics/event"
)

// TestWhatALogSaidItHasWrittenOutlivesEveryFault: a log is of use when its folder's name,
// its own and its lines are on the disk.
func TestWhatALogSaidItHasWrittenOutlivesEveryFault(t *testing.T) {
	faults.Test(t, faults.Case{
		Write: func(disk atomic.Disk, dir string) error {
			l, err := event.Create(filepath.Join(dir, "runs", "r"), event.On(disk))
			if err != nil {
				return err
			}
			return errors.Join(l.Append(event.Ended{State: event.StateDone, Step: 3}), l.Close())
		},
		Read: func(dir string) (string, error) {
			attempts, err := event.Attempts(filepath.Join(dir, "runs", "r"))
			if err != nil {
				return "", err
			}
			said := "nothing"
			for _, n := range attempts {
				records, err := event.Read(event.Path(filepath.Join(dir, "runs", "r"), n))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return "", err
				}
				for _, r := range records {
					said = fmt.Sprint(r.Event)
				}
			}
			return said, nil
		},
	})
}

// TestARepairOutlivesEveryFault: there is a damaged log, or a sound one with the damaged
// one beside it.
func TestARepairOutlivesEveryFault(t *testing.T) {
	path := func(dir string) string { return event.Path(dir, 1) }
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			text, err := os.ReadFile(path(logged(t, 2)))
			if err != nil {
				t.Fatal(err)
			}
			text[40] ^= 1
			if err := os.MkdirAll(filepath.Dir(path(dir)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path(dir), text, 0o666); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error {
			if event.Check(path(dir)) == nil {
				return nil // it is repaired
			}
			_, err := event.RepairOn(disk, path(dir))
			return err
		},
		Read: func(dir string) (string, error) {
			if event.Check(path(dir)) != nil {
				return "damaged", nil
			}
			_, err := os.Stat(path(dir) + event.DamagedSuffix)
			return "repaired", err
		},
	})
}
