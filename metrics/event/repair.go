package event

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"headroom/internal/atomic"
)

// DamagedSuffix ends the name of a damaged log that Repair has kept.
const DamagedSuffix = ".damaged"

// Check reads a whole log. Its error says which line is damaged. A torn last line is no
// damage: its Append never returned.
func Check(path string) error {
	_, err := Scan(path, Position{}, func(Record) error { return nil })
	return err
}

// CheckAll checks the logs of every attempt of a run.
func CheckAll(dir string) error {
	attempts, err := Attempts(dir)
	for _, n := range attempts {
		if err := Check(Path(dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// RepairAll repairs every damaged log of a run. It returns one sentence per place where
// something is lost. No process may be writing to the logs.
func RepairAll(dir string) (lost []string, err error) {
	attempts, err := Attempts(dir)
	if err != nil {
		return nil, err
	}
	for _, n := range attempts {
		path := Path(dir, n)
		err := Check(path)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		gone, err := repair(atomic.Disk{}, path)
		if err != nil {
			return lost, err
		}
		lost = append(lost, gone...)
	}
	return lost, nil
}

// repair writes a log again without its damaged lines, renumbered, with a notice
// where each of them was. The damaged log is kept beside it.
func repair(disk atomic.Disk, path string) ([]string, error) {
	fail := func(err error) ([]string, error) { return nil, fmt.Errorf("repair %s: %w", path, err) }
	text, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	whole, lost, err := salvage(path, text)
	if err != nil {
		return fail(err)
	}
	if err := linkDamaged(disk, path); err != nil {
		return fail(err)
	}
	err = disk.WriteFile(path, func(w io.Writer) error { _, err := w.Write(whole); return err })
	if err != nil {
		return fail(err)
	}
	return lost, nil
}

// salvage returns the sound lines of a log as a log of their own.
func salvage(path string, text []byte) (whole []byte, lost []string, err error) {
	steps := newStepReader()
	var last Record
	seq := int64(0) // of the log as it was
	add := func(r Record) error {
		r.Seq = last.Seq + 1
		whole, err = appendLine(whole, r)
		last = r
		return err
	}
	note := func(what string) error {
		message := path + ": " + what + ": what was said there is lost"
		lost = append(lost, message)
		return add(Record{Time: last.Time, Event: Notice{Message: message}})
	}
	for number := 1; len(text) > 0; number++ {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		text = rest
		record, bad := Record{}, errDamaged
		if ended {
			record, bad = parseLine(line, steps)
		}
		switch {
		case errors.Is(bad, ErrUnknownType):
			return nil, nil, bad
		case bad != nil && len(text) == 0: // a torn tail, as Scan takes it
			return whole, lost, nil
		case bad != nil:
			err = note(fmt.Sprintf("line %d was damaged", number))
			seq++
		case record.Seq <= seq:
			err = note(fmt.Sprintf("line %d stood there twice", number))
		default:
			if record.Seq > seq+1 {
				err = note(fmt.Sprintf("%d lines before line %d were missing", record.Seq-seq-1, number))
			}
			seq = record.Seq
			if err == nil {
				err = add(record)
			}
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return whole, lost, nil
}

// linkDamaged gives a file a second name, ending in DamagedSuffix.
func linkDamaged(disk atomic.Disk, path string) error {
	for n := 1; ; n++ {
		name := path + DamagedSuffix
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		err := disk.Link(path, name)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}
