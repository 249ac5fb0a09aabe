package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"headroom/metrics/record"
)

// longAgo is how long a run has been over before its files are looked at less often.
const longAgo = time.Minute

// memory is what a Store knows of the last fold, so that the next one, in a workspace where
// little has changed, does little.
type memory struct {
	folding sync.Mutex // guards all but the connection
	// every is the time between two looks at the files of a run that was over long ago.
	every time.Duration
	// looked is when the files of such a run, without faults and without news, were read.
	looked map[string]time.Time
	// version is that of the database when the fold had ended; state is what it held then,
	// nil where the fold has written.
	version Version
	state   *state
	// settled is what settle found in collections.json.
	settled record.Collections

	mu    sync.Mutex // guards what follows
	conn  *sql.Conn  // reads versions and nothing else
	conns int
}

// EndedEvery makes a Store that folds again and again look less often at what hardly ever
// changes: a run that was over a minute ago is looked at once in a while. Without it every
// fold looks at every file.
func EndedEvery(while time.Duration) Option {
	return func(s *Store) { s.memory.every = while }
}

// Version changes with every write to the database, whoever writes. Two versions of one
// Store can be compared, and no others. The zero Version is none.
type Version struct {
	conn int
	data int64
}

// Version reads it.
func (s *Store) Version(ctx context.Context) (v Version, err error) {
	m := &s.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil {
		if m.conn, err = s.db.Conn(ctx); err != nil {
			return v, fmt.Errorf("read version of the database: %w", withSentinel(err))
		}
		m.conns++ // what SQLite counts differs from connection to connection
	}
	v.conn = m.conns
	if err := m.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v.data); err != nil {
		m.conn.Close()
		m.conn = nil
		return Version{}, fmt.Errorf("read version of the database: %w", withSentinel(err))
	}
	return v, nil
}

func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
}

// rests tells whether a run's files need no look now.
func (m *memory) rests(run string, now time.Time) bool {
	at, known := m.looked[run]
	return known && m.every > 0 && now.Sub(at) < m.every && !now.Before(at)
}

// keepLook keeps that a run was looked at; quiet says that it is over and has nothing new.
func (m *memory) keepLook(run string, now time.Time, quiet bool) {
	switch {
	case m.every == 0:
	case quiet:
		if m.looked == nil {
			m.looked = map[string]time.Time{}
		}
		m.looked[run] = now
	default:
		delete(m.looked, run)
	}
}

// over tells whether the last attempt at a run had ended long before a moment.
func (s *state) over(run string, now time.Time) bool {
	last := 0
	for n := range s.attempts[s.runs[run]] {
		last = max(last, n)
	}
	at := s.attempts[s.runs[run]][last]
	return at.ended && now.Sub(time.Unix(0, at.modified)) > longAgo
}
