package pool_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"headroom/metrics/event"
	"headroom/runner/pool"
)

func itoa(n int) string { return strconv.Itoa(n) }

// fakeClock is moved by the test and read by the goroutine that draws bars.
type fakeClock struct{ passed atomic.Int64 }

func newClock() *fakeClock                   { return &fakeClock{} }
func (c *fakeClock) Now() time.Time          { return time.Unix(1000, c.passed.Load()) }
func (c *fakeClock) advance(d time.Duration) { c.passed.Add(int64(d)) }

// play shows the same small story to any renderer: a trains and is done, b
// waits, notes, and fails.
func play(r pool.Renderer, clock *fakeClock) {
	a := pool.Job{ID: "aa", Kind: "run", Label: "bert-k1"}
	b := pool.Job{ID: "bb", Kind: "run", Label: "bert-k4", Log: "runs/bb/worker.log"}
	estimate := pool.NewEstimate([]pool.Job{a, b}, clock.Now())
	r.Begin([]pool.Job{a, b}, estimate)
	r.Started(a)
	r.Started(b)
	message := func(job pool.Job, m pool.Message) {
		if m.Type == pool.TypeProgress {
			estimate.Progress(job.ID, m)
		}
		r.Message(job, m)
	}
	clock.advance(30 * time.Second)
	message(b, pool.Message{Type: pool.TypeWaiting, Message: "held by node7, pid 12"})
	message(b, pool.Message{Type: pool.TypeWaiting, Message: "held by node7, pid 12"})
	message(a, pool.Message{Type: pool.TypeProgress, Phase: "train", Step: 75, Steps: 150, Rate: 5, Loss: 0.5})
	clock.advance(time.Second)
	message(b, pool.Message{Type: pool.TypeNotice, Message: "checkpoint step-40 is damaged: skipped"})
	message(b, pool.Message{Type: pool.TypeProgress, Phase: "train", Step: 1, Steps: 150, Loss: event.Value(math.NaN())})
	clock.advance(59 * time.Second)
	estimate.Finished(a.ID)
	r.Finished(pool.Outcome{Job: a, State: pool.Done, Took: 90 * time.Second})
	r.Interrupted(1)
	estimate.Finished(b.ID)
	failed := pool.Outcome{Job: b, State: pool.Failed, Reason: "exit code 1", Tail: "no space\nleft", Took: 91 * time.Second}
	r.Finished(failed)
	r.End(pool.Result{Outcomes: []pool.Outcome{{Job: a, State: pool.Done}, failed}})
}

func TestLinesAreTheseOnes(t *testing.T) {
	var out bytes.Buffer
	clock := newClock()
	play(&pool.Lines{Out: &out, Every: 30 * time.Second, Now: clock.Now}, clock)
	want := `start   bert-k1
start   bert-k4
wait    bert-k4: held by node7, pid 12
0/2 jobs, 0 %, 30s | bert-k4 waiting: held by node7, pid 12
note    bert-k4: checkpoint step-40 is damaged: skipped
done    bert-k1 in 1m30s
interrupted: 1 running jobs finish their step and write a checkpoint; a second Ctrl-C ends them at once
FAILED  bert-k4 after 1m31s: exit code 1
        no space
        left
        all of it: runs/bb/worker.log
`
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJSONLinesCarryNonFiniteLossesAndDoNotFlood(t *testing.T) {
	var out bytes.Buffer
	clock := newClock()
	play(&pool.JSONLines{Out: &out, Every: 10 * time.Second, Now: clock.Now}, clock)
	var types []string
	for line := range strings.Lines(out.String()) {
		var o struct {
			Type, ID, State string
			Step            *int
			Loss            event.Value
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		types = append(types, o.Type)
		if o.ID == "bb" && o.Type == "progress" && !math.IsNaN(float64(o.Loss)) {
			t.Errorf("the loss is not NaN in %s", line)
		}
	}
	if got, want := strings.Join(types, " "), "begin started started waiting waiting progress notice progress finished interrupted finished"; got != want {
		t.Errorf("types %s, want %s", got, want)
	}

	out.Reset()
	r := &pool.JSONLines{Out: &out, Every: 10 * time.Second, Now: clock.Now}
	r.Begin(nil, nil)
	for range 25 {
		r.Message(pool.Job{ID: "a"}, pool.Message{Type: pool.TypeProgress, Step: 1, Steps: 2})
		clock.advance(time.Second)
	}
	if n := strings.Count(out.String(), "progress"); n != 3 {
		t.Errorf("%d progress lines in 25 s, want 3", n)
	}
}

func TestBarsNameWhatRunsAndWhatEnded(t *testing.T) {
	var out screen
	clock := newClock()
	bars := &pool.Bars{Out: &out, Now: clock.Now, Options: []mpb.ContainerOption{mpb.WithAutoRefresh(), mpb.WithRefreshRate(time.Millisecond)}}
	play(slow{bars, &out}, clock)
	for _, want := range []string{"bert-k1 train 75/150 5.0/s loss 0.5", "waiting: held by node7", "0/2 jobs, 21 %, 30s, ETA 1m", "done    bert-k1 in 1m30s\n", "note    bert-k4: checkpoint", "FAILED  bert-k4", "        left"} {
		if text, _ := out.shown(); !strings.Contains(text, want) {
			t.Errorf("the screen never showed %q:\n%q", want, text)
		}
	}
}

// screen keeps what is drawn, and counts how often.
type screen struct {
	mu    sync.Mutex
	text  bytes.Buffer
	drawn int
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn++
	return s.text.Write(p)
}

func (s *screen) shown() (text string, drawn int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.drawn
}

// slow waits until the bars have drawn each state. The drawing that goes on when a message comes
// may be of the state before, so a few more are waited for.
type slow struct {
	pool.Renderer
	screen *screen
}

func (s slow) Message(job pool.Job, m pool.Message) {
	s.Renderer.Message(job, m)
	_, before := s.screen.shown()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, now := s.screen.shown(); now > before+3 {
			return
		}
	}
}

func TestEstimateWeighsJobsAndExtrapolates(t *testing.T) {
	start := time.Unix(0, 0)
	e := pool.NewEstimate([]pool.Job{{ID: "recipe", Weight: 30}, {ID: "run", Weight: 10}}, start)
	if _, ok := e.Remaining(start.Add(time.Minute)); ok {
		t.Error("an ETA before anything is done")
	}
	e.Finished("recipe")
	if got := e.Share(); math.Abs(got-0.75) > 1e-12 {
		t.Errorf("share %v after 30 of 40 s of work", got)
	}
	if left, ok := e.Remaining(start.Add(30 * time.Second)); !ok || left != 10*time.Second {
		t.Errorf("%v left", left)
	}
	e.Progress("run", pool.Message{Phase: "train", Step: 150, Steps: 150})
	trained := e.Share()
	if trained >= 1 || trained < 0.95 {
		t.Errorf("share %v with the evaluation still to come", trained)
	}
	e.Progress("run", pool.Message{Phase: "evaluate", Step: 1, Steps: 300})
	if e.Share() < trained {
		t.Error("the share fell when the evaluation began")
	}
	e.Progress("run", pool.Message{Phase: "train", Step: 900, Steps: 150})
	e.Finished("run")
	if e.Share() != 1 {
		t.Errorf("share %v at the end", e.Share())
	}
}
