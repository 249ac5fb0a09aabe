package pool

import (
	"sync"
	"time"
)

// Estimate computes the share of the work that is done and the time until the end, from
// the jobs' weights and the steps that workers report. Renderers may call it on any
// goroutine.
type Estimate struct {
	mu      sync.Mutex
	start   time.Time
	total   float64
	weights map[string]float64
	shares  map[string]float64 // of each job, 0 … 1; never falls
}

// evaluationShare is the part of a job's weight that follows its last training
// step: evaluating and writing the export.
const evaluationShare = 0.15

// NewEstimate starts the clock.
func NewEstimate(jobs []Job, now time.Time) *Estimate {
	e := &Estimate{start: now, weights: map[string]float64{}, shares: map[string]float64{}}
	for _, job := range jobs {
		weight := job.Weight
		if !(weight > 0) {
			weight = 1
		}
		e.weights[job.ID] = weight
		e.total += weight
	}
	return e
}

// Started notes that a job runs.
func (e *Estimate) Started(id string) { e.advance(id, 0) }

// Progress notes a report of a worker.
func (e *Estimate) Progress(id string, m Message) {
	if m.Steps <= 0 || m.Phase == PhaseDev {
		return // an evaluation between two steps does not change the progress
	}
	within := min(1, float64(m.Step)/float64(m.Steps))
	if m.Phase == PhaseEvaluate {
		e.advance(id, 1-evaluationShare+evaluationShare*within)
	} else {
		e.advance(id, (1-evaluationShare)*within)
	}
}

// Finished counts the job as over, however it ended.
func (e *Estimate) Finished(id string) { e.advance(id, 1) }

func (e *Estimate) advance(id string, share float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if share > e.shares[id] {
		e.shares[id] = share
	}
}

// Share is the part of all work that is done, 0 … 1.
func (e *Estimate) Share() float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.total == 0 {
		return 1
	}
	done := 0.0
	for id, share := range e.shares {
		done += share * e.weights[id]
	}
	return min(1, done/e.total)
}

// Remaining extrapolates from the time used so far; ok is false while too little is
// done.
func (e *Estimate) Remaining(now time.Time) (left time.Duration, ok bool) {
	share := e.Share()
	if share < 0.01 {
		return 0, false
	}
	elapsed := now.Sub(e.start)
	return time.Duration(float64(elapsed) * (1 - share) / share), true
}

// Elapsed is the time since the start.
func (e *Estimate) Elapsed(now time.Time) time.Duration { return now.Sub(e.start) }
