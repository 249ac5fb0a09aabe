package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"headroom/internal/alike"
)

// Damage is returned by Fold when some files could not be read. Everything else is
// folded; of a damaged log, all lines before the damage.
type Damage struct{ Faults []error }

func (d *Damage) Error() string {
	lines := make([]string, len(d.Faults))
	for i, fault := range d.Faults {
		lines[i] = fault.Error()
	}
	return strings.Join(alike.Lines(lines), "\n")
}

func (d *Damage) Unwrap() []error { return d.Faults }

// Fold brings the database up to date with the workspace's files. It returns
// ErrLocked when another process is folding, and *Damage when files were bad.
func Fold(ctx context.Context, workspace string, st *Store) error {
	lock, err := acquire(ctx, st.path)
	if err != nil {
		return fmt.Errorf("fold workspace: %w", err)
	}
	defer lock.release()
	return st.foldLocked(ctx, workspace, lock)
}

func (s *Store) foldLocked(ctx context.Context, workspace string, lock *lock) error {
	s.memory.folding.Lock()
	defer s.memory.folding.Unlock()
	version, err := s.Version(ctx)
	if err != nil {
		return fmt.Errorf("fold workspace %q: %w", workspace, err)
	}
	f := &fold{ctx: ctx, workspace: workspace, db: s.db, now: s.now(), memory: &s.memory, again: version == s.memory.version}
	s.memory.version = Version{}
	if err := f.all(); err != nil {
		return fmt.Errorf("fold workspace %q: %w", workspace, f.cause(err))
	}
	if f.wrote {
		s.memory.state = nil
	}
	if err := s.markWhole(ctx); err != nil {
		return fmt.Errorf("fold workspace %q: %w", workspace, f.cause(err))
	}
	if s.memory.version, err = s.Version(ctx); err != nil {
		return fmt.Errorf("fold workspace %q: %w", workspace, err)
	}
	if err := lock.folded(s.now()); err != nil {
		return fmt.Errorf("fold workspace %q: %w", workspace, err)
	}
	return f.damage()
}

// fold is one pass over a workspace.
type fold struct {
	ctx       context.Context
	workspace string
	db        *sql.DB
	faults    []error
	now       time.Time
	memory    *memory
	// again is true if nobody has written to the database since this Store's last fold.
	again bool
	// wrote is true if this pass has written, unsettled if settle must decide again.
	wrote, unsettled bool
}

// inTx folds one run, sweep or evaluation in one transaction.
func (f *fold) inTx(do func(*sql.Tx) error) error {
	f.wrote = true
	tx, err := f.db.BeginTx(f.ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// cause returns why a pass ended: the context's error if it was cancelled, even if a
// statement failed with another one.
func (f *fold) cause(err error) error {
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	return withSentinel(err)
}

// fault records a bad file; the pass continues.
func (f *fold) fault(err error) { f.faults = append(f.faults, err) }

func (f *fold) damage() error {
	if len(f.faults) == 0 {
		return nil
	}
	return &Damage{f.faults}
}

func (f *fold) all() error {
	before := f.memory.state
	if before == nil || !f.again {
		var err error
		if before, err = f.state(); err != nil {
			return err
		}
	}
	f.memory.state = before
	if err := f.sweeps(before); err != nil {
		return err
	}
	runs, err := folders(filepath.Join(f.workspace, "runs"))
	if err != nil {
		return err
	}
	for _, run := range runs {
		if err := f.ctx.Err(); err != nil {
			return err
		}
		if f.memory.isReadLately(run, f.now) {
			continue
		}
		wrote, faults := f.wrote, len(f.faults)
		f.wrote = false
		if err := f.run(run, before); err != nil {
			return fmt.Errorf("run %q: %w", run, err)
		}
		if err := f.evaluations(path.Join("runs", run, "evaluations"), run, before); err != nil {
			return fmt.Errorf("run %q: %w", run, err)
		}
		f.memory.keepRead(run, f.now, !f.wrote && len(f.faults) == faults && before.over(run, f.now))
		f.wrote = f.wrote || wrote
	}
	if err := f.evaluations("baselines", "", before); err != nil {
		return err
	}
	if err := f.forget(runs, before); err != nil {
		return err
	}
	return f.settle()
}

// state is the content of the database before a pass. It is read at once, so that a pass
// without news needs no query per file.
type state struct {
	runs     map[string]int64
	written  map[string]bool // runs whose folder was there
	outlined map[string]int  // the version of each run's outlines, 0 for none
	attempts map[int64]map[int]folded
	// stamps of evaluations, by the folder that they are in and their name there; of sweeps by name.
	evaluations map[string]map[string]string
	sweeps      map[string]string
}

// folded is how far a log is folded, and the state of its file at that time.
type folded struct {
	offset, seq, modified int64
	tail                  string
	ended                 bool
}

func (f *fold) state() (*state, error) {
	s := &state{runs: map[string]int64{}, written: map[string]bool{}, outlined: map[string]int{}, attempts: map[int64]map[int]folded{},
		evaluations: map[string]map[string]string{}, sweeps: map[string]string{}}
	var text, stamp string
	var id int64
	var n, outlined int
	var written bool
	var at folded
	return s, errors.Join(
		f.each("SELECT run, id, written, outlined FROM run", func() { s.runs[text], s.written[text], s.outlined[text] = id, written, outlined }, &text, &id, &written, &outlined),
		f.each("SELECT run_id, n, byte_offset, seq, modified, tail, state IS NOT NULL FROM attempt", func() {
			if s.attempts[id] == nil {
				s.attempts[id] = map[int]folded{}
			}
			s.attempts[id][n] = at
		}, &id, &n, &at.offset, &at.seq, &at.modified, &at.tail, &at.ended),
		f.each("SELECT folder, stamp FROM evaluation", func() {
			folder, name := path.Split(text)
			folder = path.Clean(folder)
			if s.evaluations[folder] == nil {
				s.evaluations[folder] = map[string]string{}
			}
			s.evaluations[folder][name] = stamp
		}, &text, &stamp),
		f.each("SELECT sweep, stamp FROM sweep", func() { s.sweeps[text] = stamp }, &text, &stamp),
	)
}

// ended reports whether the last of some attempts has ended.
func ended(attempts map[int]folded) bool {
	last := 0
	for n := range attempts {
		last = max(last, n)
	}
	return attempts[last].ended
}

// querier is a database, or a transaction on one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (f *fold) each(query string, row func(), into ...any) error {
	return f.rows(f.db, query, row, into...)
}

// rows calls a function for each row of an answer, after it has put the row's columns into
// the variables.
func (f *fold) rows(db querier, query string, row func(), into ...any) error {
	rows, err := db.QueryContext(f.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		row()
	}
	return rows.Err()
}

// forget removes from the database what no longer has a file.
func (f *fold) forget(runs []string, before *state) error {
	there := map[string]bool{}
	for _, run := range runs {
		there[run] = true
	}
	var gone []string
	for run, id := range before.runs {
		if !there[run] && (len(before.attempts[id]) > 0 || before.written[run]) {
			gone = append(gone, run)
		}
	}
	var idle []string
	var run string
	err := f.each("SELECT run FROM run WHERE id NOT IN (SELECT run_id FROM member)", func() {
		if !there[run] {
			idle = append(idle, run)
		}
	}, &run)
	if err != nil || len(gone)+len(idle) == 0 {
		return err
	}
	f.unsettled = true // evaluations go with runs
	return f.inTx(func(tx *sql.Tx) error {
		for _, run := range gone {
			if err := deleteRows(f.ctx, tx, before.runs[run]); err != nil {
				return err
			}
			for _, query := range []string{"UPDATE run SET written = 0, outlined = 0 WHERE id = ?", "DELETE FROM evaluation WHERE run_id = ?"} {
				if _, err := tx.ExecContext(f.ctx, query, before.runs[run]); err != nil {
					return err
				}
			}
		}
		for _, run := range idle {
			if _, err := tx.ExecContext(f.ctx, "DELETE FROM run WHERE run = ?", run); err != nil {
				return err
			}
		}
		return nil
	})
}

// folders lists the folders in a folder, which need not exist, by name. Names with a
// leading dot belong to files that are being written.
func folders(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// runID returns the row of a run, and inserts it if it is missing.
func runID(ctx context.Context, tx *sql.Tx, run string) (int64, error) {
	var id int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM run WHERE run = ?", run).Scan(&id)
	if !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO run (run) VALUES (?)", run)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}
