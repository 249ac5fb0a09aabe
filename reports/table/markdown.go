package table

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"headroom/internal/plain"
)

// Markdown writes the table with its columns aligned in the source too, and its
// footnotes below.
func (t *Table) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	grid := make([][]string, 0, len(t.Rows)+1)
	head := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		head[i] = Inline(c.Head()) + marks(c.Notes)
	}
	grid = append(grid, head)
	for _, row := range t.Rows {
		line := make([]string, len(t.Columns))
		for i := range t.Columns {
			if i < len(row) {
				line[i] = Inline(row[i].Text) + marks(row[i].Notes)
			}
		}
		grid = append(grid, line)
	}
	width := make([]int, len(t.Columns))
	for i := range width {
		width[i] = 3
		for _, line := range grid {
			width[i] = max(width[i], utf8.RuneCountInString(line[i]))
		}
	}
	for n, line := range grid {
		for i, text := range line {
			b.WriteString("| ")
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(text))
			if t.Columns[i].Numeric {
				b.WriteString(pad + text)
			} else {
				b.WriteString(text + pad)
			}
			b.WriteString(" ")
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i := range line {
			if t.Columns[i].Numeric {
				b.WriteString("| " + strings.Repeat("-", width[i]-1) + ": ")
			} else {
				b.WriteString("| " + strings.Repeat("-", width[i]) + " ")
			}
		}
		b.WriteString("|\n")
	}
	for i, note := range t.Notes {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(marks([]int{i}) + " " + Inline(note))
		if i+1 < len(t.Notes) {
			b.WriteString("  ") // a line break
		}
		b.WriteString("\n")
	}
	return b.Flush()
}

// marks writes footnote numbers as superscripts: ¹, ², ¹,³.
func marks(notes []int) string {
	var b strings.Builder
	for i, n := range notes {
		if i > 0 {
			b.WriteRune(',')
		}
		for _, digit := range number(float64(n + 1)) {
			b.WriteRune([]rune("⁰¹²³⁴⁵⁶⁷⁸⁹")[digit-'0'])
		}
	}
	return b.String()
}

// Inline escapes characters that would be markup in running text of Markdown. It leaves
// others unchanged, such as an underscore inside a word or a single tilde, so that the
// source stays readable.
func Inline(s string) string {
	var b strings.Builder
	runes := []rune(plain.Line(strings.ReplaceAll(s, "\n", " ")))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		switch {
		case r == '_' && word(i-1) && word(i+1), r == '~' && strings.Count(s, "~") == 1:
		case strings.ContainsRune("\\|*_`[]~<", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
