// Package worker does one job in one process: it trains and evaluates a run, makes a
// backbone by its recipe, or evaluates a baseline. It reads the job from files of the
// workspace, writes events to the run's log, and sends progress to the parent.
package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"headroom/data/source"
	"headroom/metrics/event"
	"headroom/runner/lease"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// The kinds of jobs.
const (
	KindRun      = "run"      // train what is not trained, evaluate what is not evaluated
	KindPretrain = "pretrain" // make a backbone by its recipe
	KindBaseline = "baseline" // evaluate BM25 or an untrained backbone
	KindEvaluate = "evaluate" // KindRun of a run that is trained
)

// ErrInterrupted is returned when the context ended: the state is saved, and the next
// worker resumes from it.
var ErrInterrupted = errors.New("interrupted")

// Job is the job of a worker.
type Job struct {
	Workspace string
	Kind      string
	ID        string // of the run, the recipe or the baseline
	// Resolver finds data and models; its workspace and base are set here.
	Resolver *source.Resolver
	// Backend and Threads replace those of the job's configuration, unless they are "" and
	// 0.
	Backend string
	Threads int
	// Remat computes a recipe's layers again in the backward pass, as compute.remat a run's.
	Remat bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Lease has options for the lease of the job's folder: Sighting, Succession and Turn are
	// used.
	Lease lease.Options
}

// Run does the job and writes progress messages to out. A collapsed run is a
// result, not an error.
func Run(ctx context.Context, job Job, out io.Writer) error {
	w, err := workspace.Open(job.Workspace)
	if err != nil {
		return err
	}
	resolver := *job.Resolver
	resolver.Workspace = w.Root
	j := &worker{Job: job, workspace: w, resolver: &resolver, out: out, now: job.Now}
	if j.now == nil {
		j.now = time.Now
	}
	switch job.Kind {
	case KindRun, KindEvaluate:
		return j.run(ctx)
	case KindPretrain:
		return j.pretrain(ctx)
	case KindBaseline:
		return j.baseline(ctx)
	}
	return fmt.Errorf("start worker: kind %q is unknown: allowed are %s, %s, %s, %s", job.Kind, KindRun, KindEvaluate, KindPretrain, KindBaseline)
}

type worker struct {
	Job
	workspace workspace.Workspace
	resolver  *source.Resolver
	out       io.Writer
	now       func() time.Time
	shown     time.Time
	held      *lease.Lease    // of the job's folder
	told      map[string]bool // kinds of collapse that the parent knows
}

// backend returns the job's own backend, unless the command line gave another.
func (w *worker) backend(own string) string {
	return cmp.Or(w.Backend, own)
}

func (w *worker) threads(own int) int {
	if w.Threads > 0 {
		return w.Threads
	}
	return own
}

// hold takes the lease of a folder. The context it returns ends when the lease is lost. If
// another live process holds the lease, the error is lease.ErrHeld.
func (w *worker) hold(ctx context.Context, folder string) (*lease.Lease, context.Context, error) {
	l, err := lease.Acquire(folder, lease.Options{Sighting: w.Lease.Sighting, Succession: w.Lease.Succession, Turn: w.Lease.Turn})
	if err != nil {
		return nil, nil, err
	}
	w.held = l
	held, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-l.Lost():
			cancel(l.Err())
		case <-held.Done():
		}
	}()
	return l, held, nil
}

// checkLease returns an error if another process has taken over the lease. It is called before
// a write that counts: the next heartbeat would notice the loss only seconds later.
func (w *worker) checkLease() error {
	if w.held == nil {
		return nil
	}
	if err := w.held.Beat(); errors.Is(err, lease.ErrLost) {
		return err
	}
	return nil
}

// stopError returns why a held context ended: a lost lease, or an interruption.
func stopError(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, lease.ErrLost) {
		return cause
	}
	return ErrInterrupted
}

// progress sends the parent a message, at most a few times per second unless it must be
// sent.
func (w *worker) progress(m pool.Message, always bool) error {
	if now := w.now(); always || now.Sub(w.shown) > 200*time.Millisecond {
		w.shown = now
		m.Type = pool.TypeProgress
		return m.Write(w.out)
	}
	return nil
}

// tellCollapses sends the parent each collapse that has begun, once per kind and attempt.
func (w *worker) tellCollapses(episodes []event.Episode) error {
	for _, e := range episodes {
		if !isCollapse(e) || w.told[e.Verdict] {
			continue
		}
		if w.told == nil {
			w.told = map[string]bool{}
		}
		w.told[e.Verdict] = true
		if err := (pool.Message{Type: pool.TypeCollapse, Episode: &e}).Write(w.out); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) notice(log *event.Log, message string) {
	err := pool.Message{Type: pool.TypeNotice, Message: message}.Write(w.out)
	if log != nil {
		err = errors.Join(err, log.Append(event.Notice{Message: message}))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "headroom worker:", message)
	}
}

// openLog makes the log of the next attempt in a folder. Before, it repairs damaged logs of
// earlier attempts, and a notice says what is lost.
func (w *worker) openLog(folder string) (*event.Log, error) {
	lost, err := event.RepairAll(folder)
	if err != nil {
		return nil, err
	}
	log, err := event.Create(folder)
	for _, message := range lost {
		w.notice(nil, message)
	}
	return log, err
}

// rate measures steps per second over an attempt.
type rate struct {
	start time.Time
	first int
}

func (r rate) at(now time.Time, step int) float64 {
	if elapsed := now.Sub(r.start).Seconds(); elapsed > 0 {
		return float64(step-r.first) / elapsed
	}
	return 0
}

// weightsFolder returns the folder of a job's backbone. It finds a recipe's backbone by its
// id and a hub model by its commit, both from the inputs' digest, and any other by its
// reference. It reads the files and compares them with their recorded digests.
func (w *worker) weightsFolder(backbone string, in sweeps.Inputs) (string, error) {
	read := *w.resolver
	read.Verify = true
	if strings.HasPrefix(in.Weights, "recipe:") {
		return read.Model(in.Weights)
	}
	if pinned, hub := strings.CutPrefix(in.Weights, "hub:"); hub {
		return read.Model(pinned) // the commit that is in the id, wherever the branch is now
	}
	return read.Model(backbone)
}
