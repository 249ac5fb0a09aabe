package store

import (
	"context"
	"errors"
	"fmt"

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

// Query answers one SQL statement that reads. The connection cannot write. A text
// that is none, or more than one, is an error.
func (s *Store) Query(ctx context.Context, query string) (Table, error) {
	var t Table
	statement, more := first(query)
	if more {
		statement = query // so that one that writes is named as such
	}
	rows, err := s.ro.QueryContext(ctx, statement)
	if err != nil {
		return t, fmt.Errorf("query database: %w", refused(err))
	}
	defer rows.Close()
	if t.Columns, err = rows.Columns(); err != nil {
		return t, fmt.Errorf("query database: %w", err)
	}
	switch {
	case more:
		return t, errors.New("query database: more than one statement; one is allowed")
	case len(t.Columns) == 0:
		return t, errors.New("query database: the statement gives no table; a SELECT is allowed")
	}
	for rows.Next() {
		row := make([]any, len(t.Columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return t, fmt.Errorf("query database: %w", err)
		}
		t.Rows = append(t.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return t, fmt.Errorf("query database: %w", refused(err))
	}
	return t, nil
}

// refused names the error of a statement that writes.
func refused(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) {
		switch sqlite3.ErrNo(e.ExtendedCode & 0xff) {
		case sqlite3.ErrReadonly, sqlite3.ErrAuth:
			return fmt.Errorf("%w: %w", ErrReadOnly, err)
		}
	}
	return known(err)
}
