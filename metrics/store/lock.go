package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// ErrLocked is returned when another process is folding and does not finish
// within two seconds. The database can be read all the same; FoldedAt says how old
// it is.
var ErrLocked = errors.New("another process is folding the workspace")

const lockWait = 2 * time.Second

// lock is the right to fold. The system releases it when its process dies.
type lock struct{ file *os.File }

func lockPath(database string) string { return database + ".lock" }

func acquire(ctx context.Context, database string) (*lock, error) {
	file, err := os.OpenFile(lockPath(database), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock database: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lockWait, ErrLocked)
	defer cancel()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return &lock{file}, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("lock database %q: %w", database, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("lock database %q: %w", database, context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// release gives the lock back by closing its file.
func (l *lock) release() { l.file.Close() }

// folded records the time of a complete fold as the time of the lock's file, which needs no
// transaction.
func (l *lock) folded(at time.Time) error {
	return os.Chtimes(l.file.Name(), at, at)
}

// FoldedAt returns when the workspace was last folded completely; the zero time if it never
// was.
func (s *Store) FoldedAt() (time.Time, error) {
	var folds int
	if err := s.db.QueryRow("SELECT count(*) FROM (SELECT 1 FROM run UNION ALL SELECT 1 FROM sweep UNION ALL SELECT 1 FROM evaluation LIMIT 1)").Scan(&folds); err != nil {
		return time.Time{}, fmt.Errorf("read age of the fold: %w", err)
	}
	info, err := os.Stat(lockPath(s.path))
	if errors.Is(err, fs.ErrNotExist) || folds == 0 {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read age of the fold: %w", err)
	}
	return info.ModTime(), nil
}
