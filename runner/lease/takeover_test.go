package lease_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/runner/lease"
)

// backdate makes a generation's file as old as one that was written two days ago.
func backdate(t *testing.T, dir string, generation int) {
	t.Helper()
	past := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "lease", fmt.Sprintf("%d.json", generation)), past, past); err != nil {
		t.Fatal(err)
	}
}

const farAway = `{"host":"far","pid":7,"machine":"elsewhere","acquired":"2099-01-01T00:00:00Z","heartbeat":"2099-01-01T00:00:00Z"}`

func TestWhatIsLongSilentIsTakenOverWhateverItSays(t *testing.T) {
	for name, text := range map[string]string{
		"a heartbeat in the future": farAway, "another object": `{"answer":42}`, "a list": `[1,2]`,
		"text": "locked by me", "nothing": "", "zeros": strings.Repeat("\x00", 300),
		"a pid that is none": `{"host":"far","pid":-1,"machine":"x"}`, "a large file": strings.Repeat(" ", 1<<20) + farAway,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir, 1, text)
			if _, err := lease.Acquire(dir, lease.Options{}); !errors.As(err, new(lease.ErrHeld)) {
				t.Errorf("while it is young: %v", err)
			}
			backdate(t, dir, 1)
			l, err := lease.Acquire(dir, lease.Options{})
			if err != nil {
				t.Fatalf("when it is old: %v", err)
			}
			if err := l.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAHolderWhoseFileSaysItIsOfTomorrowIsTakenOverByWhenItWasMade(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, 1, farAway)
	tomorrow := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "lease", "1.json"), tomorrow, tomorrow); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // times of files have steps of up to 10 ms
	l, err := lease.Acquire(dir, lease.Options{Timeout: 10 * time.Millisecond, Interval: -1})
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
}

func TestOtherThingsInTheFolderOfLeasesAreNone(t *testing.T) {
	dir := t.TempDir()
	first := acquire(t, dir, lease.Options{Interval: -1})
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"007.json", "-3.json", "+4.json", "9223372036854775807.json", "99999999999999999999.json", "5.json.bak", "notes.json", "6"} {
		if err := os.WriteFile(filepath.Join(dir, "lease", name), []byte(farAway), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	l := acquire(t, dir, lease.Options{})
	if _, err := os.Stat(filepath.Join(dir, "lease", "2.json")); err != nil {
		t.Error(err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	// A folder with a generation's name is a holder of whom nothing is known.
	if err := os.Mkdir(filepath.Join(dir, "lease", "3.json"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := lease.Acquire(dir, lease.Options{}); !errors.As(err, new(lease.ErrHeld)) {
		t.Errorf("a young folder: %v", err)
	}
	backdate(t, dir, 3)
	if err := acquire(t, dir, lease.Options{}).Release(); err != nil {
		t.Error(err)
	}
}

func TestTheMessageSaysWhoHoldsALeaseAndWhatFreesIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "0123456789abcdef")
	plant(t, dir, 1, `{"host":"far","pid":7,"machine":"elsewhere","acquired":"2026-02-03T04:05:06Z","heartbeat":"2026-02-03T04:05:06Z"}`)
	_, err := lease.Acquire(dir, lease.Options{})
	if err == nil {
		t.Fatal("it was taken over at once")
	}
	for _, want := range []string{"process 7 on far", "since 2026-02-03 04:05:06 UTC", "taken over after 2m0s", "`headroom unlock 01234567`"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message %q lacks %q", err, want)
		}
	}
}

func TestUnlockFreesALeaseOfWhomNothingIsKnown(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, 1, farAway)
	info, err := lease.Unlock(dir, lease.Options{})
	if err != nil || info.State != lease.Held || info.Host != "far" || info.PID != 7 {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := lease.Unlock(dir, lease.Options{}); err != nil || info.State != lease.Free {
		t.Errorf("again: %+v, %v", info, err)
	}
	l := acquire(t, dir, lease.Options{})
	defer l.Release()
	// Of a process that lives here it is known: it is left alone.
	if _, err := lease.Unlock(dir, lease.Options{}); !errors.As(err, new(lease.ErrHeld)) || !strings.Contains(err.Error(), fmt.Sprintf("kill %d", os.Getpid())) {
		t.Errorf("a living holder: %v", err)
	}
	if err := l.Beat(); err != nil {
		t.Errorf("the living holder: %v", err)
	}
}

func TestAHolderThatWasUnlockedLearnsIt(t *testing.T) {
	dir := t.TempDir()
	l := acquire(t, dir, lease.Options{Interval: -1})
	lease.PretendElsewhere(t, dir, 1)
	if _, err := lease.Unlock(dir, lease.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := l.Beat(); !errors.Is(err, lease.ErrLost) {
		t.Errorf("the holder's next heartbeat: %v", err)
	}
}

// Who has an old listing must not recreate a generation that gc has removed.
func TestAGenerationThatWasCollectedIsNotTakenAgain(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		if err := acquire(t, dir, lease.Options{Interval: -1}).Release(); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= 3; n++ {
		backdate(t, dir, n)
	}
	old, err := lease.SupersededFiles(dir, time.Now().Add(-time.Hour))
	if err != nil || len(old) != 2 {
		t.Fatalf("%v, %v", old, err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	acquire(t, dir, lease.Options{Interval: -1})
	if _, err := os.Stat(filepath.Join(dir, "lease", "4.json")); err != nil {
		t.Error(err)
	}
}

// In a process namespace that has no /proc of its own the ids there are another's.
func TestADeadHolderInAProcessNamespaceIsTakenOverThere(t *testing.T) {
	dir := t.TempDir()
	script := `(echo; sleep 60) | "$0" >"$HEADROOM_TEST_LEASE_FOLDER/first" & 
while ! grep -q won "$HEADROOM_TEST_LEASE_FOLDER/first" 2>/dev/null; do sleep .05; done
kill -9 $!; sleep .3
echo | "$0"`
	c := exec.Command("unshare", "-rpf", "bash", "-c", script, os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+dir)
	out, err := c.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "unshare") || errors.Is(err, exec.ErrNotFound) {
		t.Skipf("no process namespace can be made here: %v", err)
	}
	if err != nil || string(out) != "won\n" {
		t.Errorf("after the first was killed the second says %q (%v)", out, err)
	}
}
