package lines

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
)

// Every is the distance, in rows, between two rows whose place an index knows.
const Every = 256

// Index holds the places of the rows whose number Every divides. The zero value is empty.
type Index struct {
	Rows   int
	places []int64
}

// Add adds the next row.
func (x *Index) Add(at int64) {
	if x.Rows%Every == 0 {
		x.places = append(x.places, at)
	}
	x.Rows++
}

// WriteTo writes the index for ReadIndex.
func (x *Index) WriteTo(w io.Writer) (int64, error) {
	values := append([]int64{int64(x.Rows)}, x.places...)
	return x.Size(), binary.Write(w, binary.LittleEndian, values)
}

// Size is the number of bytes that WriteTo writes.
func (x *Index) Size() int64 { return int64(8 * (1 + len(x.places))) }

// ReadIndex reads an index that WriteTo has written.
func ReadIndex(r io.Reader) (Index, error) {
	var rows int64
	if err := binary.Read(r, binary.LittleEndian, &rows); err != nil {
		return Index{}, err
	}
	if rows < 0 || rows > 1<<40 {
		return Index{}, fmt.Errorf("an index of %d rows", rows)
	}
	x := Index{Rows: int(rows), places: make([]int64, (rows+Every-1)/Every)}
	return x, binary.Read(r, binary.LittleEndian, x.places)
}

// Table gives access to the rows of several files, one after the other. A row is a line. It is safe for concurrent use.
type Table struct {
	files   []*File
	indexes []Index
	rows    []int   // rows[i] is the number of rows in all files before the i-th; one more element than files
	bytes   []int64 // the same for bytes
}

// NewTable makes a table of files and their indexes. The table closes the files.
func NewTable(files []*File, indexes []Index) (*Table, error) {
	if len(files) != len(indexes) || len(files) == 0 {
		return nil, fmt.Errorf("make table: %d files and %d indexes", len(files), len(indexes))
	}
	t := &Table{files: files, indexes: indexes, rows: []int{0}, bytes: []int64{0}}
	for i, f := range files {
		t.rows = append(t.rows, t.rows[i]+indexes[i].Rows)
		t.bytes = append(t.bytes, t.bytes[i]+f.size)
	}
	return t, nil
}

// Rows is the number of rows.
func (t *Table) Rows() int { return t.rows[len(t.files)] }

// Close closes the files.
func (t *Table) Close() error {
	var err error
	for _, f := range t.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// Place is the place of a file's byte among the bytes of all files.
func (t *Table) Place(file int, at int64) int64 { return t.bytes[file] + at }

// Read calls fn for the rows from … to−1, in order, with each row's place and the number of its file. The text is
// valid during the call. An error of fn is returned with file and row.
func (t *Table) Read(from, to int, fn func(file int, place int64, text []byte) error) error {
	if from < 0 || to > t.Rows() {
		return fmt.Errorf("read rows %d to %d of %d", from, to, t.Rows())
	}
	for from < to {
		i := sort.SearchInts(t.rows, from+1) - 1
		end := min(to, t.rows[i+1])
		if err := t.read(i, from-t.rows[i], end-t.rows[i], fn); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// read reads rows of one file.
func (t *Table) read(file, from, to int, fn func(file int, place int64, text []byte) error) error {
	f := t.files[file]
	row := from - from%Every
	r := f.reader(t.indexes[file].places[row/Every], 1<<16, nil)
	for ; row < to; row++ {
		line, err := r.next()
		if err == nil && row >= from {
			err = fn(file, t.bytes[file]+line.At, line.Text)
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the file has become shorter")
		}
		if err != nil {
			return fmt.Errorf("read %s, row %d: %w", f.Path, row+1, err)
		}
	}
	return nil
}

// Line returns the row that begins at a place, and the number of its file.
func (t *Table) Line(place int64) (file int, text []byte, err error) {
	i := sort.Search(len(t.files), func(i int) bool { return t.bytes[i+1] > place })
	if place < 0 || i == len(t.files) {
		return 0, nil, fmt.Errorf("read a line at byte %d of %d", place, t.bytes[len(t.files)])
	}
	text, err = t.files[i].line(place - t.bytes[i])
	return i, text, err
}

// Name is the name of a file.
func (t *Table) Name(file int) string { return t.files[file].Path }

// Where names the file and the line that begins at a place, for messages. It counts the lines before it.
func (t *Table) Where(place int64) string {
	i := sort.Search(len(t.files), func(i int) bool { return t.bytes[i+1] > place })
	if place < 0 || i == len(t.files) {
		return fmt.Sprintf("byte %d", place)
	}
	f := t.files[i]
	r := f.reader(0, 1<<20, nil)
	for {
		line, err := r.next()
		if err != nil {
			return fmt.Sprintf("%s, byte %d", f.Path, place-t.bytes[i])
		}
		if line.At == place-t.bytes[i] {
			return fmt.Sprintf("%s:%d", f.Path, line.Number)
		}
	}
}
