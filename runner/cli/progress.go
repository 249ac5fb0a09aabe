package cli

import (
	"fmt"
	"time"
)

// counter shows the progress of a long step: on a terminal in one line that is
// overwritten, elsewhere in one line per half minute, with --quiet not at all.
type counter struct {
	a     *app
	verb  string
	every time.Duration
	start time.Time
	last  time.Time
	wrote bool
}

func (a *app) newCounter(verb string) *counter {
	now := a.env.Now()
	c := &counter{a: a, verb: verb, every: 30 * time.Second, start: now, last: now}
	if a.env.Columns(a.stderr) > 0 {
		c.every = 200 * time.Millisecond
	}
	return c
}

// at reports that done of total are done.
func (c *counter) at(done, total int) {
	now := c.a.env.Now()
	if c.a.global.quiet || now.Sub(c.last) < c.every {
		return
	}
	c.last, c.wrote = now, true
	text := fmt.Sprintf("%s %d/%d", c.verb, done, total)
	if elapsed := now.Sub(c.start); done > 0 && total >= done {
		left := time.Duration(float64(elapsed) * float64(total-done) / float64(done))
		text += fmt.Sprintf(", %.0f/s, ETA %s", float64(done)/elapsed.Seconds(), left.Round(time.Second))
	}
	if c.a.env.Columns(c.a.stderr) > 0 {
		fmt.Fprintf(c.a.stderr, "\r\x1b[K%s", text)
	} else {
		fmt.Fprintln(c.a.stderr, text)
	}
}

// end clears the line.
func (c *counter) end() {
	if c.wrote && c.a.env.Columns(c.a.stderr) > 0 {
		fmt.Fprint(c.a.stderr, "\r\x1b[K")
	}
}
