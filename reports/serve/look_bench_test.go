package serve_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"headroom/metrics/event"
)

// BenchmarkLook measures one look at the files of 1,500 runs, four of which are still training: while nothing is new,
// with half a second between looks, and with five new steps of each of the four.
func BenchmarkLook(b *testing.B) {
	s := newSite(b)
	var open []*event.Log
	hourAgo := time.Now().Add(-time.Hour)
	for _, sweep := range []struct {
		name string
		runs int
	}{{"long", 500}, {"wide", 1000}} {
		var members []member
		for i := range sweep.runs {
			name := fmt.Sprintf("%x%04x", sweep.name[0], i)
			members = append(members, member{name, fmt.Sprintf("%s-%d", sweep.name, i), math.Exp2(float64(i / 5 % 6)), int64(i%5 + 1), .001 * float64(1+i/30)})
		}
		s.sweep(sweep.name, "How fast is the page?", members...)
		for _, m := range members {
			l := s.attempt(m.name, 0, 1<<20)
			s.steps(l, 0, 20)
			if len(open) < 4 {
				open = append(open, l)
				continue
			}
			s.Add(l, event.Judged{Verdict: "healthy", Chain: []string{}}, event.Ended{State: event.StateDone, Step: 20, Seconds: 10, Weights: "w"})
			s.evaluated(m.name, .5, 2)
			if err := errors.Join(l.Close(), os.Chtimes(l.Path(), hourAgo, hourAgo)); err != nil {
				b.Fatal(err)
			}
		}
	}
	s.open()
	b.Run("nothing new", func(b *testing.B) {
		used := usedTime(b)
		for b.Loop() {
			time.Sleep(500 * time.Millisecond)
			s.watcher.Look(context.Background())
		}
		b.ReportMetric(float64((usedTime(b)-used).Microseconds())/1e3/float64(b.N), "CPU-ms/op")
	})
	step := 20
	b.Run("four runs", func(b *testing.B) {
		var used time.Duration
		for b.Loop() {
			b.StopTimer()
			for _, l := range open {
				s.steps(l, step, step+5)
			}
			step += 5
			b.StartTimer()
			before, began := s.watcher.Snapshot().Version, usedTime(b)
			s.watcher.Look(context.Background())
			used += usedTime(b) - began
			if s.watcher.Snapshot().Version == before {
				b.Fatal("nothing was new")
			}
		}
		b.ReportMetric(float64(used.Microseconds())/1e3/float64(b.N), "CPU-ms/op")
	})
}

// usedTime is this process's processor time, user and system.
func usedTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
