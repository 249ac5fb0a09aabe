package examples

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// couple is a query and a document that a row calls relevant to it, by their keys, and the place of such a row.
type couple struct {
	query, document uint64
	place           int64
}

func (c couple) compare(o couple) int {
	return cmp.Or(cmp.Compare(c.query, o.query), cmp.Compare(c.document, o.document))
}

// heldCouples bounds the memory of distinct to 24 MiB.
const heldCouples = 1 << 20

// distinct gathers couples and returns each of them once, in order. Couples beyond its limit of memory are in files.
type distinct struct {
	most int    // couples held
	dir  string // of the files; "" is the system's
	held []couple
	runs []*os.File // each in order
	n    int        // couples in them
}

func (d *distinct) add(c couple) error {
	if n := len(d.held); n > 0 && d.held[n-1].compare(c) == 0 {
		return nil // rows of a query often follow one another
	}
	d.held = append(d.held, c)
	if len(d.held) < d.most {
		return nil
	}
	d.sortHeld()
	if len(d.held) < d.most/4*3 {
		return nil
	}
	return d.spill()
}

// sortHeld sorts the couples in memory and keeps each once, with its first place.
func (d *distinct) sortHeld() {
	slices.SortFunc(d.held, func(a, b couple) int { return cmp.Or(a.compare(b), cmp.Compare(a.place, b.place)) })
	d.held = slices.CompactFunc(d.held, func(a, b couple) bool { return a.compare(b) == 0 })
}

// spill writes the couples in memory to a file.
func (d *distinct) spill() error {
	if d.dir != "" {
		if err := os.MkdirAll(d.dir, 0o755); err != nil {
			return d.folderError(err)
		}
	}
	file, err := os.CreateTemp(d.dir, "queries-*")
	if err != nil {
		return d.folderError(err)
	}
	d.runs = append(d.runs, file)
	// Where the system allows it the name is removed at once, so that no file is left, however this process ends.
	_ = os.Remove(file.Name())
	w := bufio.NewWriterSize(file, 1<<18)
	var record [24]byte
	for _, c := range d.held {
		binary.LittleEndian.PutUint64(record[0:], c.query)
		binary.LittleEndian.PutUint64(record[8:], c.document)
		binary.LittleEndian.PutUint64(record[16:], uint64(c.place))
		if _, err := w.Write(record[:]); err != nil {
			return d.folderError(err)
		}
	}
	d.n += len(d.held)
	d.held = d.held[:0]
	if err := w.Flush(); err != nil {
		return d.folderError(err)
	}
	return nil
}

// folderError adds the folder to an error of its files.
func (d *distinct) folderError(err error) error {
	return fmt.Errorf("gather the queries of so many rows in %s (HEADROOM_CACHE chooses another folder): %w", cmp.Or(d.dir, os.TempDir()), err)
}

// atMost is a bound on the number of couples.
func (d *distinct) atMost() int { return d.n + len(d.held) }

// each calls fn with every couple, once and in order. It may be called again; nothing is added after it.
func (d *distinct) each(fn func(couple) error) error {
	d.sortHeld()
	if len(d.runs) == 0 {
		for _, c := range d.held {
			if err := fn(c); err != nil {
				return err
			}
		}
		return nil
	}
	if len(d.held) > 0 {
		if err := d.spill(); err != nil {
			return err
		}
		d.held = nil
	}
	m := &merge{}
	for _, file := range d.runs {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("gather queries: %w", err)
		}
		if err := m.open(bufio.NewReaderSize(file, 1<<16)); err != nil {
			return err
		}
	}
	m.order()
	for first, last := true, (couple{}); len(m.runs) > 0; first = false {
		c := m.runs[0].next
		if first || c.compare(last) != 0 {
			if err := fn(c); err != nil {
				return err
			}
		}
		last = c
		if err := m.advance(); err != nil {
			return err
		}
	}
	return nil
}

// close removes the files.
func (d *distinct) close() {
	for _, file := range d.runs {
		file.Close()
		_ = os.Remove(file.Name()) // in most cases it is gone already
	}
	d.runs, d.held = nil, nil
}

// run is a sorted file, with its next couple.
type run struct {
	in   *bufio.Reader
	next couple
}

// merge is a heap of runs. The run with the least next couple is first.
type merge struct{ runs []run }

func (m *merge) open(in *bufio.Reader) error {
	c, err := readCouple(in)
	if err == nil {
		m.runs = append(m.runs, run{in, c})
	}
	return ignoreEnd(err)
}

func (m *merge) order() {
	for i := len(m.runs)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
}

// sink moves a run down to its place in the heap.
func (m *merge) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(m.runs) {
			return
		}
		if child+1 < len(m.runs) && m.runs[child+1].next.compare(m.runs[child].next) < 0 {
			child++
		}
		if m.runs[i].next.compare(m.runs[child].next) <= 0 {
			return
		}
		m.runs[i], m.runs[child] = m.runs[child], m.runs[i]
		i = child
	}
}

// advance reads the next couple of the first run.
func (m *merge) advance() error {
	c, err := readCouple(m.runs[0].in)
	if err == nil {
		m.runs[0].next = c
	} else {
		last := len(m.runs) - 1
		m.runs[0] = m.runs[last]
		m.runs = m.runs[:last]
	}
	if len(m.runs) > 0 {
		m.sink(0)
	}
	return ignoreEnd(err)
}

func readCouple(in *bufio.Reader) (couple, error) {
	record, err := in.Peek(24)
	if len(record) > 0 && err != nil {
		return couple{}, io.ErrUnexpectedEOF
	}
	if err != nil {
		return couple{}, err
	}
	defer in.Discard(24)
	return couple{
		query: binary.LittleEndian.Uint64(record[0:]), document: binary.LittleEndian.Uint64(record[8:]),
		place: int64(binary.LittleEndian.Uint64(record[16:])),
	}, nil
}

// ignoreEnd returns nil for the end of a run, and other errors with their context.
func ignoreEnd(err error) error {
	if err == nil || err == io.EOF {
		return nil
	}
	return fmt.Errorf("gather queries: %w", err)
}
