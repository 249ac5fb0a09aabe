package lease_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	whole "headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/runner/lease"
)

// manual is a lease without a heartbeat of its own.
func manual(now func() time.Time) lease.Options {
	return lease.Options{Now: now, Interval: -1, Timeout: time.Minute}
}

func acquire(t *testing.T, dir string, o lease.Options) *lease.Lease {
	t.Helper()
	l, err := lease.Acquire(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func inspect(t *testing.T, dir string, o lease.Options) lease.Info {
	t.Helper()
	info, err := lease.Inspect(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// plant writes a generation as another process would have.
func plant(t *testing.T, dir string, generation int, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "lease"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lease", fmt.Sprintf("%d.json", generation)), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestALeaseIsHeldUntilReleased(t *testing.T) {
	dir := t.TempDir()
	if info := inspect(t, dir, lease.Options{}); info != (lease.Info{State: lease.Free}) {
		t.Errorf("before: %+v", info)
	}
	l := acquire(t, dir, lease.Options{})
	_, err := lease.Acquire(dir, lease.Options{})
	var held lease.ErrHeld
	if !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Fatalf("second acquire: %v", err)
	}
	if host, _ := os.Hostname(); held.Host != host || !strings.Contains(err.Error(), fmt.Sprintf("process %d on %s", os.Getpid(), host)) {
		t.Errorf("message %q", err)
	}
	if info := inspect(t, dir, lease.Options{}); info.State != lease.Held {
		t.Errorf("held: %+v", info)
	}
	for range 2 {
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if info := inspect(t, dir, lease.Options{}); info.State != lease.Free {
		t.Errorf("released: %+v", info)
	}
	if err := acquire(t, dir, lease.Options{}).Release(); err != nil {
		t.Error(err)
	}
}

func TestInspectWritesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	inspect(t, dir, lease.Options{})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("inspect made the folder")
	}
	if _, err := lease.Acquire(dir, lease.Options{}); err == nil {
		t.Error("acquired the lease of a folder that does not exist")
	}
}

func TestAKilledProcessFreesItsLeaseAtOnce(t *testing.T) {
	for _, reaped := range []bool{false, true} {
		t.Run(fmt.Sprintf("reaped %v", reaped), func(t *testing.T) {
			dir := t.TempDir()
			c := start(t, dir)
			c.begin()
			if got := c.answer(t); got != "won" {
				t.Fatal(got)
			}
			_, err := lease.Acquire(dir, lease.Options{})
			var held lease.ErrHeld
			if !errors.As(err, &held) || held.PID != c.cmd.Process.Pid {
				t.Fatalf("while it lives: %v", err)
			}
			if err := c.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			if reaped {
				c.cmd.Wait()
			} else {
				c.out.ReadString('\n') // its end closes the pipe
			}
			deadline := time.Now().Add(5 * time.Second)
			for inspect(t, dir, lease.Options{}).State == lease.Held && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond) // the kernel may still be tearing it down
			}
			if info := inspect(t, dir, lease.Options{}); info.State != lease.Dead || info.PID != c.cmd.Process.Pid {
				t.Errorf("after the kill: %+v", info)
			}
			if err := acquire(t, dir, lease.Options{}).Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOfManyProcessesOneWins(t *testing.T) {
	dead := fmt.Sprintf(`{"host":"h","pid":%d,"start":"1","machine":%q,"heartbeat":"2026-01-01T00:00:00Z"}`, os.Getpid(), machine(t))
	for name, text := range map[string]string{"a fresh folder": "", "a dead holder": dead} {
		t.Run(name, func(t *testing.T) {
			for round := range 3 {
				dir := t.TempDir()
				if text != "" {
					plant(t, dir, 1, text)
				}
				var children []*child
				for range 6 {
					children = append(children, start(t, dir))
				}
				for _, c := range children {
					c.begin()
				}
				var winner int
				var losers []string
				for _, c := range children {
					if answer := c.answer(t); answer == "won" && winner == 0 {
						winner = c.cmd.Process.Pid
					} else {
						losers = append(losers, answer)
					}
				}
				for _, l := range losers {
					if l != fmt.Sprintf("held %d", winner) {
						t.Errorf("round %d: winner %d, but another says %q", round, winner, l)
					}
				}
				for _, c := range children {
					c.in.Close()
				}
				for _, c := range children {
					if err := c.cmd.Wait(); err != nil {
						t.Errorf("child: %v", err)
					}
				}
				if info := inspect(t, dir, lease.Options{}); info.State != lease.Free {
					t.Errorf("afterwards: %+v", info)
				}
			}
		})
	}
}

func TestNeverTwoHoldersAtOnce(t *testing.T) {
	dir := t.TempDir()
	var inside, won atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				l, err := lease.Acquire(dir, manual(time.Now))
				if errors.As(err, new(lease.ErrHeld)) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d holders at once", n)
				}
				won.Add(1)
				inside.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if won.Load() == 0 {
		t.Error("nobody ever won")
	}
	left, err := filepath.Glob(filepath.Join(dir, "lease", ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAReusedProcessIDDeceivesNobody(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, 1, fmt.Sprintf(`{"host":"h","pid":%d,"start":"1","machine":%q,"heartbeat":%q}`,
		os.Getpid(), machine(t), time.Now().Format(time.RFC3339)))
	if info := inspect(t, dir, lease.Options{}); info.State != lease.Dead {
		t.Errorf("a lease of this id from long ago: %+v", info)
	}
}

// machine is what this machine's leases call it.
func machine(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	l := acquire(t, dir, lease.Options{})
	defer l.Release()
	text, err := os.ReadFile(filepath.Join(dir, "lease", "1.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), `"machine":"`)
	name, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("no machine in %s", text)
	}
	return name
}

func TestAnotherMachineIsJudgedByItsHeartbeat(t *testing.T) {
	dir := t.TempDir()
	// This process's own id: on another machine it means nothing. Nor does the time that
	// a clock there has written down.
	plant(t, dir, 1, fmt.Sprintf(`{"host":"far","pid":%d,"start":"1","machine":"elsewhere","heartbeat":"2099-01-01T00:00:00Z"}`, os.Getpid()))
	beat := lastWritten(t, dir, 1)
	for _, c := range []struct {
		after time.Duration
		want  lease.State
		age   time.Duration
	}{{-time.Hour, lease.Held, 0}, {0, lease.Held, 0}, {59 * time.Second, lease.Held, 59 * time.Second}, {time.Minute, lease.Stale, time.Minute}} {
		now := func() time.Time { return beat.Add(c.after) }
		info := inspect(t, dir, manual(now))
		if info.State != c.want || info.Age != c.age || info.Host != "far" {
			t.Errorf("after %s: %+v", c.after, info)
		}
		l, err := lease.Acquire(dir, manual(now))
		if c.want == lease.Held {
			if held := (lease.ErrHeld{}); !errors.As(err, &held) || held.Host != "far" || held.Age != c.age {
				t.Errorf("after %s: acquire gives %v", c.after, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		l.Release()
	}
}

// lastWritten is when a generation's file was.
func lastWritten(t *testing.T, dir string, generation int) time.Time {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "lease", fmt.Sprintf("%d.json", generation)))
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func TestHeartbeatsKeepALeaseAlive(t *testing.T) {
	dir := t.TempDir()
	l := acquire(t, dir, manual(time.Now))
	before := lastWritten(t, dir, 1)
	time.Sleep(50 * time.Millisecond) // times of files have steps of up to 10 ms
	if err := l.Beat(); err != nil {
		t.Fatal(err)
	}
	if after := lastWritten(t, dir, 1); !after.After(before) {
		t.Errorf("written at %s before the beat and at %s after it", before, after)
	}
	l.Release()

	own := acquire(t, dir, lease.Options{Interval: time.Millisecond})
	defer own.Release()
	first, err := os.ReadFile(filepath.Join(dir, "lease", "2.json"))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(dir, "lease", "2.json")); err == nil && string(text) != string(first) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no heartbeat was written")
		}
	}
}

func TestAHolderLearnsThatItWasReplaced(t *testing.T) {
	dir := t.TempDir()
	l := acquire(t, dir, lease.Options{Interval: time.Millisecond})
	plant(t, dir, 2, `{"host":"far","pid":1,"machine":"elsewhere","heartbeat":"2026-01-01T00:00:00Z"}`)
	select {
	case <-l.Lost():
	case <-time.After(5 * time.Second):
		t.Fatal("not told")
	}
	if !errors.Is(l.Err(), lease.ErrLost) || !errors.Is(l.Beat(), lease.ErrLost) {
		t.Errorf("err %v, beat %v", l.Err(), l.Beat())
	}
	before, _ := os.ReadFile(filepath.Join(dir, "lease", "2.json"))
	if err := l.Release(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("release gives %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "lease", "2.json")); string(after) != string(before) {
		t.Error("the old holder wrote to the new one's lease")
	}
}

func TestALeaseThatCannotBeRenewedIsLostAfterTheTimeout(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := acquire(t, dir, manual(func() time.Time { return now }))
	if err := os.RemoveAll(filepath.Join(dir, "lease")); err != nil {
		t.Fatal(err)
	}
	now = now.Add(59 * time.Second)
	if err := l.Beat(); err == nil || errors.Is(err, lease.ErrLost) {
		t.Errorf("within the timeout: %v", err)
	}
	now = now.Add(time.Second)
	if err := l.Beat(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("after the timeout: %v", err)
	}
}

// A maker without hard links can be stopped between creating and writing.
func TestAnUnfinishedLeaseIsHeldUntilItsFileIsOld(t *testing.T) {
	for _, text := range []string{"", `{"host":"x","pi`} {
		dir := t.TempDir()
		plant(t, dir, 1, text)
		if info := inspect(t, dir, lease.Options{}); info.State != lease.Held {
			t.Errorf("fresh %q: %+v", text, info)
		}
		later := func() time.Time { return time.Now().Add(time.Hour) }
		if info := inspect(t, dir, lease.Options{Now: later}); info.State != lease.Stale {
			t.Errorf("old %q: %+v", text, info)
		}
		if err := acquire(t, dir, manual(later)).Release(); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutHardLinksALeaseIsStillExclusive(t *testing.T) {
	dir := t.TempDir()
	if err := acquire(t, dir, lease.Options{}).Release(); err != nil {
		t.Fatal(err)
	}
	if err := lease.PublishWithoutLink(dir, 2, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := lease.PublishWithoutLink(dir, 2, time.Now()); !errors.Is(err, os.ErrExist) {
		t.Errorf("the same generation again: %v", err)
	}
	if _, err := lease.Acquire(dir, lease.Options{}); !errors.As(err, new(lease.ErrHeld)) {
		t.Errorf("acquire: %v", err)
	}
}

func TestALeaseIsHeldOrNotWhateverFails(t *testing.T) {
	faults.Test(t, faults.Case{
		Write: func(disk whole.Disk, dir string) error {
			l, err := lease.AcquireOn(disk, dir, lease.Options{Interval: -1})
			var held lease.ErrHeld
			if errors.As(err, &held) {
				return nil // by the try before, of this process
			}
			if err != nil {
				return err
			}
			return l.Beat()
		},
		Read: func(dir string) (string, error) {
			info, err := lease.Inspect(dir, lease.Options{})
			return string(info.State), err
		},
	})
}
