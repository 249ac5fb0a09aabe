package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"headroom/metrics/record"
)

// longAgo is the time after a run's end from which its files are read less often.
const longAgo = time.Minute

// memory is what a Store knows from its last fold. With it the next fold of a workspace in which little has changed
// does little.
type memory struct {
	folding sync.Mutex // guards all but the connection
	// every is the time between two reads of the files of a run that ended long ago.
	every time.Duration
	// lastRead has, for each such run, when its files were last read, without a fault and without a new line.
	lastRead map[string]time.Time
	// version is the version of the database after the fold; state is its content then, nil if the fold has written.
	version Version
	state   *state
	// settled is what settle found in collections.json.
	settled record.Collections

	mu    sync.Mutex // guards the fields below
	conn  *sql.Conn  // reads versions and nothing else
	conns int
}

// EndedEvery is for a Store that folds again and again. It reads the files of a run that ended more than a minute ago
// only once per interval. Without this option every fold reads every file.
func EndedEvery(interval time.Duration) Option {
	return func(s *Store) { s.memory.every = interval }
}

// Version changes with every write to the database, by any program. Compare only versions from the same Store. The
// zero Version is that of no database.
type Version struct {
	conn int
	data int64
}

// Version returns the database's present version.
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

// isReadLately reports whether a run's files need not be read now.
func (m *memory) isReadLately(run string, now time.Time) bool {
	at, known := m.lastRead[run]
	return known && m.every > 0 && now.Sub(at) < m.every && !now.Before(at)
}

// keepRead records that a run's files were read; quiet is true if the run is over and had no new line.
func (m *memory) keepRead(run string, now time.Time, quiet bool) {
	switch {
	case m.every == 0:
	case quiet:
		if m.lastRead == nil {
			m.lastRead = map[string]time.Time{}
		}
		m.lastRead[run] = now
	default:
		delete(m.lastRead, run)
	}
}

// over reports whether the last attempt at a run ended long ago.
func (s *state) over(run string, now time.Time) bool {
	last := 0
	for n := range s.attempts[s.runs[run]] {
		last = max(last, n)
	}
	at := s.attempts[s.runs[run]][last]
	return at.ended && now.Sub(time.Unix(0, at.modified)) > longAgo
}
