package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"headroom/sweeps"
)

// Options say what is sent to whom.
type Options struct {
	// Alerts is the table of the site's file.
	Alerts sweeps.Alerts
	// Workspace is the folder in which what is sent is kept.
	Workspace string
	// Sweep is whose waiting messages are delivered first.
	Sweep  string
	Getenv func(string) string
	Now    func() time.Time
	// Note says to a person what could not be delivered. It is called from one goroutine.
	Note func(text string)

	// Timeout is the time of one try, Tries their number, Pause the time before the second,
	// which doubles; of 0 the usual ones are taken.
	Timeout, Pause time.Duration
	Tries          int
}

const (
	usualTimeout = 10 * time.Second
	usualPause   = 2 * time.Second
	usualTries   = 4
	// longestPause bounds how long a receiver may ask to be left alone.
	longestPause = 30 * time.Second
	// leftAfter is when a message that waits is no other process's any more: longer than
	// all tries of one take.
	leftAfter = 5 * time.Minute
	// tooLate is when what waits is not sent any more.
	tooLate = 24 * time.Hour
	// mostQueued bounds what waits in memory.
	mostQueued = 10_000
)

// Sender delivers messages.
type Sender struct {
	o       Options
	targets []target
	outbox  outbox
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}
	// down are the receivers whose last message was in vain: each gets one try, until one
	// succeeds. Only the goroutine that delivers uses it.
	down map[string]bool

	mu     sync.Mutex
	queue  []Message
	lost   int
	closed bool
	wake   chan struct{}
}

// Check says what is wrong with a table of the site's file, as sweeps.Faults do.
func Check(a sweeps.Alerts, getenv func(string) string) error {
	_, err := targets(a, getenv)
	return err
}

// New makes a Sender, which works until it is closed. An error is of the settings.
func New(o Options) (*Sender, error) {
	list, err := targets(o.Alerts, o.Getenv)
	if err != nil {
		return nil, err
	}
	if o.Timeout == 0 {
		o.Timeout = usualTimeout
	}
	if o.Pause == 0 {
		o.Pause = usualPause
	}
	if o.Tries == 0 {
		o.Tries = usualTries
	}
	s := &Sender{o: o, targets: list, outbox: newOutbox(o.Workspace), done: make(chan struct{}), down: map[string]bool{}, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.work()
	return s, nil
}

// Send takes a message and returns at once. One of a kind that is not asked for is dropped.
func (s *Sender) Send(m Message) {
	if m.Kind != Trial && !slices.Contains(s.o.Alerts.On, m.Kind) {
		return
	}
	s.mu.Lock()
	switch {
	case s.closed:
	case len(s.queue) >= mostQueued:
		s.lost++
	default:
		s.queue = append(s.queue, m.clean())
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close delivers what there is, for no longer than the patience. What is left then is kept
// for the next Sender of the sweep.
func (s *Sender) Close(patience time.Duration) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		s.cancel()
		<-s.done
	}
	s.cancel()
}

func (s *Sender) work() {
	defer close(s.done)
	s.takeOver()
	for {
		s.mu.Lock()
		var next *Message
		if len(s.queue) > 0 {
			next, s.queue = &s.queue[0], s.queue[1:]
		}
		closed, lost := s.closed, s.lost
		s.lost = 0
		s.mu.Unlock()
		if lost > 0 {
			s.o.Note(fmt.Sprintf("%d alerts were dropped: more than %d waited", lost, mostQueued))
		}
		switch {
		case next != nil:
			s.take(*next)
		case closed:
			return
		default:
			<-s.wake
		}
	}
}

// takeOver delivers what earlier processes left.
func (s *Sender) takeOver() {
	left, faults := s.outbox.left(s.o.Sweep, leftAfter, s.o.Now())
	for _, err := range faults {
		s.o.Note(fmt.Sprintf("an alert that waits is not sent: %s", brief(err)))
	}
	for _, e := range left {
		if s.o.Now().Sub(e.Message.Time) > tooLate {
			for _, t := range s.targets {
				if e.To[t.name()] != stateSent {
					e.To[t.name()] = "given up after a day"
				}
			}
			s.note(e, s.outbox.close(e, s.o.Now()))
			continue
		}
		s.deliver(e)
	}
}

func (s *Sender) take(m Message) {
	ours, err := s.outbox.claim(m)
	if err != nil {
		// Without a place to remember it is sent all the same, and may be again.
		s.o.Note(fmt.Sprintf("the alert %q cannot be kept: %s", m.Title, brief(err)))
	} else if !ours {
		return
	}
	s.deliver(entry{Message: m, To: map[string]string{}})
}

// deliver sends a message to everybody who has not got it.
func (s *Sender) deliver(e entry) {
	again := false
	for _, t := range s.targets {
		name := t.name()
		if e.To[name] == stateSent {
			continue
		}
		err := s.try(t, e.Message)
		switch {
		case err == nil:
			e.To[name] = stateSent
		case isFinal(err):
			e.To[name] = brief(err)
			s.o.Note(fmt.Sprintf("the alert %q was not delivered to %s: %s", e.Message.Title, name, brief(err)))
		default:
			e.To[name], again = brief(err), true
			if s.ctx.Err() == nil {
				s.o.Note(fmt.Sprintf("the alert %q was not delivered to %s: %s; the next `headroom run` of the sweep tries again, for a day", e.Message.Title, name, brief(err)))
			}
		}
	}
	if again {
		s.note(e, s.outbox.keep(e))
		return
	}
	s.note(e, s.outbox.close(e, s.o.Now()))
}

func (s *Sender) note(e entry, err error) {
	if err != nil {
		s.o.Note(fmt.Sprintf("what became of the alert %q cannot be kept: %s", e.Message.Title, brief(err)))
	}
}

var errStopped = errors.New("the program ended before it was delivered")

// try delivers a message to one receiver, in several tries.
func (s *Sender) try(t target, m Message) (err error) {
	tries, pause := s.o.Tries, s.o.Pause
	if s.down[t.name()] {
		tries = 1
	}
	for n := range tries {
		if n > 0 {
			select {
			case <-s.ctx.Done():
			case <-time.After(min(longestPause, max(pause, wait(err)))):
			}
			pause *= 2
		}
		if s.ctx.Err() != nil {
			return errors.Join(errStopped, err)
		}
		ctx, cancel := context.WithTimeout(s.ctx, s.o.Timeout)
		err = t.deliver(ctx, m)
		cancel()
		if err == nil || isFinal(err) {
			s.down[t.name()] = false
			return err
		}
	}
	s.down[t.name()] = true
	return err
}
