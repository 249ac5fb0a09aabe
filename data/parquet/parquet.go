// Package parquet turns Parquet files into lines. Lines can be read at any place, by the same reader as all other
// formats. Only this package imports the library that reads Parquet.
package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Kind is the type of a column's values.
type Kind string

// Kinds that are read. A list is one of values of the same kind.
const (
	Text    Kind = "text"
	Integer Kind = "integer"
	Number  Kind = "number"

	Texts    Kind = "texts"
	Integers Kind = "integers"
	Numbers  Kind = "numbers"
)

// Column is a column's name and kind.
type Column struct {
	Name string
	Kind Kind
}

// Lines writes a file as lines: first the columns, then one line per row, with tabs between cells. ParseHead and
// Split read them. A list is written as a JSON array. A missing value (null) is an error that names column and row;
// so is a column of another kind.
func Lines(path string, to io.Writer) (err error) {
	// The library panics on some damaged files. Here that becomes an error.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("read parquet: the file is damaged: %v", cause)
		}
	}()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := checkFooter(file, info.Size()); err != nil {
		return fmt.Errorf("read parquet: %w", err)
	}
	// Statistics and filters are for queries; a reader of the whole file needs neither.
	in, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("read parquet: %w", err)
	}
	columns, err := columnsOf(in.Schema())
	if err != nil {
		return fmt.Errorf("read parquet: %w", err)
	}
	w := &writer{out: bufio.NewWriterSize(to, 1<<18), columns: columns}
	if err := w.head(); err != nil {
		return err
	}
	for _, group := range in.RowGroups() {
		if err := w.group(group); err != nil {
			return err
		}
	}
	if int64(w.row) != in.NumRows() {
		return fmt.Errorf("read parquet: %d rows of %d", w.row, in.NumRows())
	}
	return w.out.Flush()
}

// Rows is the number of rows that a file claims to have.
func Rows(path string) (n int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("read parquet %s: the file is damaged: %v", path, cause)
		}
	}()
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		err = checkFooter(file, info.Size())
	}
	if err != nil {
		return 0, fmt.Errorf("read parquet %s: %w", path, err)
	}
	in, err := parquet.OpenFile(file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, fmt.Errorf("read parquet %s: %w", path, err)
	}
	return int(in.NumRows()), nil
}

// checkFooter compares the length that a footer claims with the size of the file, because the library allocates that
// length unchecked.
func checkFooter(file io.ReaderAt, size int64) error {
	var end [8]byte
	if size < 12 {
		return errors.New("the file is too short")
	}
	if _, err := file.ReadAt(end[:], size-8); err != nil {
		return err
	}
	if string(end[4:]) != "PAR1" {
		return errors.New("the file does not end as a Parquet file does (cut short, or encrypted)")
	}
	if length := int64(binary.LittleEndian.Uint32(end[:4])); length > size-12 {
		return fmt.Errorf("the footer claims %d bytes of a file of %d", length, size)
	}
	return nil
}

// column is a leaf of the schema.
type column struct {
	Column
	// full is the definition level of a value that is not null; element is the level from which on a list has an element.
	full, element int
}

func columnsOf(schema *parquet.Schema) ([]column, error) {
	var columns []column
	known := map[string]bool{}
	for _, path := range schema.Columns() {
		leaf, ok := schema.Lookup(path...)
		if !ok {
			return nil, fmt.Errorf("column %q is not in the schema", strings.Join(path, "."))
		}
		c := column{Column: Column{Name: path[0]}, full: leaf.MaxDefinitionLevel}
		if known[c.Name] {
			return nil, fmt.Errorf("column %q holds more than one value per row; texts, numbers and lists of them are read", c.Name)
		}
		known[c.Name] = true
		kind, ok := kindOf(leaf.Node)
		switch {
		case !ok || leaf.MaxRepetitionLevel > 1 || leaf.MaxRepetitionLevel == 0 && len(path) > 1:
			return nil, fmt.Errorf("column %q is %s; texts, numbers and lists of them are read", c.Name, leaf.Node.Type())
		case leaf.MaxRepetitionLevel == 1:
			kind += "s"
			c.element = elementLevel(schema, path)
		}
		c.Kind = kind
		columns = append(columns, c)
	}
	return columns, nil
}

// elementLevel is the least definition level at which the only repeated node of a path has an element.
func elementLevel(schema *parquet.Schema, path []string) int {
	level := 0
	var node parquet.Node = schema
	for _, name := range path {
		for _, field := range node.Fields() {
			if field.Name() == name {
				node = field
				break
			}
		}
		if node.Optional() || node.Repeated() {
			level++
		}
		if node.Repeated() {
			break
		}
	}
	return level
}

func kindOf(node parquet.Node) (Kind, bool) {
	var logical any
	if l := node.Type().LogicalType(); l != nil {
		logical = l.Value
	}
	switch node.Type().Kind() {
	case parquet.ByteArray:
		_, text := logical.(*format.StringType)
		return Text, text || logical == nil
	case parquet.Int32, parquet.Int64:
		integer, ok := logical.(*format.IntType)
		return Integer, ok && integer.IsSigned || logical == nil
	case parquet.Float, parquet.Double:
		return Number, logical == nil
	}
	return "", false
}

// writer writes rows as lines.
type writer struct {
	out     *bufio.Writer
	columns []column
	row     int
	cell    []byte
}

func (w *writer) head() error {
	for i, c := range w.columns {
		if err := w.put(i, []byte(c.Name+":"+string(c.Kind))); err != nil {
			return err
		}
	}
	return w.out.WriteByte('\n')
}

// put writes the i-th cell of a line.
func (w *writer) put(i int, cell []byte) error {
	if i > 0 {
		if err := w.out.WriteByte('\t'); err != nil {
			return err
		}
	}
	w.cell = escape(w.cell[:0], cell)
	_, err := w.out.Write(w.cell)
	return err
}

func (w *writer) group(group parquet.RowGroup) (err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	batch := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(batch)
		for _, row := range batch[:n] {
			w.row++
			if err := w.line(row); err != nil {
				return fmt.Errorf("row %d: %w", w.row, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read parquet: row %d: %w", w.row+1, err)
		}
		if n == 0 {
			return fmt.Errorf("read parquet: row %d: nothing to read", w.row+1)
		}
	}
}

// line writes a row, whose values come column by column.
func (w *writer) line(row parquet.Row) error {
	var cell []byte
	for i, c := range w.columns {
		n := 0
		for n < len(row) && row[n].Column() == i {
			n++
		}
		values := row[:n]
		row = row[n:]
		var err error
		if cell, err = c.format(cell[:0], values); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		if err := w.put(i, cell); err != nil {
			return err
		}
	}
	return w.out.WriteByte('\n')
}
