package sweeps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Slurm is where and how the tasks of a sweep are submitted. Nothing in it changes a
// run, and `headroom run` does not read it.
type Slurm struct {
	// Partition, Account, QOS, Gres and Mem go to sbatch as they are; "" leaves each to the cluster.
	Partition, Account, QOS, Gres, Mem string
	// Time is the limit of a task as sbatch takes it, or "auto" (default): plan's prediction with a margin.
	Time string
	// CPUs of a task; 0 (default) leaves it to the cluster.
	CPUs int
	// Throttle is the most tasks of an array at a time; 0 (default) is no limit.
	Throttle int
	// Bundle is the number of runs that a task does one after the other; 0 (default) bundles short runs.
	Bundle int
	// Requeue is how often a stopped task is queued again without the user. Default 3; 0 is never.
	Requeue int
	// Signal is the signal that Slurm sends before a task's end. Default "USR1".
	Signal string
	// Lead is how many seconds before its end a task writes its checkpoint. Default 120.
	Lead int
	// Prelude are shell lines before the program starts.
	Prelude []string
	// Extra are further options of sbatch.
	Extra []string

	// set lists the keys that were set, in their order.
	set []string
}

// slurmKey is one key of [slurm]: how it is read, and how it is copied from another table.
type slurmKey struct {
	name, allowed string
	text          func(*Slurm) *string
	number        func(*Slurm) *int
	lines         func(*Slurm) *[]string
	wrong         func(text string) string
	from, to      int
}

// slurmKeys lists the keys in the order of messages.
func slurmKeys() []slurmKey {
	word := func(name, allowed string, at func(*Slurm) *string) slurmKey {
		return slurmKey{name: name, allowed: allowed, text: at, wrong: wrongWord}
	}
	number := func(name string, from, to int, allowed string, at func(*Slurm) *int) slurmKey {
		return slurmKey{name: name, allowed: allowed, number: at, from: from, to: to}
	}
	return []slurmKey{
		word("partition", "a partition's name", func(s *Slurm) *string { return &s.Partition }),
		word("account", "an account's name", func(s *Slurm) *string { return &s.Account }),
		word("qos", "the name of a quality of service", func(s *Slurm) *string { return &s.QOS }),
		{name: "time", allowed: `"auto", or a limit as sbatch takes it: "90" (minutes), "8:00:00", "2-12:00:00"`,
			text: func(s *Slurm) *string { return &s.Time }, wrong: wrongTime},
		word("gres", `such as "gpu:1"`, func(s *Slurm) *string { return &s.Gres }),
		number("cpus", 0, 4096, "integer ≥ 0; 0 leaves it to the cluster", func(s *Slurm) *int { return &s.CPUs }),
		{name: "mem", allowed: `such as "32G"`, text: func(s *Slurm) *string { return &s.Mem }, wrong: wrongMemory},
		number("throttle", 0, 1<<20, "integer ≥ 0; 0 is no limit", func(s *Slurm) *int { return &s.Throttle }),
		number("bundle", 0, 1000, "integer ≥ 0: runs per task; 0 puts short ones together", func(s *Slurm) *int { return &s.Bundle }),
		number("requeue", 0, 1000, "integer ≥ 0; 0 is never", func(s *Slurm) *int { return &s.Requeue }),
		{name: "signal", allowed: `"USR1", "USR2"`, text: func(s *Slurm) *string { return &s.Signal },
			wrong: func(text string) string { return notOneOf(text, []string{"USR1", "USR2"}) }},
		number("lead", 10, 65535, "seconds, 10 to 65535", func(s *Slurm) *int { return &s.Lead }),
		{name: "prelude", allowed: "a string or an array of strings, shell lines", lines: func(s *Slurm) *[]string { return &s.Prelude }, wrong: wrongShell},
		{name: "extra", allowed: "a string or an array of strings, options of sbatch such as \"--constraint=a100\"", lines: func(s *Slurm) *[]string { return &s.Extra }, wrong: wrongOption},
	}
}

// SlurmDefaults are the values of keys that no table sets.
func SlurmDefaults() Slurm {
	return Slurm{Time: "auto", Requeue: 3, Signal: "USR1", Lead: 120}
}

// Or returns s with the keys that it does not set taken from other.
func (s Slurm) Or(other Slurm) Slurm {
	merged := other
	for _, k := range slurmKeys() {
		if !slices.Contains(s.set, k.name) {
			continue
		}
		switch {
		case k.text != nil:
			*k.text(&merged) = *k.text(&s)
		case k.number != nil:
			*k.number(&merged) = *k.number(&s)
		default:
			*k.lines(&merged) = *k.lines(&s)
		}
		if !slices.Contains(merged.set, k.name) {
			merged.set = append(merged.set[:len(merged.set):len(merged.set)], k.name)
		}
	}
	return merged
}

// slurmKeyOf returns the key that is written as slurm.NAME; ok is false if there is none.
func slurmKeyOf(written string) (k slurmKey, ok bool) {
	keys := slurmKeys()
	i := slices.IndexFunc(keys, func(k slurmKey) bool { return "slurm."+k.name == written })
	if i < 0 {
		return slurmKey{}, false
	}
	return keys[i], true
}

// unknownSlurmKey is the fault of a key that [slurm] does not have.
func unknownSlurmKey(file, key, value string) Fault {
	var names []string
	for _, k := range slurmKeys() {
		names = append(names, "slurm."+k.name)
	}
	return Fault{File: file, Key: key, Value: value, Message: "unknown key", Allowed: strings.Join(names, ", "), Near: nearest(key, names)}
}

func (s *Slurm) read(doc *document, l leaf, faults *Faults) {
	if len(l.path) == 1 {
		if !l.table {
			faults.add(Fault{File: doc.file, Key: "slurm", Value: shortText(doc.any(l.value)), Message: "is not a table"})
		}
		return
	}
	k, ok := slurmKeyOf(l.key())
	if !ok {
		faults.add(unknownSlurmKey(doc.file, l.key(), shortText(doc.any(l.value))))
		return
	}
	s.set = append(s.set[:len(s.set):len(s.set)], k.name)
	fault := func(message string) {
		faults.add(Fault{File: doc.file, Key: l.key(), Value: shortText(doc.any(l.value)), Message: message, Allowed: k.allowed})
	}
	switch {
	case k.text != nil:
		*k.text(s) = doc.string(l, k.allowed, k.wrong, faults)
	case k.number != nil:
		n := k.number(s)
		if err := doc.md.PrimitiveDecode(l.value, n); err != nil {
			fault("is " + kindOf(doc.any(l.value)))
		} else if *n < k.from || *n > k.to {
			fault("is out of range")
		}
	default:
		var list References
		if err := doc.md.PrimitiveDecode(l.value, &list); err != nil {
			fault("is " + kindOf(doc.any(l.value)))
			return
		}
		for i, line := range list {
			if problem := k.wrong(line); problem != "" {
				fault(fmt.Sprintf("element %d: %s", i+1, problem))
			}
		}
		*k.lines(s) = list
	}
}

var (
	slurmWord   = regexp.MustCompile(`^[A-Za-z0-9._:,/=@+*()&|-]+$`)
	slurmMemory = regexp.MustCompile(`^[1-9][0-9]*[KMGT]?$`)
)

// wrongWord guards a word in a line of the script that sbatch reads.
func wrongWord(text string) string {
	if !slurmWord.MatchString(text) {
		return "is empty, or has a character that no such name has"
	}
	return ""
}

func wrongMemory(text string) string {
	if !slurmMemory.MatchString(text) {
		return "is not a size"
	}
	return ""
}

func wrongTime(text string) string {
	if text == "auto" {
		return ""
	}
	if _, err := SlurmTime(text); err != nil {
		return err.Error()
	}
	return ""
}

func wrongLine(line string) string {
	if strings.ContainsAny(line, "\x00\r\n") {
		return "holds a NUL or the end of a line"
	}
	return ""
}

// wrongShell guards shell lines of the script: they may be several, and hold anything but a NUL.
func wrongShell(text string) string {
	if strings.ContainsRune(text, 0) {
		return "holds a NUL"
	}
	return ""
}

// ownOptions lists the options of sbatch that submit sets itself.
func ownOptions() []string {
	return []string{"array", "job-name", "output", "error", "open-mode", "signal", "requeue", "no-requeue", "dependency", "chdir",
		"parsable", "wrap", "wait", "time", "export", "test-only", "comment", "kill-on-invalid-dep"}
}

func wrongOption(option string) string {
	if problem := wrongLine(option); problem != "" {
		return problem
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(option, "--"), "=")
	switch {
	case !strings.HasPrefix(option, "--") || name == "" || strings.ContainsAny(name, " \t"):
		return fmt.Sprintf("%q is not of the form --NAME or --NAME=VALUE", option)
	case slices.Contains(ownOptions(), name):
		return fmt.Sprintf("%q is set by submit itself", "--"+name)
	}
	return ""
}
