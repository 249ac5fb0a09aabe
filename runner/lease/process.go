package lease

import (
	"fmt"
	"os"
)

// process identifies a process uniquely, also after its id is used again.
type process struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Start is the time at which it started, which a later process with the same id does
	// not share; empty if the system does not say.
	Start string `json:"start,omitempty"`
	// Machine is the boot and the process namespace in which PID is valid.
	Machine string `json:"machine"`
}

func thisProcess() (process, error) {
	host, err := os.Hostname()
	if err != nil {
		return process{}, fmt.Errorf("name this host: %w", err)
	}
	pid := os.Getpid()
	start, _ := startOf(pid)
	return process{Host: host, PID: pid, Start: start, Machine: machine(host)}, nil
}

// isLocal reports whether this process can look the other one up.
func (p process) isLocal() bool {
	host, err := os.Hostname()
	return err == nil && p.Machine != "" && p.Machine == machine(host)
}

// alive reports whether the process is alive. sure is false if its id is in use, perhaps by
// another process.
func (p process) alive() (alive, sure bool) {
	start, used := startOf(p.PID)
	if !used || start == "" || p.Start == "" {
		return used, !used
	}
	return start == p.Start, true
}
