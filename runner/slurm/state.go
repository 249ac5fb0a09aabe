package slurm

import "strings"

// State is the word that Slurm has for where a task is: "PENDING".
type State string

// newState takes the first word: what follows differs ("CANCELLED by 0", "RUNNING+").
func newState(text string) State {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return State(strings.TrimRight(word, "+"))
}

// Over tells whether the task will not go on by itself. A word that is not known is not over.
func (s State) Over() bool {
	switch s {
	case "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY",
		"BOOT_FAIL", "DEADLINE", "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL":
		return true
	}
	return false
}

// Waiting tells whether the task has not begun, or has to begin again.
func (s State) Waiting() bool {
	switch s {
	case "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD", "CONFIGURING":
		return true
	}
	return false
}

// Cause says of what a task died, in plain words; "" for one that did not, or of which
// the state alone says nothing.
func (s State) Cause() string {
	switch s {
	case "TIMEOUT":
		return "the time limit"
	case "OUT_OF_MEMORY":
		return "memory: it used more than the job was given"
	case "NODE_FAIL":
		return "a failure of its node"
	case "BOOT_FAIL":
		return "a node that did not start"
	case "PREEMPTED":
		return "preemption by another job"
	case "DEADLINE":
		return "its deadline"
	case "CANCELLED":
		return "being cancelled"
	}
	return ""
}

// memoryHints are what Slurm writes into a task's log when it kills for memory without
// cgroups, where the state is only FAILED.
func memoryHints() []string {
	return []string{"Exceeded job memory limit", "oom_kill", "oom-kill", "Out Of Memory", "memory limit"}
}

// KilledForMemory tells whether the end of a task's log says that it was.
func KilledForMemory(log string) bool {
	for _, hint := range memoryHints() {
		if strings.Contains(log, hint) {
			return true
		}
	}
	return false
}
