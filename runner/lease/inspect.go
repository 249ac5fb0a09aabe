package lease

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
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
	// Stale: its process, on another machine, was not heard of for the timeout.
	Stale State = "stale"
)

// Info is what can be told of a lease from outside.
type Info struct {
	State State
	// The rest is of the last holder, zero where there was none.
	Host    string
	PID     int
	Attempt int
	// Age is that of the last heartbeat, not below 0.
	Age time.Duration

	generation int
}

// Inspect tells who holds the lease of the folder dir, and changes nothing. A folder
// that does not exist is free.
func Inspect(dir string, options Options) (Info, error) {
	info, err := inspect(dir, options.withDefaults())
	if err != nil {
		return Info{}, fmt.Errorf("inspect lease: %w", err)
	}
	return info, nil
}

func inspect(dir string, options Options) (Info, error) {
	generation, err := latest(dir)
	if err != nil || generation == 0 {
		return Info{State: Free}, err
	}
	c, modified, whole, err := read(dir, generation)
	if errors.Is(err, fs.ErrNotExist) { // the whole folder was removed meanwhile
		return Info{State: Free}, nil
	}
	if err != nil {
		return Info{}, err
	}
	info := Info{State: Held, Host: c.Host, PID: c.PID, Attempt: c.Attempt, generation: generation}
	if !whole {
		c.Heartbeat = modified
	}
	info.Age = max(0, options.Now().Sub(c.Heartbeat))
	switch {
	case whole && c.Released:
		info.State = Free
	case whole && c.here():
		// The process table knows better than any heartbeat.
		if !c.alive() {
			info.State = Dead
		}
	case info.Age >= options.Timeout:
		info.State = Stale
	}
	return info, nil
}
