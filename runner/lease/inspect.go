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
	// Free: nobody has held it, or the last holder gave it back.
	Free State = "free"
	// Held: a process holds it.
	Held State = "held"
	// Dead: its process died on this machine.
	Dead State = "dead"
	// Stale: its process cannot be looked up from here, and was not heard of for the
	// timeout. So is a file that no process of ours wrote.
	Stale State = "stale"
)

// Info is what is known of a lease without holding it.
type Info struct {
	State State
	// The rest is of the last holder, zero if there was none.
	Host    string
	PID     int
	Attempt int
	// Age is how long ago it was last heard of, not below 0.
	Age time.Duration
	// Ahead is how far its last sign of life lies in the future: the clock of the file
	// system has been set back.
	Ahead time.Duration
	// Since is when it took the lease, by its own clock.
	Since time.Time
	// Here is true of a holder that is among the living processes of this machine.
	Here bool

	generation int
	changed    time.Time
	succession string
	turn       int
}

// Who names the last holder, and since when it was that.
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

// Inspect tells who holds the lease of the folder dir, and changes nothing. A folder
// that does not exist is free.
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

// inspect judges by the time that now returns. It calls now only if it needs the time.
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
	info := Info{State: Held, Host: c.Host, PID: c.PID, Attempt: c.Attempt, Since: c.Acquired, generation: generation,
		changed: changed, succession: c.Succession, turn: c.Turn}
	if whole && c.Released {
		info.State = Free
		return info, nil
	}
	alive, sure := true, false
	if whole && c.isLocal() {
		alive, sure = c.alive()
	}
	if info.Here = sure && alive; info.Here { // the process table knows better than any heartbeat
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

// Unlock ends whoever holds the lease of the folder dir: a holder that lives learns that
// it is lost and writes nothing more. It returns what Inspect found before. A holder
// that lives on this machine is ErrHeld, and is left alone.
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
