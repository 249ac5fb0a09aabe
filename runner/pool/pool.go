package pool

import (
	"context"
	"os"
	"slices"
	"time"
)

// Options say where and how workers run.
type Options struct {
	Executable string   // the worker program; required
	Env        []string // the environment that workers start from
	Slots      int      // processes at a time; below 1 means 1
	GPUs       []string // CUDA_VISIBLE_DEVICES of slot i is GPUs[i mod n]; none leaves it alone
	Threads    int      // GOMAXPROCS of a worker; 0 leaves it alone
	Render     Renderer // nil shows nothing
	Now        func() time.Time
}

// Run runs the jobs and returns their outcomes, in their order. The error is
// ErrInterrupted, a *FailedError, or an error that kept all jobs from starting.
func Run(ctx context.Context, jobs []Job, opt Options) (Result, error) {
	if err := check(jobs); err != nil {
		return Result{}, err
	}
	if opt.Slots < 1 {
		opt.Slots = 1
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Env == nil {
		opt.Env = os.Environ()
	}
	s := newScheduler(jobs, opt)
	s.loop(ctx)
	return s.result(ctx)
}

// news is a message from a worker's goroutine to the scheduler.
type news struct {
	process *process
	message Message
	outcome *Outcome // set in a process's last news
}

// scheduler owns all state; the goroutines of the workers only send news.
type scheduler struct {
	jobs     []Job
	opt      Options
	outcomes map[string]Outcome
	running  []*process
	started  map[string]bool
	slots    []bool // taken
	news     chan news
	render   Renderer
	estimate *Estimate
}

func newScheduler(jobs []Job, opt Options) *scheduler {
	s := &scheduler{
		jobs: jobs, opt: opt,
		outcomes: map[string]Outcome{},
		started:  map[string]bool{},
		slots:    make([]bool, opt.Slots),
		news:     make(chan news, 64),
		render:   opt.Render,
		estimate: NewEstimate(jobs, opt.Now()),
	}
	if s.render == nil {
		s.render = Silent{}
	}
	return s
}

func (s *scheduler) loop(ctx context.Context) {
	s.render.Begin(s.jobs, s.estimate)
	stop := ctx.Done()
	for {
		if ctx.Err() == nil {
			s.startReady()
		}
		if len(s.running) == 0 {
			return
		}
		select {
		case <-stop:
			stop = nil
			s.render.Interrupted(len(s.running))
			for _, p := range s.running {
				p.interrupt()
			}
		case n := <-s.news:
			s.take(n)
		}
	}
}

// startReady starts jobs while slots are free, in their order. It marks jobs as
// blocked that wait for a job which was not done.
func (s *scheduler) startReady() {
	for changed := true; changed; {
		changed = false
		for _, job := range s.jobs {
			if _, over := s.outcomes[job.ID]; over || s.started[job.ID] {
				continue
			}
			ready := true
			for _, id := range job.After {
				before, over := s.outcomes[id]
				if over && before.State != Done {
					s.finish(Outcome{Job: job, State: Blocked, Code: -1, Reason: "needs " + before.Job.Label + ", which is not done"})
					changed, ready = true, false
					break
				}
				ready = ready && over
			}
			if slot := slices.Index(s.slots, false); ready && slot >= 0 {
				s.start(job, slot)
			}
		}
	}
}

func (s *scheduler) start(job Job, slot int) {
	p := &process{job: job, slot: slot}
	s.started[job.ID] = true
	s.slots[slot] = true
	s.running = append(s.running, p)
	s.estimate.Started(job.ID)
	s.render.Started(job)
	go func() {
		outcome := p.run(s.opt, func(m Message) { s.news <- news{process: p, message: m} })
		s.news <- news{process: p, outcome: &outcome}
	}()
}

func (s *scheduler) take(n news) {
	job := n.process.job
	if n.outcome == nil {
		switch n.message.Type {
		case TypeProgress:
			s.estimate.Progress(job.ID, n.message)
		case TypeResult:
			n.process.answer = n.message.Result
			return // the result is shown when the job ends
		}
		s.render.Message(job, n.message)
		return
	}
	s.running = slices.DeleteFunc(s.running, func(p *process) bool { return p == n.process })
	s.slots[n.process.slot] = false
	n.outcome.Answer = n.process.answer
	s.finish(*n.outcome)
}

func (s *scheduler) finish(outcome Outcome) {
	s.outcomes[outcome.Job.ID] = outcome
	s.estimate.Finished(outcome.Job.ID)
	s.render.Finished(outcome)
}

// result collects the outcomes. Jobs that were never started count as interrupted.
func (s *scheduler) result(ctx context.Context) (Result, error) {
	var result Result
	for _, job := range s.jobs {
		outcome, over := s.outcomes[job.ID]
		if !over {
			outcome = Outcome{Job: job, State: Interrupted, Code: -1, Reason: "not started"}
		}
		result.Outcomes = append(result.Outcomes, outcome)
	}
	s.render.End(result)
	failed, blocked := result.Count("", Failed), result.Count("", Blocked)
	switch {
	case ctx.Err() != nil && result.Count("", Done) < len(s.jobs):
		return result, ErrInterrupted
	case result.Count("", Interrupted) > 0 && failed == 0:
		return result, ErrInterrupted // a worker got the signal, and not this process
	case failed+blocked > 0:
		return result, &FailedError{Failed: failed + result.Count("", Interrupted), Blocked: blocked, Total: len(s.jobs)}
	default:
		return result, nil
	}
}
