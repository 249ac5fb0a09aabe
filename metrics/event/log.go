package event

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"headroom/internal/atomic"
)

// Limits on how long a step waits in memory. Other events are written at once.
const (
	flushLines = 32
	flushAfter = time.Second
)

// File is the part of *os.File that a log needs.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Option changes how Create makes a log.
type Option func(*Log)

// WithClock sets where lines get their times from. Default time.Now.
func WithClock(now func() time.Time) Option { return func(l *Log) { l.now = now } }

// Log is the writing end of one attempt. It is safe for concurrent use.
//
// Steps are buffered: they reach the file after 32 of them, or with the first one that is
// written a second or more after the last flush. All other events flush; Episode,
// Checkpoint, Judged, Measured, Selected, Evaluated and Ended are on disk when Append
// returns. Call Sync before you publish a checkpoint: otherwise a crash may lose points
// from before the checkpoint, and no resumed attempt writes them again.
//
// The first failed write or sync is final: every later call returns the same error. Part of
// a line may have reached the file, and another line after it would turn a torn tail into
// damage.
type Log struct {
	path    string
	attempt int
	now     func() time.Time
	wrap    func(File) File
	disk    atomic.Disk

	mu      sync.Mutex
	file    File
	seq     int64
	buffer  []byte
	lines   int
	flushed time.Time
	err     error
	closed  bool
}

// Create makes the next attempt of the run with the given folder, and opens its log. Two
// processes that call it at once get two attempts.
func Create(dir string, options ...Option) (*Log, error) {
	l := &Log{now: time.Now, wrap: func(f File) File { return f }}
	for _, o := range options {
		o(l)
	}
	if err := l.disk.MkdirAll(filepath.Join(dir, attemptsFolder)); err != nil {
		return nil, fmt.Errorf("create event log: %w", err)
	}
	taken, err := Attempts(dir)
	if err != nil {
		return nil, fmt.Errorf("create event log: %w", err)
	}
	l.attempt = 1
	if len(taken) > 0 {
		l.attempt = taken[len(taken)-1] + 1
	}
	for {
		l.path = Path(dir, l.attempt)
		file, err := l.disk.CreateLog(l.path) // the folder is the fence
		if err == nil {
			l.file = l.wrap(file)
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("create event log: %w", err)
		}
		l.attempt++
	}
	l.flushed = l.now()
	return l, nil
}

// Attempt is the fence: the number of this log's attempt, counted from 1.
func (l *Log) Attempt() int { return l.attempt }

// Path returns the log's file.
func (l *Log) Path() string { return l.path }

// Append writes one event as the next line. An event that cannot be written, such
// as an unknown state, is an error and leaves the log as it was.
func (l *Log) Append(e Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	now := l.now()
	buffer, err := appendLine(l.buffer, Record{Seq: l.seq + 1, Time: now, Event: e})
	if err != nil {
		return fmt.Errorf("append %s to %s: %w", e.Kind(), l.path, err)
	}
	l.buffer = buffer
	l.seq++
	l.lines++
	switch e.(type) {
	case Step:
		if l.lines < flushLines && now.Sub(l.flushed) < flushAfter {
			return nil
		}
		return l.flush(now)
	case Episode, Checkpoint, Judged, Measured, Selected, Evaluated, Ended:
		return l.sync(now)
	}
	return l.flush(now)
}

// Flush hands every buffered line to the operating system. The lines then survive the end
// of this process, but not a power failure.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	return l.flush(l.now())
}

// Sync flushes, then waits until the lines are on disk.
func (l *Log) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return err
	}
	return l.sync(l.now())
}

// Close syncs and closes the file. A second Close does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	err := l.err
	if err == nil {
		err = l.sync(l.now())
	}
	l.closed = true
	if closeErr := l.file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("close %s: %w", l.path, closeErr)
	}
	return err
}

func (l *Log) usable() error {
	if l.closed {
		return fmt.Errorf("append to %s: %w", l.path, fs.ErrClosed)
	}
	return l.err
}

func (l *Log) flush(now time.Time) error {
	l.flushed = now
	if len(l.buffer) == 0 {
		return nil
	}
	if _, err := l.file.Write(l.buffer); err != nil {
		l.err = fmt.Errorf("write %s: %w", l.path, err)
		return l.err
	}
	l.buffer, l.lines = l.buffer[:0], 0
	return nil
}

func (l *Log) sync(now time.Time) error {
	if err := l.flush(now); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		l.err = fmt.Errorf("sync %s: %w", l.path, err)
		return l.err
	}
	return nil
}

const (
	attemptsFolder = "attempts"
	fileName       = "events.jsonl"
)

// Path returns the file of an attempt's log, given the run's folder.
func Path(dir string, n int) string {
	return filepath.Join(dir, attemptsFolder, strconv.Itoa(n), fileName)
}

// Attempts lists the numbers of a run's attempts in ascending order, given the run's
// folder. A run without attempts is no error. An attempt whose process died at once may
// have no log.
func Attempts(dir string) ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(dir, attemptsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list attempts: %w", err)
	}
	var list []int
	for _, entry := range entries {
		n, err := strconv.Atoi(entry.Name())
		if err == nil && n > 0 && strconv.Itoa(n) == entry.Name() && entry.IsDir() {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}
