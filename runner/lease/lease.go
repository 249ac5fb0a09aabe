// Package lease lets one process at a time work on a run's folder.
//
// Contract. At most one process holds the lease of a folder. A lease whose process
// is dead is free at once where that can be seen, which is on the same machine, and
// otherwise when its holder has not been heard of for a timeout. A holder learns
// from Lost that it was taken for dead, and must then write nothing more.
//
// How it works, on a local disk as on NFS. Leases are generations, the files
// lease/<n>.json of the folder, and the highest is in force. Who finds it released,
// dead or stale makes the next one, complete and exclusively: a temporary file is
// hard-linked to the new name, which fails if the name exists and is atomic on
// NFS as well (where there are no links, the file is created with O_EXCL). Nobody
// removes a generation, so that no reader of an old listing can make one anew, and
// nobody but its holder writes to one, by rename. There are no locks that a server
// or a killed process could leave behind.
//
// Liveness on the same machine is the process id together with the time at which
// that process started, so that a reused id deceives nobody; "the same machine" is
// the same boot and the same process namespace, not the same name. Between machines
// it is the age of the heartbeat, which takes their clocks to agree within much less
// than the timeout.
package lease

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"headroom/internal/atomic"
)

// Default times.
const (
	// Interval is how often a holder renews its heartbeat.
	Interval = 15 * time.Second
	// Timeout is how long a holder on another machine may be silent.
	Timeout = 2 * time.Minute
)

// Options of Acquire and Inspect. The zero value is the normal case.
type Options struct {
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Interval between heartbeats. Default Interval; negative starts none, for a
	// caller that calls Beat itself.
	Interval time.Duration
	// Timeout after which a silent holder on another machine is stale. Default Timeout.
	Timeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Interval == 0 {
		o.Interval = Interval
	}
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	return o
}

// ErrHeld is returned by Acquire when a living process has the lease.
type ErrHeld struct {
	Host    string
	PID     int
	Attempt int
	// Age is that of the last heartbeat.
	Age time.Duration
}

func (e ErrHeld) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("run is held by a process that has not given its name, for %s", e.Age.Round(time.Second))
	}
	return fmt.Sprintf("run is held by process %d on %s, heard of %s ago", e.PID, e.Host, e.Age.Round(time.Second))
}

// ErrLost is returned when another process has taken the lease over, or when it
// could not be renewed for so long that another may have.
var ErrLost = errors.New("lease lost")

// Lease is held from Acquire until Release. It is safe for concurrent use.
type Lease struct {
	disk       atomic.Disk
	dir        string
	generation int
	options    Options

	mu      sync.Mutex
	content content
	err     error

	lost     chan struct{}
	stop     chan struct{}
	stopOnce sync.Once
	stopped  chan struct{}
}

// Acquire takes the lease of the folder dir, which must exist, and keeps it alive
// until Release. It does not wait: a lease in use is ErrHeld.
func Acquire(dir string, options Options) (*Lease, error) {
	return acquire(atomic.Disk{}, dir, options)
}

func acquire(disk atomic.Disk, dir string, options Options) (*Lease, error) {
	l := &Lease{disk: disk, dir: dir, options: options.withDefaults(),
		lost: make(chan struct{}), stop: make(chan struct{}), stopped: make(chan struct{})}
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("acquire lease: %w", err)
	}
	if err := disk.MkdirAll(folder(dir)); err != nil {
		return nil, fmt.Errorf("acquire lease: %w", err)
	}
	self, err := thisProcess()
	if err != nil {
		return nil, fmt.Errorf("acquire lease: %w", err)
	}
	for tries := 0; ; tries++ {
		info, err := inspect(dir, l.options)
		if err != nil {
			return nil, fmt.Errorf("acquire lease: %w", err)
		}
		if info.State == Held {
			return nil, ErrHeld{Host: info.Host, PID: info.PID, Attempt: info.Attempt, Age: info.Age}
		}
		now := l.options.Now()
		l.generation = info.generation + 1
		l.content = content{process: self, Acquired: now, Heartbeat: now}
		err = publish(l.disk, dir, l.generation, l.content)
		if errors.Is(err, os.ErrExist) && tries < 100 {
			// Another was quicker; see who. A client of a network file system may need a
			// moment to see it.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("acquire lease: %w", err)
		}
		break
	}
	if l.options.Interval < 0 {
		close(l.stopped)
	} else {
		go l.keep()
	}
	return l, nil
}

// SetAttempt records which attempt the holder has begun.
func (l *Lease) SetAttempt(n int) error {
	l.mu.Lock()
	l.content.Attempt = n
	l.mu.Unlock()
	return l.Beat()
}

// Beat renews the heartbeat now, and finds out whether the lease is still held.
func (l *Lease) Beat() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	now := l.options.Now()
	taken, err := exists(l.dir, l.generation+1)
	if taken {
		return l.lose(fmt.Errorf("renew lease: %w: another process took it over", ErrLost))
	}
	if err == nil {
		renewed := l.content
		renewed.Heartbeat = now
		if err = rewrite(l.disk, l.dir, l.generation, renewed); err == nil {
			l.content = renewed
			return nil
		}
	}
	if silent := now.Sub(l.content.Heartbeat); silent >= l.options.Timeout {
		return l.lose(fmt.Errorf("renew lease: %w: not renewed for %s: %w", ErrLost, silent, err))
	}
	return fmt.Errorf("renew lease: %w", err)
}

func (l *Lease) lose(err error) error {
	l.err = err
	close(l.lost)
	return err
}

// Lost is closed when the lease is lost; Err then says why.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Err is nil until the lease is lost.
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Release gives the lease back; a second call does nothing. It fails where the
// lease was lost before.
func (l *Lease) Release() error {
	first := false
	l.stopOnce.Do(func() { first = true; close(l.stop) })
	<-l.stopped
	if !first {
		return nil
	}
	if err := l.Beat(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.content.Released = true
	if err := rewrite(l.disk, l.dir, l.generation, l.content); err != nil {
		return fmt.Errorf("release lease: %w", err)
	}
	return nil
}

// keep renews the heartbeat until Release or until the lease is lost. A renewal
// that fails for another reason is tried again: a full disk may pass.
func (l *Lease) keep() {
	defer close(l.stopped)
	ticker := time.NewTicker(l.options.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			if err := l.Beat(); errors.Is(err, ErrLost) {
				return
			}
		}
	}
}
