package lease

import (
	"fmt"
	"os"
)

// process names a process among all that were and will be.
type process struct {
	Host string `json:"host"`
	PID  int    `json:"pid"`
	// Start tells it from a later one with the same id; empty if the system does
	// not say.
	Start string `json:"start,omitempty"`
	// Machine is the boot and the process namespace in which PID means something.
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

// alive reports whether the process is alive. sure is false if its id is in use and
// nothing says by whom.
func (p process) alive() (alive, sure bool) {
	start, used := startOf(p.PID)
	if !used || start == "" || p.Start == "" {
		return used, !used
	}
	return start == p.Start, true
}
