package event

import (
	"time"

	"headroom/internal/atomic"
)

// On makes a log on another disk.
func On(disk atomic.Disk) Option { return func(l *Log) { l.disk = disk } }

// RepairOn repairs a log on another disk.
func RepairOn(disk atomic.Disk, path string) ([]string, error) { return repair(disk, path) }

// Line encodes one line for tests that build logs byte by byte.
func Line(seq int64, t time.Time, e Event) ([]byte, error) {
	return appendLine(nil, Record{Seq: seq, Time: t, Event: e})
}

// WithFile wraps the log's file, so that a test can make writes fail.
func WithFile(wrap func(File) File) Option { return func(l *Log) { l.wrap = wrap } }
