package table

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/plain"
)

// CSV writes one record per row with full precision. A spread column becomes three
// columns: its name, then "sd" and "n". If the table has footnotes, a last column holds
// those of the row in words; footnotes of columns are in the first row.
func (t *Table) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range t.Columns {
		name := c.Name
		if c.Unit != "" {
			name += " (" + c.Unit + ")"
		}
		head = append(head, name)
		if c.Spread {
			head = append(head, c.Name+" sd", c.Name+" n")
		}
	}
	if len(t.Notes) > 0 {
		head = append(head, "notes")
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for n, row := range t.Rows {
		var record, notes []string
		add := func(indices []int) {
			for _, i := range indices {
				if !slices.Contains(notes, t.Notes[i]) {
					notes = append(notes, t.Notes[i])
				}
			}
		}
		for i, c := range t.Columns {
			var cell Cell
			if i < len(row) {
				cell = row[i]
			}
			switch {
			case c.Spread:
				record = append(record, number(cell.Value), number(cell.SD), strconv.Itoa(cell.N))
			case c.Numeric && cell.N > 0:
				record = append(record, number(cell.Value))
			case cell.Full != "":
				record = append(record, plain.Line(cell.Full))
			default:
				record = append(record, plain.Line(cell.Text))
			}
			if n == 0 {
				add(c.Notes)
			}
			add(cell.Notes)
		}
		if len(t.Notes) > 0 {
			record = append(record, plain.Line(strings.Join(notes, "; ")))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
