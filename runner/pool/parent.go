package pool

import (
	"context"
	"os"
	"time"
)

// WatchParent calls a function once when this process is no longer the child of its parent:
// no process waits for this worker any more. It checks at an interval until the context
// ends.
func WatchParent(ctx context.Context, parent int, every time.Duration, gone func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for os.Getppid() == parent {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
	gone()
}
