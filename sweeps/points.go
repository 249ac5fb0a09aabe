package sweeps

import (
	"fmt"
	"strings"

	"headroom/data/groups"
)

// Point is one run of a sweep and the tables of the file that make it: "[grid]", "[[zip]] 1",
// "[grid] × [[zip]] 1", "[[include]] 2", "command line", or "" if nothing varies.
type Point struct {
	Config RunConfig
	Place  string
}

// Points returns the sweep's runs in the order of Expand. Each group of collections is replaced by its members.
func (s *Spec) Points() ([]Point, error) {
	if s.sound == nil {
		var faults Faults
		s.validate(&faults)
		if err := faults.orNil(); err != nil {
			return nil, err
		}
	}
	list := make([]Point, len(s.sound))
	for i, p := range s.sound {
		c := p.config.clone()
		for _, list := range []*[]string{&c.Evaluate.Final, &c.Evaluate.Full, &c.Evaluate.During} {
			*list = groups.Expand(*list)
		}
		list[i] = Point{c, p.place(nil)}
	}
	return list, nil
}

// point is one configuration and its place on the axes that make it.
type point struct {
	config RunConfig
	axes   []dimension
	at     []int // the number of its value on each axis, from 0
	// include is the number of the [[include]] that makes it, 0 for a point of grid × zip.
	include int
}

// place names the tables of the axes for which counts returns true; nil counts all.
func (p point) place(counts func(axis int) bool) string {
	if p.include > 0 {
		return fmt.Sprintf("[[include]] %d", p.include)
	}
	var names []string
	for i, axis := range p.axes {
		if name := axis.table(); (counts == nil || counts(i)) && !contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " × ")
}

// table is the name of the table in which an axis is written.
func (d dimension) table() string {
	switch {
	case d[0].zip > 0:
		return fmt.Sprintf("[[zip]] %d", d[0].zip)
	case d[0].file == commandLine:
		return commandLine
	}
	return "[grid]"
}

// sameRun returns the fault for two points that are the same run. It names the tables
// that make them, their values, and why these do not make two runs.
func (s *Spec) sameRun(a, b point) Fault {
	where, first, second := a.place(nil)+" and "+b.place(nil), s.describe(a.config), s.describe(b.config)
	switch {
	case a.include == 0 && b.include == 0: // the axes on which they lie apart
		moved := func(i int) bool { return a.at[i] != b.at[i] }
		where = a.place(moved)
		first, second = first+a.numbers(moved), second+b.numbers(moved)
	case a.include == b.include:
		where = a.place(nil)
	default:
		first, second = first+" of "+a.place(nil), second+" of "+b.place(nil)
	}
	message := fmt.Sprintf("two points are the same run: %s, and %s", first, second)
	var unread []string
	for _, change := range Diff(a.config, b.config) {
		unread = append(unread, change.Key)
	}
	if len(unread) > 0 {
		message += fmt.Sprintf("; they differ in %s alone, which nothing reads under their other settings", strings.Join(unread, ", "))
	}
	if where == "[grid]" {
		where = "grid"
	}
	return Fault{File: s.Path, Key: where, Message: message}
}

// numbers names the values of the zips that a point has, by number: a zip may repeat a value, so values alone do not
// identify a point.
func (p point) numbers(counts func(axis int) bool) string {
	text := ""
	for i, axis := range p.axes {
		if counts(i) && axis[0].zip > 0 {
			text += fmt.Sprintf(" (number %d of [[zip]] %d)", p.at[i]+1, axis[0].zip)
		}
	}
	return text
}
