package alert

import (
	"fmt"
	"sync"
	"time"

	"headroom/runner/pool"
	"headroom/sweeps"
)

// Watch is a pool's renderer that sends alerts about a sweep's jobs, and passes every call
// on to another renderer.
type Watch struct {
	next   pool.Renderer
	sender *Sender
	sweep  string
	host   string

	mu   sync.Mutex
	jobs map[string]*seen
	stop chan struct{}
}

// seen has the last messages of a running job.
type seen struct {
	job     pool.Job
	last    pool.Message
	at      time.Time // when the last message came
	step    int       // the last training step that was reported; -1 before the first
	stalled bool      // the alert was sent
}

// jobRun is the kind of job that trains.
const jobRun = "run"

// silenceCheck is the time between two checks for silent runs.
const silenceCheck = time.Second

// NewWatch begins to watch, until the pool's End; next may be nil.
func NewWatch(s *Sender, sweep, host string, next pool.Renderer) *Watch {
	if next == nil {
		next = pool.Silent{}
	}
	w := &Watch{next: next, sender: s, sweep: sweep, host: host, jobs: map[string]*seen{}, stop: make(chan struct{})}
	go w.reportSilence()
	return w
}

// Begin passes the call on.
func (w *Watch) Begin(jobs []pool.Job, estimate *pool.Estimate) { w.next.Begin(jobs, estimate) }

// Started notes the job.
func (w *Watch) Started(job pool.Job) {
	w.mu.Lock()
	w.jobs[job.ID] = &seen{job: job, at: w.sender.o.Now(), step: -1}
	w.mu.Unlock()
	w.next.Started(job)
}

// Message tells of a collapse.
func (w *Watch) Message(job pool.Job, m pool.Message) {
	now := w.sender.o.Now()
	w.mu.Lock()
	if j := w.jobs[job.ID]; j != nil {
		j.at = now
		if m.Type == pool.TypeProgress || m.Type == pool.TypeWaiting {
			j.last = m
			if m.Phase == pool.PhaseTrain {
				j.step = m.Step
			}
		}
	}
	w.mu.Unlock()
	if e := m.Episode; m.Type == pool.TypeCollapse && e != nil {
		a := w.messageAbout(sweeps.AlertCollapse, job, now)
		// One alert per run and kind of collapse, also if another process resumes the run.
		a.ID = fmt.Sprintf("%s-%s-%s", a.Kind, job.ID, e.Verdict)
		a.Title, a.Text, a.Verdict, a.Step = fmt.Sprintf("%s: %s collapsed (%s)", w.sweep, job.Label, e.Verdict), pool.DescribeCollapse(*e), e.Verdict, e.FirstStep
		w.sender.Send(a)
	}
	w.next.Message(job, m)
}

// Finished tells of a failure, and of a run that is done.
func (w *Watch) Finished(o pool.Outcome) {
	now := w.sender.o.Now()
	w.mu.Lock()
	step := -1
	if j := w.jobs[o.Job.ID]; j != nil {
		step = j.step
	}
	delete(w.jobs, o.Job.ID)
	w.mu.Unlock()
	switch {
	case o.State == pool.Failed:
		a := w.messageAbout(sweeps.AlertFailure, o.Job, now)
		a.Title, a.Text, a.Step = fmt.Sprintf("%s: %s failed", w.sweep, o.Job.Label), o.Cause(), step
		w.sender.Send(a)
	case o.State == pool.Done && o.Job.Kind == jobRun:
		a := w.messageAbout(sweeps.AlertDone, o.Job, now)
		a.Title, a.Text, a.Step = fmt.Sprintf("%s: %s is done", w.sweep, o.Job.Label), "done", step
		if o.Answer != nil {
			a.Text, a.Verdict = o.Answer.String(), o.Answer.Verdict
		}
		w.sender.Send(a)
	}
	w.next.Finished(o)
}

// Interrupted passes the call on.
func (w *Watch) Interrupted(running int) { w.next.Interrupted(running) }

// End ends the watch.
func (w *Watch) End(r pool.Result) {
	close(w.stop)
	w.next.End(r)
}

func (w *Watch) messageAbout(kind string, job pool.Job, now time.Time) Message {
	return Message{ID: uniqueID(kind, job.ID, now), Kind: kind, Sweep: w.sweep, Run: job.ID, Label: job.Label, Step: -1, Host: w.host, Time: now.UTC()}
}

// reportSilence sends one alert for each run that has stopped reporting steps.
func (w *Watch) reportSilence() {
	ticker := time.NewTicker(silenceCheck)
	defer ticker.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-ticker.C:
			for _, m := range w.silent(w.sender.o.Now()) {
				w.sender.Send(m)
			}
		}
	}
}

func (w *Watch) silent(now time.Time) (found []Message) {
	least := time.Duration(w.sender.o.Alerts.Stall) * time.Second
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.jobs {
		// Only training steps have an expected time. Work before the first, between two and
		// after the last may take any time.
		if j.job.Kind != jobRun || j.stalled || j.last.Phase != pool.PhaseTrain || j.last.Step >= j.last.Steps {
			continue
		}
		perStep := time.Duration(0)
		if j.last.Rate > 0 {
			perStep = time.Duration(float64(time.Second) / j.last.Rate)
		}
		silence := now.Sub(j.at)
		if silence <= pool.StallAfter(perStep, least) {
			continue
		}
		j.stalled = true
		m := w.messageAbout(sweeps.AlertStall, j.job, now)
		m.Title, m.Step = fmt.Sprintf("%s: %s is silent", w.sweep, j.job.Label), j.last.Step
		m.Text = fmt.Sprintf("no step for %s at step %d of %d", silence.Round(time.Second), j.last.Step, j.last.Steps)
		found = append(found, m)
	}
	return found
}
