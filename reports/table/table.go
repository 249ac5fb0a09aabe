// Package table is one model of a table and three ways to write it: Markdown for
// people, CSV for programs, LaTeX for papers. All three have the same contents: the
// number of values behind a mean, its spread, which direction is better, and every
// footnote.
//
// Writers are pure: the same table gives the same bytes.
package table

import (
	"math"
	"strconv"
)

// Direction is the direction in which a column's values are better.
type Direction int

const (
	Neither Direction = iota
	Higher
	Lower
)

// Table is rows of cells under columns.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]Cell // each as long as Columns
	// Notes are the footnotes; cells and columns refer to them by index.
	Notes []string
}

// Column heads a column. Number columns are right-aligned.
type Column struct {
	Name    string
	Unit    string // shown in brackets after the name; "" is none
	Better  Direction
	Numeric bool
	// Key columns identify a row. If a format splits a table's columns, they are in every
	// part.
	Key bool
	// Detail columns come after the others if a format splits a table's columns.
	Detail bool
	// Spread columns hold means over N values: CSV writes mean, sd and n.
	Spread bool
	Notes  []int
}

// Cell is the content of one cell. The zero value is an empty cell.
type Cell struct {
	// Text is the text for people.
	Text string
	// Full is the text for CSV, if Text is shortened.
	Full string
	// Value, SD and N are the numbers for programs, in columns that are Numeric; NaN is
	// written as an empty field.
	Value, SD float64
	N         int
	Notes     []int
	// From holds the keys of the value's sources, and Link is the cell's address; only pages
	// show them.
	From []string
	Link string
}

// Missing is the text of a cell without a value.
const Missing = "–"

// Text makes a cell of words.
func Text(s string, notes ...int) Cell {
	return Cell{Text: s, Value: math.NaN(), SD: math.NaN(), Notes: notes}
}

// Number makes a cell of one value that is shown as text.
func Number(v float64, text string, notes ...int) Cell {
	return Cell{Text: text, Value: v, SD: math.NaN(), N: 1, Notes: notes}
}

// Note adds a footnote and returns its index; the same words share one.
func (t *Table) Note(text string) int {
	for i, n := range t.Notes {
		if n == text {
			return i
		}
	}
	t.Notes = append(t.Notes, text)
	return len(t.Notes) - 1
}

// Head is the column's name with its unit and an arrow towards better.
func (c Column) Head() string {
	s := c.Name
	if c.Unit != "" {
		s += " (" + c.Unit + ")"
	}
	switch c.Better {
	case Higher:
		s += " ↑"
	case Lower:
		s += " ↓"
	}
	return s
}

// number writes all digits of a value, nothing for NaN, and words for infinities.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
