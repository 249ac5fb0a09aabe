package sweeps

import (
	"fmt"
	"strings"
)

// Slurm is where and how an array of runs is submitted. Nothing in it changes a
// run, and `headroom run` does not read it.
type Slurm struct {
	Partition, Time, Gres, Account string
	// Throttle is the most tasks at a time; 0 is no limit.
	Throttle int
	// Prelude are shell lines before the program starts.
	Prelude []string
	// Extra are further options of sbatch.
	Extra []string
}

func (s *Slurm) read(doc *document, l leaf, faults *Faults) {
	if len(l.path) == 1 {
		if !l.table {
			faults.add(Fault{File: doc.file, Key: "slurm", Value: shown(doc.any(l.value)), Message: "is not a table"})
		}
		return
	}
	key := l.key()
	line := func(text string) string {
		if text == "" || strings.ContainsAny(text, "\n\r\x00") {
			return "empty, or more than one line"
		}
		return ""
	}
	switch key {
	case "slurm.partition":
		s.Partition = doc.string(l, "a partition's name", line, faults)
	case "slurm.time":
		s.Time = doc.string(l, `a time limit as sbatch takes it, such as "8:00:00"`, line, faults)
	case "slurm.gres":
		s.Gres = doc.string(l, `such as "gpu:1"`, line, faults)
	case "slurm.account":
		s.Account = doc.string(l, "an account's name", line, faults)
	case "slurm.throttle":
		if err := doc.md.PrimitiveDecode(l.value, &s.Throttle); err != nil || s.Throttle < 0 {
			faults.add(Fault{File: doc.file, Key: key, Value: shown(doc.any(l.value)), Message: "is not a limit", Allowed: "integer ≥ 0; 0 is no limit"})
		}
	case "slurm.prelude":
		s.Prelude = doc.lines(l, faults)
	case "slurm.extra":
		s.Extra = doc.lines(l, faults)
	default:
		keys := []string{"slurm.partition", "slurm.time", "slurm.gres", "slurm.account", "slurm.throttle", "slurm.prelude", "slurm.extra"}
		faults.add(Fault{File: doc.file, Key: key, Value: shown(doc.any(l.value)), Message: "unknown key", Allowed: strings.Join(keys, ", "), Near: nearest(key, keys)})
	}
}

// lines decodes a string or an array of strings.
func (d *document) lines(l leaf, faults *Faults) []string {
	var list References
	if err := d.md.PrimitiveDecode(l.value, &list); err != nil {
		raw := d.any(l.value)
		faults.add(Fault{File: d.file, Key: l.key(), Value: shown(raw), Message: "is " + kindOf(raw), Allowed: "a string or an array of strings"})
		return nil
	}
	for i, line := range list {
		if strings.ContainsRune(line, 0) {
			faults.add(Fault{File: d.file, Key: l.key(), Message: fmt.Sprintf("element %d holds a NUL", i+1)})
		}
	}
	return list
}
