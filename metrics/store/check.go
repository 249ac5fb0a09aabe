package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ErrDiffers is returned by Check when the database is sound but not the fold of
// the files.
var ErrDiffers = errors.New("database is not the fold of the workspace's files: `headroom db rebuild` makes it again")

// Check folds, lets SQLite check the file, and compares the database with a new fold in a
// temporary folder. Its error is *Damage if files of the workspace are damaged.
func Check(ctx context.Context, workspace string, st *Store) error {
	lock, err := acquire(ctx, st.path)
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	defer lock.release()
	if err := st.sound(ctx); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	folder, err := os.MkdirTemp("", "headroom-check-*")
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	defer os.RemoveAll(folder)
	fresh, err := Open(filepath.Join(folder, FileName))
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	defer fresh.Close()

	// A run may add a line between the two folds, so only a difference that stays counts.
	var difference string
	for range 4 {
		damage := st.foldLocked(ctx, workspace, lock)
		if damage != nil && !errors.As(damage, new(*Damage)) {
			return fmt.Errorf("check database: %w", damage)
		}
		if err := Fold(ctx, workspace, fresh); err != nil && !errors.As(err, new(*Damage)) {
			return fmt.Errorf("check database: %w", err)
		}
		if difference, err = firstDifference(ctx, st, fresh); err != nil {
			return fmt.Errorf("check database: %w", err)
		}
		if difference == "" {
			return damage
		}
	}
	return fmt.Errorf("check database: %w: %s", ErrDiffers, difference)
}

// sound returns an error if SQLite's own checks find a fault.
func (s *Store) sound(ctx context.Context) error {
	for _, pragma := range []string{"PRAGMA integrity_check", "PRAGMA foreign_key_check"} {
		t, err := s.Query(ctx, pragma)
		if err != nil {
			return err
		}
		for _, row := range t.Rows {
			if text := fmt.Sprint(row...); text != "ok" {
				return fmt.Errorf("%w: %s", ErrDamaged, text)
			}
		}
	}
	return nil
}

// firstDifference compares two dumps line by line while they are made.
func firstDifference(ctx context.Context, a, b *Store) (string, error) {
	dump := func(s *Store) (*bufio.Reader, *io.PipeReader) {
		r, w := io.Pipe()
		go func() { w.CloseWithError(s.Dump(ctx, w)) }()
		return bufio.NewReader(r), r
	}
	ours, oursPipe := dump(a)
	defer oursPipe.Close()
	theirs, theirsPipe := dump(b)
	defer theirsPipe.Close()
	for {
		one, oneErr := ours.ReadString('\n')
		two, twoErr := theirs.ReadString('\n')
		for _, err := range []error{oneErr, twoErr} {
			if err != nil && err != io.EOF {
				return "", err
			}
		}
		if one != two {
			return fmt.Sprintf("it has %q where the files give %q", strings.TrimSpace(one), strings.TrimSpace(two)), nil
		}
		if oneErr == io.EOF {
			return "", nil
		}
	}
}

// Dump writes the content of the database in a fixed order: two folds of the same files
// give the same bytes, however each was made. Row numbers, which depend on the order of
// folding, and stamps, which describe files, are left out.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, part := range []struct{ name, query string }{
		{"sweep", "SELECT sweep, revision, question FROM sweep ORDER BY 1"},
		{"member", "SELECT m.sweep, m.revision, m.position, r.run, m.label, m.backbone, m.rescale, m.seed, m.config, m.added FROM member m JOIN run r ON r.id = m.run_id ORDER BY 1, 2, 3"},
		{"baseline_member", "SELECT * FROM baseline_member ORDER BY sweep, position"},
		{"asked", "SELECT * FROM asked ORDER BY sweep, position"},
		{"reference", "SELECT * FROM reference ORDER BY reference, split"},
		{"run", "SELECT run, written, outlined FROM run ORDER BY 1"},
		{"attempt", `SELECT r.run, a.n, a.byte_offset, a.seq, a.from_step, a.steps, a.host, a.pid, a.facts, a.started_ms, a.last_ms, a.last_step, a.state, a.seconds, a.error, a.weights
			FROM attempt a JOIN run r ON r.id = a.run_id ORDER BY 1, 2`},
		{"point", "SELECT r.run, p.name, p.step, p.attempt, p.value FROM point_value p JOIN run r ON r.id = p.run_id WHERE p.value IS NOT NULL ORDER BY 1, 2, 3"},
		{"outline", "SELECT r.run, o.name, hex(o.curve) FROM outline o JOIN run r ON r.id = o.run_id ORDER BY 1, 2"},
		{"head_norm", "SELECT r.run, h.step, h.attempt, h.mean, h.p05, h.p50, h.p95, h.max FROM head_norm h JOIN run r ON r.id = h.run_id ORDER BY 1, 2"},
		{"episode", `SELECT r.run, e.attempt, e.seq, e.at_step, e.detector, e.version, e.kind, e.severity, e.series, e.first_step, e.last_step, e.last_healthy, e.stands, e.evidence
			FROM episode e JOIN run r ON r.id = e.run_id ORDER BY 1, 2, 3`},
		{"judgement", "SELECT r.run, j.attempt, j.seq, j.at_step, j.verdict, j.chain FROM judgement j JOIN run r ON r.id = j.run_id ORDER BY 1, 2, 3"},
		{"selection", "SELECT r.run, s.attempt, s.seq, s.at_step, s.step, s.measure, s.value, s.weights FROM selection s JOIN run r ON r.id = s.run_id ORDER BY 1, 2, 3"},
		{"evaluation", `SELECT e.folder, r.run, e.evaluation, e.encoder, e.collection, e.split, e.measures_version, e.reference, e.name, e.backbone, e.encoding,
			e.queries, e.documents, e.active_query, e.active_document, e.flops, e.encode_seconds, e.index_seconds, e.search_seconds, e.tie_share, e.tie_mass,
			e.label, e.current FROM evaluation e LEFT JOIN run r ON r.id = e.run_id ORDER BY 1`},
		{"measure_value", "SELECT e.folder, v.measure, v.value FROM measure_value v JOIN evaluation e ON e.id = v.evaluation_id ORDER BY 1, 2"},
		{"query_value", "SELECT e.folder, v.measure, v.query, v.value FROM query_value v JOIN evaluation e ON e.id = v.evaluation_id ORDER BY 1, 2, 3"},
	} {
		rows, err := s.db.QueryContext(ctx, part.query)
		if err != nil {
			return fmt.Errorf("dump %s: %w", part.name, withSentinel(err))
		}
		columns, err := rows.Columns()
		if err != nil {
			rows.Close()
			return fmt.Errorf("dump %s: %w", part.name, err)
		}
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				rows.Close()
				return fmt.Errorf("dump %s: %w", part.name, err)
			}
			fmt.Fprint(out, part.name)
			for _, v := range row {
				fmt.Fprintf(out, "\t%#v", v)
			}
			fmt.Fprintln(out)
		}
		if err := rows.Err(); err != nil {
			return fmt.Errorf("dump %s: %w", part.name, withSentinel(err))
		}
	}
	return out.Flush()
}
