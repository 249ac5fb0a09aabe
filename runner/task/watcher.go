package task

import (
	"sync"
	"time"

	"headroom/runner/pool"
)

// watcher shows a job's messages in the task's log, and remembers the facts that the task needs.
type watcher struct {
	pool.Lines

	mu      sync.Mutex
	steps   bool      // it has reported progress
	waiting time.Time // since when it waits for another process; zero if it does not
	who     string
}

// Message is called by the pool.
func (w *watcher) Message(job pool.Job, m pool.Message) {
	w.mu.Lock()
	switch m.Type {
	case pool.TypeWaiting:
		if w.who = m.Message; w.waiting.IsZero() {
			w.waiting = time.Now()
		}
	case pool.TypeProgress:
		w.steps = w.steps || m.Step > 0
		w.waiting = time.Time{}
	}
	w.mu.Unlock()
	w.Lines.Message(job, m)
}

// waited is the time for which the job has been waiting for another process.
func (w *watcher) waited() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting.IsZero() {
		return 0
	}
	return time.Since(w.waiting)
}

func (w *watcher) holder() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.who
}

func (w *watcher) advanced() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.steps
}
