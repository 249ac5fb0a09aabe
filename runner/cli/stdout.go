package cli

import (
	"errors"
	"io"
	"sync"
)

// errOutput is returned when a write to standard output failed: it is closed, or full, or
// nobody reads it any more.
var errOutput = errors.New("write standard output")

// output is standard output. Most writes of commands do not check their errors, so it
// remembers the first error. It also reports that error at once, so that a command whose
// reader has gone stops.
type output struct {
	to   io.Writer
	lost func()

	mu  sync.Mutex
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if err != nil {
		o.mu.Lock()
		first := o.err == nil
		if first {
			o.err = err
		}
		o.mu.Unlock()
		if first {
			o.lost()
		}
	}
	return n, err
}

func (o *output) fault() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
