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

// wholeFold is SQLite's application_id of a database that has the whole of a fold. A database
// that has none yet may have any part of the files.
const wholeFold = 0x68726466

// markWhole records in the database, once, that a fold was complete.
func (s *Store) markWhole(ctx context.Context) error {
	if whole, err := s.isWhole(ctx); whole || err != nil {
		return err
	}
	_, err := s.db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", wholeFold))
	return err
}

func (s *Store) isWhole(ctx context.Context) (bool, error) {
	var id int64
	err := s.db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id)
	return id == wholeFold, err
}

// FoldedAt returns when the workspace was last folded completely; the zero time if it never
// was.
func (s *Store) FoldedAt() (time.Time, error) {
	whole, err := s.isWhole(context.Background())
	if err != nil {
		return time.Time{}, fmt.Errorf("read age of the fold: %w", withSentinel(err))
	}
	info, err := os.Stat(lockPath(s.path))
	if errors.Is(err, fs.ErrNotExist) || !whole {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read age of the fold: %w", err)
	}
	return info.ModTime(), nil
}
