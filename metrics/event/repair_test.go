package event_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"headroom/metrics/event"
)

// logged is a run's folder with one attempt of n steps, begun and ended.
func logged(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	log, err := event.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	events := []event.Event{event.Started{Run: "r", Attempt: 1, Steps: n}}
	for s := range n {
		events = append(events, event.Step{Step: s, Values: map[string]event.Value{"loss": event.Value(s) + 0.25, "lr": 1e-5}})
	}
	events = append(events, event.Judged{Verdict: "healthy"}, event.Ended{State: event.StateDone, Step: n})
	for _, e := range events {
		if err := log.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRepairLosesOnlyTheDamagedLine: of a log with one flipped byte everything but that
// line is still read, and what is lost is said in its place.
func TestRepairLosesOnlyTheDamagedLine(t *testing.T) {
	dir := logged(t, 20)
	path := event.Path(dir, 1)
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, err := event.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(sound, []byte("\n"))
	r := rand.New(rand.NewPCG(7, 7))
	at := 0
	for i, line := range lines[:len(lines)-2] { // the last line is a torn tail if it is damaged
		damaged := bytes.Clone(sound)
		damaged[at+r.IntN(len(line)-1)] ^= 0x40 // makes no newline of any byte of these lines
		at += len(line)
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := event.CheckAll(dir); err == nil || !strings.Contains(err.Error(), "damaged line") {
			t.Fatalf("line %d: %v", i+1, err)
		}
		lost, err := event.RepairAll(dir)
		if err != nil || len(lost) != 1 {
			t.Fatalf("line %d: %q, %v", i+1, lost, err)
		}
		after, err := event.Read(path)
		if err != nil || len(after) != len(before) {
			t.Fatalf("line %d: %d records, %v", i+1, len(after), err)
		}
		for n, record := range after {
			if n == i {
				if notice, ok := record.Event.(event.Notice); !ok || notice.Message != lost[0] {
					t.Errorf("line %d is now %+v", n+1, record)
				}
				continue
			}
			if record.Seq != before[n].Seq || !record.Time.Equal(before[n].Time) || record.Event.Kind() != before[n].Event.Kind() {
				t.Errorf("line %d: record %d is %+v, was %+v", i+1, n+1, record, before[n])
			}
		}
		if lost, err := event.RepairAll(dir); err != nil || len(lost) > 0 {
			t.Fatalf("repaired twice: %q, %v", lost, err)
		}
	}
	kept, err := os.ReadFile(path + event.DamagedSuffix)
	if err != nil || len(kept) != len(sound) {
		t.Errorf("the damaged log is kept with %d bytes: %v", len(kept), err)
	}
}

func TestRepairOfJoinedMissingAndDoubledLines(t *testing.T) {
	for name, change := range map[string]func([][]byte) [][]byte{
		"a newline flipped": func(l [][]byte) [][]byte {
			l[4] = append(bytes.TrimSuffix(l[4], []byte("\n")), 'J')
			return l
		},
		"a line gone":   func(l [][]byte) [][]byte { return append(l[:4:4], l[5:]...) },
		"a line twice":  func(l [][]byte) [][]byte { return append(append(l[:5:5], l[4]), l[5:]...) },
		"a torn tail":   func(l [][]byte) [][]byte { return append(l[:len(l)-1:len(l)-1], []byte(`{"seq":`)) },
		"an empty file": func([][]byte) [][]byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := logged(t, 8)
			path := event.Path(dir, 1)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := change(bytes.SplitAfter(text, []byte("\n")))
			if err := os.WriteFile(path, bytes.Join(lines, nil), 0o644); err != nil {
				t.Fatal(err)
			}
			damaged := strings.HasPrefix(name, "a newline") || strings.HasPrefix(name, "a line")
			if err := event.CheckAll(dir); (err != nil) != damaged {
				t.Fatal(err)
			}
			lost, err := event.RepairAll(dir)
			if err != nil || (len(lost) > 0) != damaged {
				t.Fatalf("%q, %v", lost, err)
			}
			records, err := event.Read(path)
			if err != nil || name != "an empty file" && len(records) < 9 {
				t.Errorf("%d records, %v", len(records), err)
			}
		})
	}
}

func FuzzRepair(f *testing.F) {
	f.Add([]byte("{\"seq\":1,\"t\":\"2026-01-01T00:00:00Z\",\"type\":\"notice\",\"message\":\"m\",\"crc\":\"00000000\"}\n\n"))
	f.Add([]byte("x\ny\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		log, err := event.Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Append(event.Notice{Message: "first"}); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		path := event.Path(dir, 1)
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(sound, text...), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := event.RepairAll(dir); err != nil {
			return // a newer program's log
		}
		records, err := event.Read(path)
		if err != nil || len(records) == 0 {
			t.Fatalf("%d records, %v", len(records), err)
		}
	})
}
