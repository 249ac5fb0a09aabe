package lease_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"headroom/runner/lease"
)

// TestAClockThatIsWrongIsNotWaitedForForEver has a dead holder elsewhere whose file is of
// next week, as where a file system takes times from the machines that write. A Sighting has
// the time of the process, which in a synctest passes only as the test says.
func TestAClockThatIsWrongIsNotWaitedForForEver(t *testing.T) {
	week := time.Now().Add(-7 * 24 * time.Hour) // the clock of whoever looks is a week behind
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		plant(t, dir, 1, farAway)
		look := lease.Options{Now: func() time.Time { return week }, Interval: -1, Timeout: time.Minute, Sighting: &lease.Sighting{}}
		var held lease.ErrHeld
		if _, err := lease.Acquire(dir, look); !errors.As(err, &held) || held.Ahead < 6*24*time.Hour {
			t.Fatalf("at first: %v", err)
		}
		time.Sleep(time.Minute - time.Millisecond)
		if _, err := lease.Acquire(dir, look); !errors.As(err, &held) {
			t.Fatalf("too early: %v", err)
		}
		time.Sleep(time.Millisecond)
		l, err := lease.Acquire(dir, look)
		if err != nil {
			t.Fatalf("after the timeout by the own clock: %v", err)
		}
		if err := l.Release(); err != nil {
			t.Error(err)
		}
	})
}

// TestALiveHolderWithAWrongClockKeepsItsLease has one whose file changes.
func TestALiveHolderWithAWrongClockKeepsItsLease(t *testing.T) {
	now := time.Now()
	past := now.Add(-time.Hour)
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		plant(t, dir, 1, farAway)
		look := lease.Options{Now: func() time.Time { return past }, Interval: -1, Timeout: time.Minute, Sighting: &lease.Sighting{}}
		path := filepath.Join(dir, "lease", "1.json")
		for i := range 8 {
			if _, err := lease.Acquire(dir, look); !errors.As(err, new(lease.ErrHeld)) {
				t.Fatalf("try %d: %v", i, err)
			}
			beat := now.Add(time.Duration(i-30) * time.Minute)
			if err := os.Chtimes(path, beat, beat); err != nil {
				t.Fatal(err)
			}
			time.Sleep(40 * time.Second)
		}
	})
}

// TestALaterTurnTakesTheLeaseFromAnEarlierOne has a scheduler start again what lives on.
func TestALaterTurnTakesTheLeaseFromAnEarlierOne(t *testing.T) {
	dir := t.TempDir()
	turn := func(n int) lease.Options {
		return lease.Options{Interval: -1, Succession: "slurm", Turn: n}
	}
	old := acquire(t, dir, turn(7))
	for name, o := range map[string]lease.Options{
		"the same turn": turn(7), "an earlier one": turn(6), "another succession": {Interval: -1, Succession: "other", Turn: 99}, "none": {Interval: -1},
	} {
		if _, err := lease.Acquire(dir, o); !errors.As(err, new(lease.ErrHeld)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := old.Beat(); err != nil {
		t.Fatalf("what was refused has cost the holder its lease: %v", err)
	}
	later := acquire(t, dir, turn(8))
	if err := old.Beat(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("the earlier turn, which lives: %v", err)
	}
	select {
	case <-old.Lost():
	default:
		t.Error("the earlier turn was not told")
	}
	if _, err := lease.Acquire(dir, turn(7)); !errors.As(err, new(lease.ErrHeld)) {
		t.Errorf("the earlier turn once more: %v", err)
	}
	if err := later.Release(); err != nil {
		t.Error(err)
	}
}
