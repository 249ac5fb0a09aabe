// Package lease lets one process at a time work on a run's folder.
//
// Contract. At most one process holds the lease of a folder. When a holder dies, its lease
// is free at once on the same machine, where the death can be seen. Elsewhere it is free
// after a timeout without a heartbeat of the holder. When Lost is closed, another process
// may have taken the lease, and the holder must stop writing.
//
// How it works, on local disks and on NFS: leases are generations, the files lease/<n>.json
// of the folder, of which the highest counts. A process that finds it released, dead or
// stale makes the next one, complete and exclusively: it hard-links a temporary file to the
// new name. That fails if the name exists, and is atomic on NFS as well. On a file system
// without hard links, the file is created with O_EXCL. A generation is removed only long
// after it was replaced, so that no reader of an old listing can make it again. Only the
// holder of a generation writes to it, by rename. There are no locks that a server or a
// killed process could leave behind.
//
// On the same machine a holder is known by its process id together with the time at which
// that process started, so that a reused id is recognized. "The same machine" is the same
// boot and the same process namespace, not the same name. Of other holders only the time at
// which their file last changed is known. It is compared with the clock of the file system,
// so the clocks of machines do not have to agree. Some file systems take the time of a file
// from the machine that writes it. A caller that tries again and again therefore keeps a
// Sighting, which uses its own clock alone.
package lease

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	// Now is the clock that files are compared with. Default: for Acquire the clock of the
	// file system, for Inspect time.Now, because Inspect writes nothing.
	Now func() time.Time
	// Interval between heartbeats. Default Interval; negative starts none, for a
	// caller that calls Beat itself.
	Interval time.Duration
	// Timeout after which a silent holder on another machine is stale. Default Timeout.
	Timeout time.Duration
	// Sighting is kept by a caller that tries again and again. A lease that has not changed
	// for the timeout by this process's own clock is then stale, whatever time its file
	// has. So nobody waits for ever for a file whose time is in the future.
	Sighting *Sighting
	// Succession names something that a scheduler starts again and again, such as a task of
	// a job array, and Turn counts the starts. The scheduler has given up a holder of the
	// same succession and an earlier turn: it loses the lease at once, alive or not.
	Succession string
	Turn       int
}

// Sighting records since when a lease has been unchanged. The zero value has seen nothing.
type Sighting struct {
	generation int
	changed    time.Time
	since      time.Time
}

// unchangedFor returns for how long the lease has been unchanged, by a clock that never jumps.
func (s *Sighting) unchangedFor(info Info) time.Duration {
	if s == nil {
		return 0
	}
	if s.since.IsZero() || s.generation != info.generation || !s.changed.Equal(info.changed) {
		s.generation, s.changed, s.since = info.generation, info.changed, time.Now()
	}
	return time.Since(s.since)
}

func (o Options) withDefaults() Options {
	o.Interval = cmp.Or(o.Interval, Interval)
	o.Timeout = cmp.Or(o.Timeout, Timeout)
	return o
}

// ErrHeld is returned by Acquire when a living process has the lease, or one that may
// be alive.
type ErrHeld struct {
	Info
	// Name is the folder's name for `headroom unlock`.
	Name string
	// Timeout is the silence after which a holder that cannot be looked up counts as dead.
	Timeout time.Duration
}

func heldBy(dir string, info Info, timeout time.Duration) ErrHeld {
	name := strings.TrimSuffix(filepath.Base(dir), ".work")
	return ErrHeld{Info: info, Name: name[:min(len(name), 8)], Timeout: timeout}
}

// Holder returns a text: who holds it, since when, and what frees it.
func (e ErrHeld) Holder() string {
	who := e.Who()
	switch {
	case e.Here:
		return who + fmt.Sprintf(": it is alive; `kill %d` stops it at a checkpoint", e.PID)
	case e.Ahead > 0:
		return who + fmt.Sprintf(", whose file is of a time to come (in %s): `headroom unlock %s` frees it", e.Ahead.Round(time.Second), e.Name)
	}
	return who + fmt.Sprintf(", heard of %s ago: it is taken over after %s of silence; `headroom unlock %s` frees it at once",
		e.Age.Round(time.Second), e.Timeout, e.Name)
}

func (e ErrHeld) Error() string { return "run is held by " + e.Holder() }

// ErrLost is returned when another process has taken the lease over, or may have done so
// because the lease could not be renewed in time.
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

// Acquire takes the lease of a folder, which must exist, and renews it until Release. It
// does not wait: if the lease is in use, it returns ErrHeld.
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
		info, err := inspect(dir, l.options.Timeout, l.fileTime)
		if err != nil {
			return nil, fmt.Errorf("acquire lease: %w", err)
		}
		if info.State == Held && !l.supersedes(info) {
			if info.Here || l.options.Sighting.unchangedFor(info) < l.options.Timeout {
				return nil, heldBy(dir, info, l.options.Timeout)
			}
		}
		now := l.now()
		l.generation = info.generation + 1
		l.content = content{process: self, Acquired: now, Heartbeat: now, Succession: options.Succession, Turn: options.Turn}
		err = publish(l.disk, dir, l.generation, l.content)
		if errors.Is(err, os.ErrExist) && tries < 100 {
			// Another process was quicker. A client of a network file system may need a
			// moment to see its file.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("acquire lease: %w", err)
		}
		// With an old listing, this process may have made a generation again that was
		// removed as superseded.
		if last, err := latest(dir); err != nil || last == l.generation {
			if err != nil {
				return nil, fmt.Errorf("acquire lease: %w", err)
			}
			break
		}
	}
	if l.options.Interval < 0 {
		close(l.stopped)
	} else {
		go l.renew()
	}
	return l, nil
}

// supersedes reports whether this process is a later turn of the holder's succession.
func (l *Lease) supersedes(holder Info) bool {
	return l.options.Succession != "" && holder.succession == l.options.Succession && holder.turn < l.options.Turn
}

// now returns the time of this process.
func (l *Lease) now() time.Time {
	if l.options.Now != nil {
		return l.options.Now()
	}
	return time.Now()
}

// fileTime returns the time that files are compared with.
func (l *Lease) fileTime() (time.Time, error) {
	if l.options.Now != nil {
		return l.options.Now(), nil
	}
	return fileSystemTime(l.dir)
}

// Beat renews the heartbeat now, and finds out whether the lease is still held.
func (l *Lease) Beat() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	now := l.now()
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

// Release releases the lease; a second call does nothing. It fails if the lease was lost
// before.
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

// renew renews the heartbeat until Release, or until the lease is lost. A renewal that
// fails for another reason is tried again: a full disk may have room later.
func (l *Lease) renew() {
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
