package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mattn/go-sqlite3"
)

// ErrReadOnly is returned by Query for a statement that writes, to the database or
// to a file beside it.
var ErrReadOnly = errors.New("only statements that read are allowed: the database is the fold of the workspace's files, and `headroom db rebuild` makes it again")

// Table is an answer in SQLite's own types: nil, int64, float64, string, or []byte
// for a blob.
type Table struct {
	Columns []string
	Rows    [][]any
}

// Query answers one SQL statement that reads, as Each does, and keeps all rows.
func (s *Store) Query(ctx context.Context, query string) (Table, error) {
	var t Table
	err := s.Each(ctx, query, func(columns []string) error { t.Columns = columns; return nil }, func(row []any) error {
		t.Rows = append(t.Rows, slices.Clone(row))
		return nil
	})
	return t, err
}

// Each answers one SQL statement that reads. The connection cannot write. A text with no
// statement, or with more than one, is an error. Each calls head once, with the names of
// the columns, and then each for every row; the row is valid until each returns. An error
// of one of them ends the answer, and Each returns it.
func (s *Store) Each(ctx context.Context, query string, head func(columns []string) error, each func(row []any) error) error {
	statement, more := firstStatement(query)
	if more {
		statement = query // so that the error can say that it writes
	}
	rows, err := s.ro.QueryContext(ctx, statement)
	if err != nil {
		return fmt.Errorf("query database: %w", refused(err, query))
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("query database: %w", err)
	}
	switch {
	case more:
		return errors.New("query database: more than one statement; one is allowed")
	case len(columns) == 0:
		return errors.New("query database: the statement gives no table; a SELECT is allowed")
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	begun := false
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("query database: %w", err)
		}
		if !begun {
			if err := head(columns); err != nil {
				return err
			}
			begun = true
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query database: %w", refused(err, query))
	}
	if !begun {
		return head(columns)
	}
	return nil
}

// refused returns ErrReadOnly for the error of a statement that writes. SQLite's own error of one may
// advise DROP VIEW, or blame another program's lock.
func refused(err error, query string) error {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	code := primaryCode(e)
	switch word := firstWord(query); {
	case beginsWrite(word), word == "PRAGMA" && code == sqlite3.ErrBusy:
		return fmt.Errorf("%w: the statement begins with %s", ErrReadOnly, word)
	case code == sqlite3.ErrReadonly, code == sqlite3.ErrAuth:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return withSentinel(err)
}

// beginsWrite reports whether a statement that begins with a word writes.
func beginsWrite(word string) bool {
	switch word {
	case "ALTER", "ANALYZE", "ATTACH", "CREATE", "DELETE", "DETACH", "DROP", "INSERT", "REINDEX", "REPLACE", "UPDATE", "VACUUM":
		return true
	}
	return false
}
