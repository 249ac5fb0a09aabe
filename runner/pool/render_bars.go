package pool

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// barUnits is the length of a bar in mpb's units; the text says the numbers.
const barUnits = 10_000

// Bars renders for a terminal: a bar for the pool with the time left, a line for each
// running job, and above them a line for each job that is over.
type Bars struct {
	Out io.Writer
	Now func() time.Time
	// Options are passed to mpb; tests fix the width and force the refresh.
	Options []mpb.ContainerOption

	mu       sync.Mutex // mpb draws on a goroutine of its own
	over     int
	total    int
	estimate *Estimate
	messages map[string]Message
	progress *mpb.Progress
	all      *mpb.Bar
	bars     map[string]*mpb.Bar
}

// Begin draws the bar for the pool.
func (b *Bars) Begin(jobs []Job, estimate *Estimate) {
	b.total, b.estimate = len(jobs), estimate
	b.messages, b.bars = map[string]Message{}, map[string]*mpb.Bar{}
	progress := mpb.New(append([]mpb.ContainerOption{mpb.WithOutput(b.Out), mpb.WithWidth(40)}, b.Options...)...)
	b.mu.Lock()
	b.progress = progress
	b.mu.Unlock()
	b.all = b.progress.New(0, style(), mpb.BarPriority(1<<20), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return " " + headline(b.over, b.total, b.estimate, b.Now())
	})))
	b.all.SetTotal(barUnits, false)
}

func style() mpb.BarFillerBuilder {
	return mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]")
}

// Started adds the job's line.
func (b *Bars) Started(job Job) {
	b.mu.Lock()
	b.messages[job.ID] = Message{Type: TypeProgress, Phase: "starting"}
	b.mu.Unlock()
	b.bars[job.ID] = b.progress.New(0, style(),
		mpb.BarFillerTrim(),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			b.mu.Lock()
			defer b.mu.Unlock()
			return " " + job.Label + " " + describe(b.messages[job.ID])
		})))
	b.bars[job.ID].SetTotal(barUnits, false)
}

// Message moves the bars, and prints notices above them.
func (b *Bars) Message(job Job, m Message) {
	b.mu.Lock()
	text, now := notice(job, m, b.messages[job.ID])
	if m.Type != TypeNotice && m.Type != TypeCollapse {
		b.messages[job.ID] = m
	}
	share := b.estimate.Share()
	b.mu.Unlock()
	if now {
		io.WriteString(b.progress, text+"\n")
	}
	if m.Type == TypeProgress && m.Steps > 0 && m.Phase != PhaseDev {
		b.bars[job.ID].SetCurrent(units(float64(m.Step) / float64(m.Steps)))
	}
	b.all.SetCurrent(units(share))
}

// Note prints a line above the bars. It may be called at any time, from any goroutine.
func (b *Bars) Note(text string) {
	b.mu.Lock()
	progress := b.progress
	b.mu.Unlock()
	if progress == nil {
		io.WriteString(b.Out, text+"\n")
		return
	}
	if _, err := io.WriteString(progress, text+"\n"); err != nil { // the bars have ended already
		io.WriteString(b.Out, text+"\n")
	}
}

// units converts a share to the bar's units. It never reaches the bar's end, where mpb would close the bar.
func units(share float64) int64 { return min(barUnits-1, int64(share*barUnits)) }

// Finished replaces the job's line by a permanent one above the bars.
func (b *Bars) Finished(outcome Outcome) {
	b.mu.Lock()
	b.over++
	share := b.estimate.Share()
	b.mu.Unlock()
	if bar := b.bars[outcome.Job.ID]; bar != nil {
		bar.Abort(true)
	}
	io.WriteString(b.progress, ending(outcome))
	b.all.SetCurrent(units(share))
}

// Interrupted says that the workers are being waited for.
func (b *Bars) Interrupted(running int) { io.WriteString(b.progress, stoppingText(running)+"\n") }

// End removes the bars from the screen.
func (b *Bars) End(Result) {
	b.all.Abort(true)
	b.progress.Wait()
}
