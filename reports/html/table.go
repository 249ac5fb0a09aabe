package html

import (
	"html/template"
	"math"
	"strconv"
	"strings"

	"headroom/reports/table"
)

// Table shows a table with its footnotes. It can be sorted by each column, and filtered
// if it has more than a few rows.
type Table struct {
	// ID makes the table's anchors unique: letters, digits and dashes.
	ID string
	*table.Table
}

// filterRows is the number of rows from which a table has a filter.
const filterRows = 8

type (
	view struct {
		ID, Title string
		Filter    bool
		Columns   []columnView
		Rows      [][]cellView
		Notes     []string
	}
	columnView struct {
		Head         string
		Key, Numeric bool
		Notes        []noteView
	}
	cellView struct {
		Text, Full, Link string
		Value            string // the sort key; "" sorts last
		From             string // keys of sources, a space between
		Numeric          bool
		Wide             bool // long words, which may break
		Notes            []noteView
	}
	noteView struct {
		Anchor string
		Number int
		Text   string
	}
)

// HTML returns the table.
func (t Table) HTML() (template.HTML, error) {
	v := view{ID: t.ID, Title: t.Table.Title, Filter: len(t.Rows) >= filterRows, Notes: t.Notes}
	for _, c := range t.Columns {
		v.Columns = append(v.Columns, columnView{Head: c.Head(), Key: c.Key, Numeric: c.Numeric, Notes: t.notes(c.Notes)})
	}
	for _, row := range t.Rows {
		cells := make([]cellView, len(t.Columns))
		for i, c := range t.Columns {
			if i >= len(row) {
				continue
			}
			cell := row[i]
			cells[i] = cellView{Text: cell.Text, Full: cell.Full, Link: cell.Link, From: strings.Join(cell.From, " "), Numeric: c.Numeric,
				Wide: !c.Numeric && len(cell.Text) > 40, Notes: t.notes(cell.Notes)}
			if c.Numeric && !math.IsNaN(cell.Value) {
				cells[i].Value = strconv.FormatFloat(cell.Value, 'g', -1, 64)
			}
		}
		v.Rows = append(v.Rows, cells)
	}
	return execute("table", v)
}

func (t Table) notes(indices []int) []noteView {
	var out []noteView
	for _, i := range indices {
		out = append(out, noteView{Anchor: t.ID + "-note-" + strconv.Itoa(i+1), Number: i + 1, Text: t.Notes[i]})
	}
	return out
}
