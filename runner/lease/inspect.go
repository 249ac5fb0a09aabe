package lease

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"headroom/internal/atomic"
)

// State of a folder's lease.
type State string

const (
	// Free: nobody has held it, or the last holder released it.
	Free State = "free"
	// Held: a process holds it.
	Held State = "held"
	// Dead: its process died on this machine.
	Dead State = "dead"
	// Stale: its process cannot be looked up from here, and has sent no heartbeat for the
	// timeout. A file that is no lease is stale too.
	Stale State = "stale"
)

// Info describes a lease, as seen without holding it.
type Info struct {
	State State
	// The other fields are of the last holder, zero if there was none.
	Host string
	PID  int
	// Age is the time since its last heartbeat, not below 0.
	Age time.Duration
	// Ahead is how far its last heartbeat is in the future, after the clock of the file
	// system was set back.
	Ahead time.Duration
	// Since is when it took the lease, by its own clock.
	Since time.Time
	// Here is true if the holder is a living process of this machine.
	Here bool

	generation int
	changed    time.Time
	succession string
	turn       int
}

// Who returns the last holder's name, and since when it holds the lease.
func (i Info) Who() string {
	who := "a process that has not given its name"
	if i.PID != 0 {
		who = fmt.Sprintf("process %d on %s", i.PID, i.Host)
	}
	if !i.Since.IsZero() {
		who += " since " + i.Since.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return who
}

// Inspect returns who holds the lease of a folder, and changes nothing. A folder that does
// not exist is free.
func Inspect(dir string, options Options) (Info, error) {
	options = options.withDefaults()
	now := options.Now
	if now == nil {
		now = time.Now
	}
	info, err := inspect(dir, options.Timeout, func() (time.Time, error) { return now(), nil })
	if err != nil {
		return Info{}, fmt.Errorf("inspect lease: %w", err)
	}
	return info, nil
}

// inspect is Inspect with a clock, which it calls only if it needs the time.
func inspect(dir string, timeout time.Duration, now func() (time.Time, error)) (Info, error) {
	generation, err := latest(dir)
	if err != nil || generation == 0 {
		return Info{State: Free}, err
	}
	c, changed, whole, err := read(dir, generation)
	if errors.Is(err, fs.ErrNotExist) { // the whole folder was removed meanwhile
		return Info{State: Free}, nil
	}
	if err != nil {
		return Info{}, err
	}
	info := Info{State: Held, Host: c.Host, PID: c.PID, Since: c.Acquired, generation: generation,
		changed: changed, succession: c.Succession, turn: c.Turn}
	if whole && c.Released {
		info.State = Free
		return info, nil
	}
	alive, sure := true, false
	if whole && c.isLocal() {
		alive, sure = c.alive()
	}
	if info.Here = sure && alive; info.Here { // the process table is more reliable than a heartbeat
		info.Age = max(0, time.Since(changed))
		return info, nil
	}
	today, err := now()
	if err != nil {
		return Info{}, err
	}
	info.Age, info.Ahead = max(0, today.Sub(changed)), max(0, changed.Sub(today))
	switch {
	case !alive:
		info.State = Dead
	case info.Age >= timeout:
		info.State = Stale
	}
	return info, nil
}

// Unlock takes the lease of a folder from its holder, and returns what Inspect returned
// before. A holder that is still alive elsewhere sees that the lease is lost and stops
// writing. If the holder lives on this machine, Unlock changes nothing and returns ErrHeld.
func Unlock(dir string, options Options) (Info, error) {
	info, err := Inspect(dir, options)
	if err != nil || info.State == Free {
		return info, err
	}
	if info.State == Held && info.Here {
		return info, heldBy(dir, info, options.withDefaults().Timeout)
	}
	freed := content{Acquired: time.Now(), Heartbeat: time.Now(), Released: true}
	if freed.process, err = thisProcess(); err == nil {
		err = publish(atomic.Disk{}, dir, info.generation+1, freed)
	}
	if err != nil {
		return info, fmt.Errorf("free lease: %w", err)
	}
	return info, nil
}
