package cli

import (
	"errors"
	"io"
	"sync"
)

// errOutput is returned when standard output did not take what was written to it: it
// is closed, or full, or nobody reads it any more.
var errOutput = errors.New("write standard output")

// output is standard output. Most of a command's writes do not look at their errors,
// so it remembers the first one, and tells of it at once: who works for a reader that
// is gone must stop.
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
