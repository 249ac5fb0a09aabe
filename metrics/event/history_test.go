package event_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headroom/metrics/event"
)

func TestTheLaterAttemptOwnsItsSteps(t *testing.T) {
	dir := t.TempDir()
	if got, err := event.History(dir, 100); err != nil || got != nil {
		t.Fatalf("history of nothing: %v, %v", got, err)
	}
	attempt := func(from, to int) {
		l := create(t, dir)
		appendAll(t, l, event.Started{Attempt: l.Attempt(), FromStep: from})
		for s := from; s < to; s++ {
			appendAll(t, l, event.Step{Step: s, Values: map[string]event.Value{"attempt": event.Value(l.Attempt())}})
		}
		l.Close()
	}
	attempt(0, 8)
	if err := os.Mkdir(filepath.Join(dir, "attempts", "2"), 0o777); err != nil { // died before its log
		t.Fatal(err)
	}
	attempt(5, 7)
	attempt(6, 6) // resumed, and died before its first step
	got, err := event.History(dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	var owners []string
	for _, s := range got {
		owners = append(owners, fmt.Sprintf("%d:%v", s.Step, s.Values["attempt"]))
	}
	if want := "[0:1 1:1 2:1 3:1 4:1 5:3]"; fmt.Sprint(owners) != want {
		t.Errorf("got %v, want %s", owners, want)
	}
	if got, _ := event.History(dir, 3); len(got) != 3 {
		t.Errorf("%d steps before 3", len(got))
	}
}
