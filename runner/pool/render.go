package pool

import (
	"fmt"
	"io"
	"strings"
	"time"

	"headroom/metrics/event"
)

// Renderer shows the progress of a pool. Its methods are called one after the
// other from one goroutine; End is the last call.
type Renderer interface {
	Begin(jobs []Job, estimate *Estimate)
	Started(job Job)
	Message(job Job, m Message)
	Finished(outcome Outcome)
	Interrupted(running int)
	End(result Result)
}

// Silent is the renderer of --quiet: it shows nothing.
type Silent struct{}

// Begin shows nothing.
func (Silent) Begin([]Job, *Estimate) {}

// Started shows nothing.
func (Silent) Started(Job) {}

// Message shows nothing.
func (Silent) Message(Job, Message) {}

// Finished shows nothing.
func (Silent) Finished(Outcome) {}

// Interrupted shows nothing.
func (Silent) Interrupted(int) {}

// End shows nothing.
func (Silent) End(Result) {}

// Lines renders for a file or a pipe: a line at each start and end, and a line of
// progress at most once per Every.
type Lines struct {
	Out   io.Writer
	Every time.Duration
	Now   func() time.Time

	total, over int
	estimate    *Estimate
	running     []Job
	latest      map[string]Message
	printed     time.Time
}

// Begin notes the jobs.
func (l *Lines) Begin(jobs []Job, estimate *Estimate) {
	l.total, l.estimate, l.latest, l.printed = len(jobs), estimate, map[string]Message{}, l.Now()
}

// Started prints the job's name.
func (l *Lines) Started(job Job) {
	l.running = append(l.running, job)
	fmt.Fprintf(l.Out, "start   %s\n", job.Label)
}

// Message prints notices at once, and progress at most once per Every.
func (l *Lines) Message(job Job, m Message) {
	if text, now := notice(job, m, l.latest[job.ID]); now {
		fmt.Fprintln(l.Out, text)
	}
	if m.Type == TypeCollapse {
		return // the job's last progress is still valid
	}
	l.latest[job.ID] = m
	now := l.Now()
	if now.Sub(l.printed) < l.Every {
		return
	}
	l.printed = now
	parts := make([]string, 0, len(l.running))
	for _, job := range l.running {
		if m, known := l.latest[job.ID]; known {
			parts = append(parts, job.Label+" "+describe(m))
		}
	}
	fmt.Fprintf(l.Out, "%s | %s\n", headline(l.over, l.total, l.estimate, now), strings.Join(parts, " | "))
}

// Finished prints how the job ended, with the worker's last lines if it failed.
func (l *Lines) Finished(outcome Outcome) {
	l.over++
	for i, job := range l.running {
		if job.ID == outcome.Job.ID {
			l.running = append(l.running[:i:i], l.running[i+1:]...)
			break
		}
	}
	fmt.Fprint(l.Out, ending(outcome))
}

// Interrupted says that the workers are being waited for.
func (l *Lines) Interrupted(running int) { fmt.Fprintln(l.Out, stoppingText(running)) }

// End prints nothing: the caller has the summary.
func (l *Lines) End(Result) {}

// headline is the state of the pool: the number of jobs that are over, and the time left.
func headline(over, total int, e *Estimate, now time.Time) string {
	text := fmt.Sprintf("%d/%d jobs, %d %%, %s", over, total, int(100*e.Share()), clock(e.Elapsed(now)))
	if left, ok := e.Remaining(now); ok {
		text += ", ETA " + clock(left)
	}
	return text
}

// describe returns a job's latest progress.
func describe(m Message) string {
	if m.Type == TypeWaiting {
		return "waiting: " + m.Message
	}
	text := m.Phase
	if m.Steps > 0 {
		text += fmt.Sprintf(" %d/%d", m.Step, m.Steps)
	}
	if m.Rate > 0 {
		text += fmt.Sprintf(" %.1f/s", m.Rate)
	}
	if m.Loss != 0 {
		text += fmt.Sprintf(" loss %.4g", float64(m.Loss))
	}
	if d := m.Dev; d != nil {
		text += fmt.Sprintf(" %s", d.Measure)
		if d.Value.NonFinite() == "" {
			text += fmt.Sprintf(" %.4f", float64(d.Value))
		}
		text += fmt.Sprintf(" (best %.4f @%d)", float64(d.Best), d.BestStep)
	}
	return text
}

// notice reports whether a message gets a line of its own: every notice and collapse,
// and the first of consecutive messages about waiting.
func notice(job Job, m, before Message) (string, bool) {
	switch {
	case m.Type == TypeNotice:
		return "note    " + job.Label + ": " + m.Message, true
	case m.Type == TypeCollapse && m.Episode != nil:
		return "note    " + job.Label + ": collapsed: " + DescribeCollapse(*m.Episode), true
	case m.Type == TypeWaiting && before.Type != TypeWaiting:
		return "wait    " + job.Label + ": " + m.Message, true
	default:
		return "", false
	}
}

// DescribeCollapse describes a collapse in words: its first step, its rule and its figure.
func DescribeCollapse(e event.Episode) string {
	text := fmt.Sprintf("%s since step %d (%s: %s", e.Verdict, e.FirstStep, e.Evidence.Series, e.Evidence.Rule)
	if len(e.Evidence.Observed) > 0 {
		last := e.Evidence.Observed[len(e.Evidence.Observed)-1]
		value := last.Value.NonFinite()
		if value == "" {
			value = fmt.Sprintf("%.4g", float64(last.Value))
		}
		text += fmt.Sprintf("; %s at step %d", value, last.Step)
	}
	return text + ")"
}

func ending(o Outcome) string {
	took := clock(o.Took)
	switch o.State {
	case Done:
		text := fmt.Sprintf("done    %s in %s", o.Job.Label, took)
		if o.Answer != nil {
			text += ": " + o.Answer.String()
		}
		return text + "\n"
	case Failed:
		text := fmt.Sprintf("FAILED  %s after %s: %s\n", o.Job.Label, took, o.Reason)
		if o.Tail != "" {
			text += "        " + strings.ReplaceAll(o.Tail, "\n", "\n        ") + "\n"
		}
		if o.Job.Log != "" {
			text += "        all of it: " + o.Job.Log + "\n"
		}
		return text
	case Blocked:
		return fmt.Sprintf("BLOCKED %s: %s\n", o.Job.Label, o.Reason)
	default:
		return fmt.Sprintf("stopped %s after %s: %s\n", o.Job.Label, took, o.Reason)
	}
}

func stoppingText(running int) string {
	return fmt.Sprintf("interrupted: %d running jobs finish their step and write a checkpoint; a second Ctrl-C ends them at once", running)
}

// clock writes a duration as 12s, 3m05s or 2h04m.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	default:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
}
