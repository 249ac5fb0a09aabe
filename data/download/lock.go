package download

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lockPoll is the time between two looks at a lock that another process holds.
const lockPoll = 100 * time.Millisecond

// Lock makes a lock file with its folder, and waits for the lock. Of several processes and
// goroutines that want the same file, one fetches it and the others wait. locked is false
// if the file system has no locks.
func Lock(ctx context.Context, path string) (unlock func(), locked bool, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, false, fmt.Errorf("make a lock: %w", err)
	}
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, false, fmt.Errorf("make a lock: %w", err)
		}
		locked, possible := tryLock(f)
		if !possible {
			f.Close()
			return func() {}, false, nil
		}
		if locked {
			mine, err := f.Stat()
			if there, other := os.Stat(path); err == nil && other == nil && os.SameFile(mine, there) {
				return func() { f.Close() }, true, nil
			}
		}
		f.Close() // held, or removed by its former holder
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}
