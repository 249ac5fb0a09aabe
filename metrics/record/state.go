package record

import "headroom/metrics/event"

// The states of a run, in the words of the database, of commands and of pages. Those in which an attempt ends are the
// event log's. Package plan adds those that only a plan can see. The migrations of package store have these words as
// literals: SQL that has run on users' databases never changes.
const (
	// StateNew: the workspace has nothing of it.
	StateNew = "new"
	// StateQueued: written into the workspace, waiting for its first attempt.
	StateQueued = "queued"
	// StateRunning: a live process holds it.
	StateRunning = "running"
	// StateInterrupted: begun, not ended, and no process works on it; run resumes it.
	StateInterrupted = event.StateInterrupted
	// StateFailed: the last attempt ended in an error; run tries it again.
	StateFailed = event.StateFailed
	// StateDone: finished, collapsed or not.
	StateDone = event.StateDone
)
