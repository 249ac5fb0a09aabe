package record

// The states of a run, in the words of the database, of commands and of pages. Package plan
// adds those that only a plan can see. The migrations of package store have these words as
// literals: SQL that has run on users' databases never changes.
const (
	// StateNew: the workspace has nothing of it.
	StateNew = "new"
	// StateQueued: written into the workspace, waiting for its first attempt.
	StateQueued = "queued"
	// StateRunning: a live process holds it.
	StateRunning = "running"
	// StateInterrupted: begun, not ended, and no process works on it; run resumes it.
	StateInterrupted = "interrupted"
	// StateFailed: the last attempt ended in an error; run tries it again.
	StateFailed = "failed"
	// StateDone: finished, collapsed or not.
	StateDone = "done"
)
