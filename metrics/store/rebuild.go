package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"

	"headroom/internal/atomic"
)

// Rebuild makes the database at path again from the workspace's files, whatever is wrong
// with it. It folds into a new database beside it, whose content then becomes that of the
// old one in one transaction: a reader, also one that has the database open, sees the old
// content or the new one. A file in which SQLite finds no database is overwritten, while nobody
// has it open. Rebuild waits for the lock as Fold does, and returns *Damage if files were bad.
func Rebuild(ctx context.Context, workspace, path string, options ...Option) error {
	if err := checkNoFolder(path); err != nil {
		return fmt.Errorf("rebuild database: %w", err)
	}
	lock, err := acquire(ctx, path)
	if err != nil {
		return fmt.Errorf("rebuild database: %w", err)
	}
	defer lock.release()
	folder, err := newFolderBeside(path)
	if err != nil {
		return fmt.Errorf("rebuild database: %w", err)
	}
	defer os.RemoveAll(folder)
	fresh, err := Open(filepath.Join(folder, FileName), options...)
	if err != nil {
		return fmt.Errorf("rebuild database: %w", err)
	}
	folding := Fold(ctx, workspace, fresh)
	err = fresh.Close() // writes everything into the one file
	if folding != nil && !errors.As(folding, new(*Damage)) {
		return fmt.Errorf("rebuild database: %w", errors.Join(folding, err))
	}
	if err == nil {
		err = copyDatabase(ctx, fresh.path, path)
	}
	if isNoDatabase(err) {
		err = overwrite(ctx, fresh.path, path)
	}
	if err == nil {
		err = lock.folded(fresh.now())
	}
	if err != nil {
		return fmt.Errorf("rebuild database: %w", err)
	}
	return folding
}

// newFolderBeside makes an empty folder beside a database. It removes those that killed
// processes have left there, so its caller holds the lock.
func newFolderBeside(path string) (string, error) {
	folder, begin := filepath.Dir(path), atomic.Unfinished+filepath.Base(path)+"."
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), begin) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(folder, begin+"*")
}

// copyDatabase replaces the content of the database at path with that of another one, in
// one transaction.
func copyDatabase(ctx context.Context, from, path string) error {
	source, closeSource, err := connect(ctx, from)
	if err != nil {
		return err
	}
	defer closeSource()
	target, closeTarget, err := connect(ctx, path)
	if err != nil {
		return err
	}
	defer closeTarget()
	err = target.Raw(func(to any) error {
		return source.Raw(func(from any) error {
			return copyPages(ctx, from.(*sqlite3.SQLiteConn), to.(*sqlite3.SQLiteConn))
		})
	})
	if err != nil {
		return withSentinel(err)
	}
	// The log now has a copy of every page. If nobody reads, it is emptied at once; otherwise the
	// last reader's end does it.
	for _, pragma := range []string{"PRAGMA busy_timeout = 0", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := target.ExecContext(ctx, pragma); err != nil {
			return withSentinel(err)
		}
	}
	return nil
}

// copyPages copies all pages in one transaction. An error leaves the target as it was.
func copyPages(ctx context.Context, from, to *sqlite3.SQLiteConn) error {
	const atOnce = 4096 // pages between two looks at the context
	backup, err := to.Backup("main", from, "main")
	if err != nil {
		return err
	}
	for {
		before := backup.Remaining()
		done, err := backup.Step(atOnce)
		if err == nil && done { // and committed
			return backup.Finish()
		}
		switch {
		case err != nil:
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case backup.Remaining() == before: // Step has waited, and reports a lock as no progress
			err = ErrBusy
		default:
			continue
		}
		_ = backup.Finish() // undoes the transaction; its error is that of Step
		return err
	}
}

// connect opens a database with one connection.
func connect(ctx context.Context, path string) (*sql.Conn, func(), error) {
	db, err := openWAL(path)
	if err != nil {
		return nil, nil, withSentinel(err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, nil, withSentinel(err)
	}
	return conn, func() { conn.Close(); db.Close() }, nil
}

// isNoDatabase reports whether an error says that a file cannot take the pages of a
// database: it is damaged, or its pages have another size, which SQLite calls read-only.
func isNoDatabase(err error) bool {
	var e sqlite3.Error
	return errors.Is(err, ErrDamaged) || errors.As(err, &e) && primaryCode(e) == sqlite3.ErrReadonly
}

// overwrite copies a closed database over a file that is none. The file stays the same one, and
// is locked: a program that has it open, or opens it meanwhile, would otherwise use the logs of
// one database with the other.
func overwrite(ctx context.Context, from, path string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }() // also unlocks it
	if err := lockForSQLite(ctx, target); err != nil {
		return err
	}
	for _, name := range []string{path + "-wal", path + "-shm", path + "-journal"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	size, err := io.Copy(target, source)
	if err != nil {
		return err
	}
	return errors.Join(target.Truncate(size), target.Sync())
}

// lockForSQLite takes the lock that SQLite's writers take before they change a file. Nobody gets
// it while another process has the file open as a database with a log.
func lockForSQLite(ctx context.Context, file *os.File) error {
	// The bytes that SQLite calls pending, reserved and shared.
	bytes := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 0x40000000, Len: 2 + 510}
	for deadline := time.Now().Add(busyWait); ; {
		err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &bytes)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("lock %q: %w", file.Name(), err)
		case time.Now().After(deadline):
			return ErrBusy
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
