package event_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/metrics/event"
)

// clock is a time that changes only when a test sets it.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

// everyKind is one event of each type with every field filled.
func everyKind() []event.Event {
	return []event.Event{
		event.Started{Run: strings.Repeat("ab", 32), Attempt: 2, Host: "node-1", PID: 77, FromStep: 10, Steps: 150,
			Facts: event.Facts{Batch: 32, Candidates: 32, Vocab: 1275, RampEnd: 50, Loss: "infonce", Parameters: 1 << 40}},
		event.Step{Step: 10, Values: map[string]event.Value{
			"loss": 0.1, "lr": 1e-300, "grad_norm": event.Value(math.Inf(1)), "low": event.Value(math.Inf(-1)),
			"flops/query": 123456789, "active/query": -0.5, `odd "name" é`: 3}},
		event.HeadNorms{Step: 10, Mean: 1, P05: .5, P50: 1, P95: 2, Max: event.Value(math.Inf(1))},
		event.Episode{Detector: "cosine", Version: 1, Verdict: "identical", Severity: event.SeverityCollapse,
			FirstStep: 13, LastStep: 20, Stands: true, Evidence: event.Evidence{Series: "cosine/query", Rule: "> 0.95 for 5 steps",
				Threshold: .95, Window: 5, Observed: []event.Point{{Step: 13, Value: .96}, {Step: 14, Value: event.Value(math.Inf(1))}}}},
		event.Judged{Verdict: "identical", Chain: []string{"identical"}},
		event.Checkpoint{Step: 20, Digest: "sha256:00"},
		event.Measured{Step: 200, Measure: "nDCG@10", Value: event.Value(math.Inf(1)), Seconds: 1.5, Tested: 3, Collections: []event.DevScore{
			{Dataset: "builtin:demo", Split: "dev", QrelsDigest: "sha256:1", Queries: 20, Documents: 2400,
				Measures: map[string]event.Value{"nDCG@10": .25, "RR@10": .5}, ActiveQuery: 3, ActiveDocument: 40.5, Flops: 1.25, Seconds: event.Seconds{Encode: 1}},
			{Dataset: "/a/b", Split: "dev", Measures: map[string]event.Value{}, Refused: "too dense"}}},
		event.Selected{Step: 200, Measure: "nDCG@10", Value: .25, Weights: "sha256:abc"},
		event.Evaluated{ID: "e1", Dataset: "builtin:demo", Split: "test", Queries: 300, Documents: 2400,
			Measures: map[string]event.Value{"nDCG@10": .5}, ActiveQuery: 77, ActiveDocument: 108, Flops: 3.5,
			Seconds: event.Seconds{Encode: 1, Index: 2, Search: 3}, Folder: "evaluations/e1"},
		event.Notice{Message: "checkpoint step-10 is damaged\nand skipped"},
		event.Ended{State: event.StateDone, Step: 150, Seconds: 14.4, Weights: "sha256:11"},
	}
}

func create(t *testing.T, dir string, options ...event.Option) *event.Log {
	t.Helper()
	l, err := event.Create(dir, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func appendAll(t *testing.T, l *event.Log, events ...event.Event) {
	t.Helper()
	for _, e := range events {
		if err := l.Append(e); err != nil {
			t.Fatalf("append %s: %v", e.Kind(), err)
		}
	}
}

func read(t *testing.T, path string) []event.Record {
	t.Helper()
	records, err := event.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestEveryEventReadsBackAsWritten(t *testing.T) {
	c := newClock()
	l := create(t, t.TempDir(), event.WithClock(c.Now))
	want := everyKind()
	for _, e := range want {
		appendAll(t, l, e)
		c.now = c.now.Add(1500 * time.Microsecond)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	got := read(t, l.Path())
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	kinds := map[string]bool{}
	for i, r := range got {
		if r.Seq != int64(i+1) {
			t.Errorf("record %d has seq %d", i, r.Seq)
		}
		if at := newClock().now.Add(time.Duration(i) * 1500 * time.Microsecond); !r.Time.Equal(at) {
			t.Errorf("record %d is of %s, want %s", i, r.Time, at)
		}
		if !reflect.DeepEqual(r.Event, want[i]) {
			t.Errorf("record %d\n got %#v\nwant %#v", i, r.Event, want[i])
		}
		kinds[r.Event.Kind()] = true
	}
	if len(kinds) != 11 {
		t.Errorf("%d kinds read, want all 11", len(kinds))
	}
}

func TestNaNIsKept(t *testing.T) {
	l := create(t, t.TempDir())
	nan := event.Value(math.NaN())
	appendAll(t, l, event.Step{Values: map[string]event.Value{"loss": nan}}, event.HeadNorms{Mean: nan})
	l.Close()
	got := read(t, l.Path())
	for _, v := range []event.Value{got[0].Event.(event.Step).Values["loss"], got[1].Event.(event.HeadNorms).Mean} {
		if v.NonFinite() != "nan" {
			t.Errorf("got %v, want nan", v)
		}
	}
}

// The line's form is a contract, so the sum is worked out here from its words.
func TestALineHasTheContractsForm(t *testing.T) {
	l := create(t, t.TempDir(), event.WithClock(newClock().Now))
	appendAll(t, l, event.Step{Step: 3, Values: map[string]event.Value{"b": event.Value(math.NaN()), "a": 1.5}})
	l.Close()
	text, err := os.ReadFile(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	body := `{"seq":1,"t":"2026-03-04T05:06:07.008Z","type":"step","step":3,"values":{"a":1.5,"b":"nan"}`
	sum := crc32.Checksum([]byte(body), crc32.MakeTable(crc32.Castagnoli))
	if want := fmt.Sprintf("%s,\"crc\":\"%08x\"}\n", body, sum); string(text) != want {
		t.Errorf("got  %swant %s", text, want)
	}
}

func TestAttemptsAreTheFence(t *testing.T) {
	dir := t.TempDir()
	if list, err := event.Attempts(dir); err != nil || len(list) != 0 {
		t.Fatalf("attempts of nothing: %v, %v", list, err)
	}
	if l := create(t, dir); l.Attempt() != 1 || l.Path() != event.Path(dir, 1) {
		t.Fatalf("first attempt is %d at %s", l.Attempt(), l.Path())
	}
	for _, name := range []string{"9", "07", "x", "-3"} {
		if err := os.Mkdir(filepath.Join(dir, "attempts", name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if l := create(t, dir); l.Attempt() != 10 {
		t.Errorf("attempt after an empty 9 is %d, want 10", l.Attempt())
	}
	list, err := event.Attempts(dir)
	if err != nil || !slices.Equal(list, []int{1, 9, 10}) {
		t.Errorf("attempts %v, %v", list, err)
	}
}

func TestCreatorsAtOnceGetDifferentAttempts(t *testing.T) {
	dir := t.TempDir()
	const n = 20
	numbers := make([]int, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			l, err := event.Create(dir)
			if err != nil {
				t.Error(err)
				return
			}
			numbers[i] = l.Attempt()
			l.Close()
		})
	}
	group.Wait()
	slices.Sort(numbers)
	for i, number := range numbers {
		if number != i+1 {
			t.Fatalf("attempts %v, want 1…%d", numbers, n)
		}
	}
}

func TestStepsAreBufferedAndTheRestIsNot(t *testing.T) {
	c := newClock()
	syncs := 0
	l := create(t, t.TempDir(), event.WithClock(c.Now), event.WithFile(func(f event.File) event.File {
		return &faulty{File: f, onSync: func() error { syncs++; return nil }}
	}))
	lines := func() int { return len(read(t, l.Path())) }
	step := func(n int) event.Step { return event.Step{Step: n} }

	appendAll(t, l, step(0), step(1))
	if lines() != 0 {
		t.Errorf("two quick steps are already written")
	}
	c.now = c.now.Add(time.Second)
	appendAll(t, l, step(2))
	if lines() != 3 {
		t.Errorf("after a second %d lines are written, want 3", lines())
	}
	for n := range 32 {
		appendAll(t, l, step(3+n))
	}
	if lines() != 35 {
		t.Errorf("after 32 steps %d lines are written, want 35", lines())
	}
	appendAll(t, l, step(35), event.Notice{Message: "x"})
	if lines() != 37 || syncs != 0 {
		t.Errorf("after a notice %d lines and %d syncs, want 37 and none", lines(), syncs)
	}
	for i, e := range []event.Event{event.Episode{Severity: event.SeverityWarning}, event.Checkpoint{}, event.Judged{}, event.Measured{}, event.Selected{},
		event.Evaluated{}, event.Ended{State: event.StateDone}} {
		appendAll(t, l, e)
		if syncs != i+1 || lines() != 38+i {
			t.Errorf("after %s: %d syncs, %d lines", e.Kind(), syncs, lines())
		}
	}
	appendAll(t, l, step(36))
	if err := l.Flush(); err != nil || lines() != 45 {
		t.Errorf("flush: %v, %d lines", err, lines())
	}
}

func TestAnEventThatCannotBeWrittenLeavesTheLogSound(t *testing.T) {
	l := create(t, t.TempDir())
	for _, e := range []event.Event{event.Ended{State: "finished"}, event.Episode{Severity: "bad"}, event.Ended{State: event.StateDone, Seconds: math.NaN()}} {
		if err := l.Append(e); err == nil {
			t.Errorf("%#v was taken", e)
		}
	}
	appendAll(t, l, event.Notice{Message: "after"})
	l.Close()
	if got := read(t, l.Path()); len(got) != 1 || got[0].Seq != 1 {
		t.Errorf("got %v", got)
	}
}

func TestAClosedLogTakesNothing(t *testing.T) {
	l := create(t, t.TempDir())
	l.Close()
	if err := l.Append(event.Notice{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// faulty fails its nth write after passing on half of it, as a full disk does.
type faulty struct {
	event.File
	failAt int
	writes int
	onSync func() error
}

var errFull = errors.New("no space left")

func (f *faulty) Write(b []byte) (int, error) {
	f.writes++
	if f.writes == f.failAt {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, errFull
	}
	return f.File.Write(b)
}

func (f *faulty) Sync() error {
	if f.onSync != nil {
		return f.onSync()
	}
	return f.File.Sync()
}

func TestAFailedWriteIsFinalAndLeavesAReadableLog(t *testing.T) {
	for failAt := 1; failAt <= 9; failAt++ {
		t.Run(fmt.Sprint("write ", failAt), func(t *testing.T) {
			c := newClock()
			l := create(t, t.TempDir(), event.WithClock(func() time.Time { c.now = c.now.Add(2 * time.Second); return c.now }),
				event.WithFile(func(f event.File) event.File { return &faulty{File: f, failAt: failAt} }))
			var failed error
			sound := 0
			for _, e := range everyKind() {
				err := l.Append(e)
				switch {
				case failed != nil && !errors.Is(err, errFull):
					t.Fatalf("after the failure append gives %v", err)
				case err != nil:
					failed = err
				default:
					sound++
				}
			}
			if !errors.Is(failed, errFull) || sound != failAt-1 {
				t.Fatalf("failed with %v after %d lines, want %d", failed, sound, failAt-1)
			}
			if err := l.Close(); !errors.Is(err, errFull) {
				t.Errorf("close gives %v: a caller could take the log for whole", err)
			}
			if got := read(t, l.Path()); len(got) != sound {
				t.Errorf("%d records, want %d", len(got), sound)
			}
		})
	}
}

func TestAFailedSyncIsFinal(t *testing.T) {
	l := create(t, t.TempDir(), event.WithFile(func(f event.File) event.File {
		return &faulty{File: f, onSync: func() error { return errFull }}
	}))
	for range 2 {
		if err := l.Append(event.Checkpoint{}); !errors.Is(err, errFull) {
			t.Errorf("append gives %v", err)
		}
	}
}
