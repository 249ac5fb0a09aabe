package pool

import (
	"context"
	"os"
	"time"
)

// WatchParent calls gone once when this process is no longer the child of parent.
// So a worker learns that nobody waits for it any more. It checks at intervals of
// every, and stops when ctx ends.
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
