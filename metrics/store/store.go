// Package store folds a workspace's files into one SQLite database and reads it.
//
// Contract. The files are the truth, and the database is computed from them (their fold):
// Rebuild makes an equal one again, also while others read it. One process at a time folds, holding a lock; every
// other command reads. Fold is incremental (it resumes each log where it stopped),
// idempotent, and may be killed anywhere. The views of migrations/0001.sql that its last
// section names stay as they are; tables may change.
//
// An attempt that resumed from step s owns every point from s on. What earlier attempts
// recorded from there on (points, head norms, episodes, verdicts) is dropped, even if an
// older process that still lives adds to it later.
//
// Nothing else in the program knows SQLite.
package store

import (
	"cmp"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mattn/go-sqlite3"
)

// ErrNewer is returned when a newer headroom made the database.
var ErrNewer = errors.New("a newer headroom made this database: use that, or make it again with `headroom db rebuild`")

// ErrDamaged is returned when the file is not a sound database; Rebuild makes a
// new one in its place.
var ErrDamaged = errors.New("database is damaged: `headroom db rebuild` makes it again from the files")

// ErrBusy is returned when another program has locked SQLite's file for longer than we
// wait. Nothing is lost by it.
var ErrBusy = errors.New("another program has locked the database; all results are safe in the workspace's files, and the next command folds them")

// busyWait is how long we wait for another program's lock of SQLite's file.
const busyWait = 5 * time.Second

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. It is safe for concurrent use.
type Store struct {
	path string
	now  func() time.Time
	db   *sql.DB // folds and reads
	ro   *sql.DB // answers a user's SQL

	memory memory
}

// Option changes how Open makes a Store.
type Option func(*Store)

// WithClock sets where the time of a fold comes from. Default time.Now.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// Open opens the database at path and makes it if there is none; its folder must
// exist. Locate says where a workspace's database belongs.
func Open(path string, options ...Option) (*Store, error) {
	s := &Store{path: path, now: time.Now}
	for _, o := range options {
		o(s)
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := checkNoFolder(path); err != nil {
		return nil, err
	}
	var err error
	if s.db, err = openWAL(path); err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, withSentinel(err))
	}
	if err := migrate(s.db); err != nil {
		s.db.Close()
		return nil, fmt.Errorf("open database %q: %w", path, withSentinel(err))
	}
	s.ro = openReadOnly(path)
	return s, nil
}

// checkNoFolder refuses a folder in the place of the database.
func checkNoFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("open database %q: it is a folder: remove it, or give it another name; the database is made again from the files", path)
	}
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	s.memory.close()
	return errors.Join(s.ro.Close(), s.db.Close())
}

// Path is the database's file.
func (s *Store) Path() string { return s.path }

// dsn sets the pragmas where every connection of the pool gets them. The log of a
// fold need not outlive a power cut, since the files do: hence synchronous NORMAL.
func dsn(path, mode string, queryOnly bool) string {
	v := url.Values{"mode": {mode}, "_foreign_keys": {"on"}, "_busy_timeout": {strconv.FormatInt(busyWait.Milliseconds(), 10)}}
	if queryOnly {
		v.Set("_query_only", "on")
	} else {
		v.Set("_synchronous", "NORMAL")
		v.Set("_txlock", "immediate")
		v.Set("_stmt_cache_size", "64") // a fold asks the same of every log
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: v.Encode()}).String()
}

// openWAL opens a database for folding and reading, and makes it if there is none. Its file
// keeps the write-ahead log as its mode. SQLite waits for no other connection when it sets
// that mode, so of several that open a new file at once all but one would fail: hence the
// waiting here.
func openWAL(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dsn(path, "rwc", false))
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(busyWait); ; time.Sleep(5 * time.Millisecond) {
		_, err := db.Exec("PRAGMA journal_mode = WAL")
		if err == nil {
			return db, nil
		}
		if !errors.Is(withSentinel(err), ErrBusy) || time.Now().After(deadline) {
			db.Close()
			return nil, err
		}
	}
}

// migrate brings the schema up to date. Its version is SQLite's user_version.
func migrate(db *sql.DB) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("%w (its schema is %d, this program's is %d)", ErrNewer, version, len(names))
	}
	if version == len(names) {
		return nil
	}
	tx, err := db.Begin() // immediate: of two that open a new file one waits here
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	for version < len(names) {
		text, err := migrations.ReadFile(names[version])
		if err != nil {
			return err
		}
		if _, err := tx.Exec(string(text)); err != nil {
			return fmt.Errorf("migrate with %s: %w", names[version], err)
		}
		version++
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}

// withSentinel wraps SQLite's errors in the sentinel errors on which callers branch.
func withSentinel(err error) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch primaryCode(e) {
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// primaryCode returns an error's code without the details, which extended codes have above
// their low byte. Errors of a copy have only Code, which then may be an extended one.
func primaryCode(e sqlite3.Error) sqlite3.ErrNo {
	return sqlite3.ErrNo(cmp.Or(int(e.ExtendedCode), int(e.Code)) & 0xff)
}
