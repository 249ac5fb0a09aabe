package table

import (
	"math"
	"slices"
	"strings"
)

// Sizes for an article of 10 points in one column, in points; type in tables has 9 points.
const (
	textPoints = 345.0
	columnSep  = 4.0
	typeSize   = 9.0
	widest     = 120.0 // of a column of words before it is broken into lines
	pageLines  = 43    // with the names of columns, without the caption
)

// part is one float: some columns of some rows.
type part struct {
	columns  []placed
	from, to int
}

// placed is a column of a part.
type placed struct {
	index     int
	width     float64 // in points
	paragraph bool    // broken into lines of that width
}

// layout chooses the columns and rows of each float. Key columns are in all floats, and detail
// columns come last.
func (t *Table) layout() []part {
	var keys, rest, details []placed
	for i, c := range t.Columns {
		switch p := t.place(i); {
		case t.constant(i) != "":
		case c.Key:
			keys = append(keys, p)
		case c.Detail:
			details = append(details, p)
		default:
			rest = append(rest, p)
		}
	}
	// Key columns leave at least two fifths of the width to the others.
	for most := widest; total(keys) > 0.6*textPoints && most > 30; most -= 10 {
		for i, p := range keys {
			if !t.Columns[p.index].Numeric && p.width > most {
				keys[i].width, keys[i].paragraph = most, true
			}
		}
	}
	var out []part
	for _, columns := range slices.Concat(splitColumns(keys, rest), splitColumns(keys, details)) {
		out = append(out, t.pages(columns)...)
	}
	if len(out) == 0 {
		out = t.pages(keys)
	}
	return out
}

// splitColumns groups columns that fit next to the keys.
func splitColumns(keys, columns []placed) [][]placed {
	var groups [][]placed
	for _, p := range columns {
		last := len(groups) - 1
		if last < 0 || total(append(slices.Clone(groups[last]), p)) > textPoints {
			groups, last = append(groups, slices.Clone(keys)), last+1
		}
		if over := total(append(slices.Clone(groups[last]), p)) - textPoints; over > 0 {
			p.width, p.paragraph = max(30, p.width-over), true
		}
		groups[last] = append(groups[last], p)
	}
	return groups
}

// pages splits the rows if they and their notes are higher than a page.
func (t *Table) pages(columns []placed) []part {
	var out []part
	from, lines, noted := 0, 0, map[int]bool{}
	room := pageLines - t.headHeight(columns)
	note := func(row []Cell) (high int) {
		for _, c := range columns {
			notes := t.Columns[c.index].Notes
			if c.index < len(row) {
				notes = slices.Concat(notes, row[c.index].Notes)
			}
			for _, n := range notes {
				if !noted[n] {
					noted[n] = true
					high += len(wrap(t.Notes[n], 0.9*textPoints))
				}
			}
		}
		return high
	}
	for n, row := range t.Rows {
		high := height(row, columns)
		if lines += high + note(row); n > from && lines > room {
			out = append(out, part{columns, from, n})
			from, noted = n, map[int]bool{}
			lines = high + note(row)
		}
	}
	return append(out, part{columns, from, len(t.Rows)})
}

// constant is the value of a column that is the same in every row with a value; "" if rows
// differ, if fewer than two have a value, or if the column is a result.
func (t *Table) constant(i int) string {
	value, rows := "", 0
	for _, row := range t.Rows {
		if i >= len(row) || row[i].Text == "" || row[i].Text == Missing {
			continue
		}
		if rows++; value != "" && value != row[i].Text || len(row[i].Notes) > 0 {
			return ""
		}
		value = row[i].Text
	}
	if rows < 2 || t.Columns[i].Better != Neither || t.Columns[i].Spread || len(t.Columns[i].Notes) > 0 && t.Columns[i].Key {
		return ""
	}
	return value
}

// place measures a column.
func (t *Table) place(i int) placed {
	c := t.Columns[i]
	p := placed{index: i}
	for _, row := range t.Rows {
		if i < len(row) {
			p.width = max(p.width, textWidth(row[i].Text)+t.marksWidth(row[i].Notes))
		}
	}
	if p.width > widest && !c.Numeric {
		p.width, p.paragraph = widest, true
	}
	p.width = max(p.width, min(28, textWidth(c.Head())+t.marksWidth(c.Notes))) // not a word per line
	for _, word := range strings.Fields(c.Head()) {
		p.width = max(p.width, textWidth(word)+t.marksWidth(c.Notes))
	}
	return p
}

// total is the width of columns beside each other.
func total(columns []placed) float64 {
	sum := 0.0
	for i, c := range columns {
		if sum += c.width; i > 0 {
			sum += 2 * columnSep
		}
	}
	return sum
}

// height is the number of lines that a row takes.
func height(row []Cell, columns []placed) int {
	lines := 1
	for _, c := range columns {
		if c.paragraph && c.index < len(row) {
			lines = max(lines, linesOf(row[c.index].Text, c.width))
		}
	}
	return lines
}

// headHeight is the number of lines that the names of columns take.
func (t *Table) headHeight(columns []placed) int {
	lines := 1
	for _, c := range columns {
		lines = max(lines, linesOf(t.Columns[c.index].Head(), c.width))
	}
	return lines
}

// linesOf is the number of lines that words take in a column. A word that is wider than the
// column is broken between letters.
func linesOf(words string, width float64) int {
	lines := 0
	for _, line := range wrap(words, 0.95*width) { // the estimate may be short
		lines += max(1, int(math.Ceil(textWidth(line)/(0.95*width))))
	}
	return lines
}

// wrap breaks words into lines of a width; a word that is wider is a line of its own.
func wrap(words string, width float64) []string {
	lines := []string{""}
	for _, word := range strings.Fields(words) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case textWidth(*last+" "+word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// marksWidth is the width of the numbers of notes.
func (t *Table) marksWidth(notes []int) float64 {
	if len(notes) == 0 {
		return 0
	}
	one := 4.0
	if len(t.Notes) > 9 {
		one = 6.5
	}
	return float64(len(notes))*one + float64(len(notes)-1)*2
}

// letterWidths are the widths of a to z in Computer Modern of 9 points, in thousandths of its size.
var letterWidths = [26]float64{514, 571, 457, 571, 457, 314, 514, 571, 286, 314, 543, 286, 856, 571, 514, 571, 542, 402, 405, 400, 571, 543, 742, 543, 543, 457}

// textWidth estimates the width of words in Computer Modern, rather too large than too small.
func textWidth(words string) float64 {
	sum := 0.0
	for _, r := range words {
		switch {
		case r >= 'a' && r <= 'z':
			sum += letterWidths[r-'a']
		case strings.ContainsRune(".,:;'|!", r):
			sum += 286
		case strings.ContainsRune("()-[] I", r):
			sum += 400
		case strings.ContainsRune("MW@%±×−–<>=+~", r):
			sum += 860
		case r >= 'A' && r <= 'Z':
			sum += 740
		case r > 0x17f && !strings.ContainsRune("↑↓λ", r):
			sum += 3200 // a code point
		default:
			sum += 530
		}
	}
	return typeSize * sum / 1000
}
