package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"headroom/internal/plain"
	"headroom/sweeps"
)

// Options configure a Sender.
type Options struct {
	// Alerts is the table of the site's file.
	Alerts sweeps.Alerts
	// Workspace is the folder in which messages are kept.
	Workspace string
	// Sweep is the sweep whose waiting messages are delivered first.
	Sweep  string
	Getenv func(string) string
	Now    func() time.Time
	// Note gets messages for the user about what could not be delivered. It is called from
	// one goroutine.
	Note func(text string)

	// Timeout bounds one try, Tries is their number, Pause is the time before the second try
	// and doubles after each. 0 stands for the default.
	Timeout, Pause time.Duration
	Tries          int
}

const (
	usualTimeout = 10 * time.Second
	usualPause   = 2 * time.Second
	usualTries   = 4
	// longestPause limits the pause that a receiver may ask for.
	longestPause = 30 * time.Second
	// abandonedAfter is the time after which another process may take a waiting message
	// that no process has touched: longer than all tries of one delivery.
	abandonedAfter = 5 * time.Minute
	// giveUpAfter is the age at which a waiting message is no longer sent.
	giveUpAfter = 24 * time.Hour
	// mostQueued limits the messages that wait in memory.
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
	// down are the receivers that did not accept their last message. Such a receiver gets one
	// try per message until it accepts one. Only the delivering goroutine uses it.
	down map[string]bool

	mu     sync.Mutex
	queue  []Message
	lost   int
	closed bool
	wake   chan struct{}
}

// Check returns the faults of the table [alerts] as sweeps.Faults.
func Check(a sweeps.Alerts, getenv func(string) string) error {
	_, err := targets(a, getenv)
	return err
}

// New returns a Sender, which works until Close. The error names the settings that are wrong.
func New(o Options) (*Sender, error) {
	list, err := targets(o.Alerts, o.Getenv)
	if err != nil {
		return nil, err
	}
	o.Timeout = cmp.Or(o.Timeout, usualTimeout)
	o.Pause = cmp.Or(o.Pause, usualPause)
	o.Tries = cmp.Or(o.Tries, usualTries)
	s := &Sender{o: o, targets: list, outbox: newOutbox(o.Workspace), done: make(chan struct{}), down: map[string]bool{}, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.work()
	return s, nil
}

// Send takes a message and returns at once. It drops messages of kinds that the site's file
// does not ask for.
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

// Close delivers the waiting messages, within a time limit. The others stay in the outbox
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

// takeOver delivers the waiting messages of processes that are gone.
func (s *Sender) takeOver() {
	left, faults := s.outbox.takeAbandoned(s.o.Sweep, abandonedAfter, s.o.Now())
	for _, err := range faults {
		s.o.Note(fmt.Sprintf("an alert that waits is not sent: %s", plain.Line(err.Error())))
	}
	for _, e := range left {
		if s.o.Now().Sub(e.Message.Time) > giveUpAfter {
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
		// It is sent although it cannot be recorded, so it may be sent again.
		s.o.Note(fmt.Sprintf("the alert %q cannot be kept: %s", m.Title, plain.Line(err.Error())))
	} else if !ours {
		return
	}
	s.deliver(entry{Message: m, To: map[string]string{}})
}

// deliver sends a message to each receiver that does not have it yet.
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
		s.o.Note(fmt.Sprintf("what became of the alert %q cannot be kept: %s", e.Message.Title, plain.Line(err.Error())))
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
			case <-time.After(min(longestPause, max(pause, retryAfter(err)))):
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
