package event

// Series that depend on the machine: a repeated step has other values.
const (
	SecondsSeries = "seconds"           // of the step, its data included
	TokensSeries  = "tokens_per_second" // tokens of the batch, padding left out, by those seconds
	MemorySeries  = "memory"            // resident bytes of the process, at every tenth step and the last; left out if the system does not say
)

// DependsOnMachine reports whether a series is of the machine and not of the run.
func DependsOnMachine(name string) bool {
	switch name {
	case SecondsSeries, TokensSeries, MemorySeries, ProbePrefix + "seconds":
		return true
	}
	return false
}
