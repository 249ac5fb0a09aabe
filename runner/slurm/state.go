package slurm

import "strings"

// State is Slurm's word for the state of a task: "PENDING".
type State string

// newState takes the first word, because the rest differs ("CANCELLED by 0", "RUNNING+").
func newState(text string) State {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return State(strings.TrimRight(word, "+"))
}

// Over reports whether the task has ended and will not begin again by itself. It is false for an unknown word.
func (s State) Over() bool {
	switch s {
	case "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY",
		"BOOT_FAIL", "DEADLINE", "REVOKED", "LAUNCH_FAILED", "RECONFIG_FAIL":
		return true
	}
	return false
}

// Waiting reports whether the task has not begun, or has to begin again.
func (s State) Waiting() bool {
	switch s {
	case "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD", "CONFIGURING":
		return true
	}
	return false
}

// Cause returns the cause of a task's death in plain words; "" for a task that did not die,
// or if the state alone does not show the cause.
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

// memoryHints returns parts of Slurm's messages in a task's log when it kills the task for its
// memory without cgroups. The state is then only FAILED.
func memoryHints() []string {
	return []string{"Exceeded job memory limit", "oom_kill", "oom-kill", "Out Of Memory", "memory limit"}
}

// KilledForMemory reports whether the end of a task's log says that it was killed for its memory.
func KilledForMemory(log string) bool {
	for _, hint := range memoryHints() {
		if strings.Contains(log, hint) {
			return true
		}
	}
	return false
}
