package sweeps

import (
	"fmt"
	"strings"

	"headroom/internal/alike"
)

// Fault is one thing wrong with a file or an override.
type Fault struct {
	// File is the file's name, or "command line".
	File string
	// Key is the dotted key; empty for faults of the whole file.
	Key string
	// Value is the offending value as it would be written in TOML; empty if
	// none applies.
	Value string
	// Allowed says what the key accepts.
	Allowed string
	// Message says what is wrong.
	Message string
	// Near is the nearest valid key, for a key that is unknown.
	Near string
}

func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	b.WriteString(": ")
	if f.Key != "" {
		b.WriteString(f.Key)
		if f.Value != "" {
			b.WriteString(" = ")
			b.WriteString(f.Value)
		}
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	if f.Allowed != "" {
		b.WriteString("; allowed: ")
		b.WriteString(f.Allowed)
	}
	if f.Near != "" {
		fmt.Fprintf(&b, "; did you mean %q?", f.Near)
	}
	return b.String()
}

// Faults is every fault found, in the order of the file. It is returned when a
// sweep, a recipe, an override or a filter is not valid.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(alike.Lines(lines), "\n")
}

// orNil keeps an empty list from becoming a non-nil error.
func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// maxFaults bounds a report: a file with more faults is probably not a sweep at all.
const maxFaults = 200

// full reports whether the list takes no more faults.
func (f *Faults) full() bool { return len(*f) >= maxFaults }

// add appends a fault unless the same one is already there: a fixed value that
// is wrong in every point of a grid is still one fault.
func (f *Faults) add(fault Fault) {
	if f.full() {
		return
	}
	for _, known := range *f {
		if known == fault {
			return
		}
	}
	*f = append(*f, fault)
	if len(*f) == maxFaults-1 {
		*f = append(*f, Fault{File: fault.File, Message: "and more faults than are listed"})
	}
}
