package serve

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// cursor describes the state of a page: its snapshot, and for each drawn run the number of
// steps and attempts. A page that reconnects with its cursor gets only what is new.
type cursor struct {
	epoch   string // of the server process; versions of another process are not comparable
	version uint64
	drawn   uint64 // which curves
	steps   []runSteps
}

type runSteps struct{ done, attempts int }

// cursorOf returns the cursor of a page that has everything of a version.
func (s *Server) cursorOf(version uint64, q request) cursor {
	c := cursor{epoch: s.epoch, version: version}
	h := fnv.New64a()
	fmt.Fprint(h, q.bucket, q.span, q.series)
	for _, d := range q.curves {
		fmt.Fprint(h, d.ID, len(d.Runs))
		for _, r := range d.Runs {
			c.steps = append(c.steps, runSteps{r.Done, r.Attempts})
		}
	}
	c.drawn = h.Sum64()
	return c
}

// String returns the cursor as an event's id.
func (c cursor) String() string {
	parts := make([]string, len(c.steps))
	for i, s := range c.steps {
		parts[i] = strconv.Itoa(s.done) + "/" + strconv.Itoa(s.attempts)
	}
	return fmt.Sprintf("%s-%d-%x-%s", c.epoch, c.version, c.drawn, strings.Join(parts, "."))
}

// parseCursor reads a cursor that String wrote; ok is false for any other text.
func parseCursor(text string) (c cursor, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) != 4 {
		return c, false
	}
	var err, err2 error
	c.epoch = parts[0]
	c.version, err = strconv.ParseUint(parts[1], 10, 64)
	c.drawn, err2 = strconv.ParseUint(parts[2], 16, 64)
	if err != nil || err2 != nil {
		return c, false
	}
	if parts[3] == "" {
		return c, true
	}
	for one := range strings.SplitSeq(parts[3], ".") {
		done, attempts, found := strings.Cut(one, "/")
		d, err := strconv.Atoi(done)
		n, err2 := strconv.Atoi(attempts)
		if !found || err != nil || err2 != nil || d < 0 {
			return c, false
		}
		c.steps = append(c.steps, runSteps{d, n})
	}
	return c, true
}

// since returns from which step on each curve has news, by id: the step up to which the
// page has it, or 0 if another attempt has begun. ok is false if the page has other curves
// and must draw all again.
func (c cursor) since(now cursor, q request) (from map[string]int, ok bool) {
	if c.epoch != now.epoch || c.drawn != now.drawn || len(c.steps) != len(now.steps) {
		return nil, false
	}
	from = map[string]int{}
	at := 0
	for _, d := range q.curves {
		for range d.Runs {
			was, is := c.steps[at], now.steps[at]
			at++
			if was == is {
				continue
			}
			step := min(was.done, is.done)
			if was.attempts != is.attempts {
				step = 0
			}
			if old, known := from[d.ID]; !known || step < old {
				from[d.ID] = step
			}
		}
	}
	return from, true
}
