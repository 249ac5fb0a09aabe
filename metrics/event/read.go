package event

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrShrunk is returned when a log is shorter than what was already read of it: the file
// was replaced.
var ErrShrunk = errors.New("event log is shorter than before")

// Position is a place between two lines of a log; its zero value is the beginning.
type Position struct {
	// Offset is in bytes.
	Offset int64
	// Seq is the number of lines before the position.
	Seq int64
}

// Read returns every record of a log. A torn last line is dropped.
func Read(path string) ([]Record, error) {
	var records []Record
	_, err := Scan(path, Position{}, func(r Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Scan reads a log from a position on, calls a function for each record, and returns the
// position after the last sound line, at which a later Scan can start. The function's first
// error ends it.
func Scan(path string, from Position, fn func(Record) error) (Position, error) {
	file, err := os.Open(path)
	if err != nil {
		return from, fmt.Errorf("read event log: %w", err)
	}
	defer file.Close()
	if from.Offset > 0 {
		info, err := file.Stat()
		if err != nil {
			return from, fmt.Errorf("read event log: %w", err)
		}
		if info.Size() < from.Offset {
			return from, fmt.Errorf("read %s from byte %d: %w (%d bytes)", path, from.Offset, ErrShrunk, info.Size())
		}
		if _, err := file.Seek(from.Offset, io.SeekStart); err != nil {
			return from, fmt.Errorf("read event log: %w", err)
		}
	}
	return ScanReader(file, path, from, fn)
}

// ScanReader is Scan for a reader whose first byte is at the given position. The name is
// used in messages.
func ScanReader(r io.Reader, name string, from Position, fn func(Record) error) (Position, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	steps, at := newStepReader(), from
	var long []byte
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) {
				line, err = in.ReadSlice('\n')
				long = append(long, line...)
			}
			line = long
		}
		if err == io.EOF {
			return at, nil // nothing more, or a line without its newline
		}
		if err != nil {
			return at, fmt.Errorf("read %s: %w", name, err)
		}
		record, err := parseLine(line[:len(line)-1], steps)
		if errors.Is(err, errDamaged) && atEnd(in) {
			return at, nil
		}
		if err != nil {
			return at, fmt.Errorf("%s:%d: %w", name, at.Seq+1, err)
		}
		if record.Seq != at.Seq+1 {
			return at, fmt.Errorf("%s:%d: seq is %d where %d follows: lines are missing or doubled",
				name, at.Seq+1, record.Seq, at.Seq+1)
		}
		if err := fn(record); err != nil {
			return at, err
		}
		at.Offset += int64(len(line))
		at.Seq = record.Seq
	}
}

func atEnd(in *bufio.Reader) bool {
	_, err := in.Peek(1)
	return err == io.EOF
}
