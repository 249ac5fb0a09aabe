package table

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"headroom/internal/plain"
)

// LaTeX writes floats for a paper: with rules of booktabs and notes of threeparttable, and no
// wider than the text of an article of 10 points. Columns that do not fit next to the key
// columns are in further floats, and so are rows that do not fit on a page.
func (t *Table) LaTeX(w io.Writer) error {
	b := bufio.NewWriter(w)
	if len(t.Rows) == 0 {
		b.WriteString("% " + plain.Line(t.Title) + ": no rows\n")
		return b.Flush()
	}
	parts := t.layout()
	var same []string
	for i, c := range t.Columns {
		if value := t.constant(i); value != "" {
			same = append(same, c.Name+" "+value)
		}
	}
	b.WriteString("% needs \\usepackage{array,booktabs,threeparttable}\n")
	for i, p := range parts {
		title := escapeLaTeX(t.Title)
		if len(parts) > 1 {
			title += fmt.Sprintf(" (part %d of %d)", i+1, len(parts))
		}
		if len(same) > 0 {
			title += ". In every row that has it: " + escapeLaTeX(strings.Join(same, "; "))
		}
		t.float(b, p, title)
	}
	return b.Flush()
}

// float writes one part.
func (t *Table) float(b *bufio.Writer, p part, title string) {
	var used []int // notes, in the order of their first use
	marks := func(notes []int) string {
		if len(notes) == 0 {
			return ""
		}
		var words []string
		for _, n := range notes {
			at := slices.Index(used, n)
			if at < 0 {
				at, used = len(used), append(used, n)
			}
			words = append(words, number(float64(at+1)))
		}
		return `\tnote{` + strings.Join(words, ",") + "}"
	}
	b.WriteString("\\begin{table}[tbp]\n\\centering\\small\n\\setlength{\\tabcolsep}{" + fmt.Sprintf("%gpt", columnSep) + "}\n\\begin{threeparttable}\n")
	if title != "" {
		b.WriteString("\\caption{" + title + "}\n")
	}
	b.WriteString(`\begin{tabular}{@{}`)
	for _, c := range p.columns {
		switch {
		case c.paragraph:
			fmt.Fprintf(b, `>{\raggedright\arraybackslash}p{%.0fpt}`, c.width)
		case t.Columns[c.index].Numeric:
			b.WriteString("r")
		default:
			b.WriteString("l")
		}
	}
	b.WriteString("@{}}\n\\toprule\n")
	for i, c := range p.columns {
		separate(b, i)
		b.WriteString(heading(t.Columns[c.index], c) + marks(t.Columns[c.index].Notes))
	}
	b.WriteString(" \\\\\n\\midrule\n")
	for _, row := range t.Rows[p.from:p.to] {
		for i, c := range p.columns {
			separate(b, i)
			if c.index < len(row) {
				cell := row[c.index]
				b.WriteString(cellLaTeX(cell.Text, t.Columns[c.index].Numeric, c) + marks(cell.Notes))
			}
		}
		b.WriteString(" \\\\\n")
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	if len(used) > 0 {
		b.WriteString("\\begin{tablenotes}\\footnotesize\n")
		for i, n := range used {
			fmt.Fprintf(b, "\\item[%d] %s\n", i+1, escapeLaTeX(t.Notes[n]))
		}
		b.WriteString("\\end{tablenotes}\n")
	}
	b.WriteString("\\end{threeparttable}\n\\end{table}\n")
}

// heading breaks a column's name into lines that are no wider than the column.
func heading(c Column, p placed) string {
	lines := wrap(c.Head(), p.width)
	for i := range lines {
		lines[i] = escapeLaTeX(lines[i])
	}
	if len(lines) == 1 || p.paragraph {
		return strings.Join(lines, " ")
	}
	align := "l"
	if c.Numeric {
		align = "r"
	}
	return `\begin{tabular}[b]{@{}` + align + `@{}}` + strings.Join(lines, ` \\ `) + `\end{tabular}`
}

// cellLaTeX writes a cell: numbers with a minus sign, and words that are wider than their
// column with places to break them.
func cellLaTeX(text string, numeric bool, p placed) string {
	if rest, ok := strings.CutPrefix(text, "-"); ok && numeric && rest != "" {
		return "$-$" + escapeLaTeX(rest)
	}
	if !p.paragraph {
		return escapeLaTeX(text)
	}
	words := strings.Fields(text)
	for i, word := range words {
		if textWidth(word) <= 0.95*p.width { // the estimate may be short
			words[i] = escapeLaTeX(word)
			continue
		}
		var broken strings.Builder
		for _, r := range word {
			broken.WriteString(escapeLaTeX(string(r)) + `\allowbreak{}`)
		}
		words[i] = broken.String()
	}
	return strings.Join(words, " ")
}

func separate(b *bufio.Writer, column int) {
	if column > 0 {
		b.WriteString(" & ")
	}
}

var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `$\sim$`, "^", `\textasciicircum{}`, "<", `$<$`, ">", `$>$`, "|", `$|$`, `"`, `\char34{}`,
	"[", `{[}`, "*", `{*}`, "`", `\char96{}`, // the first two would be taken by the row before
	"--", `-{}-`, "±", `$\pm$`, "↑", `$\uparrow$`, "↓", `$\downarrow$`, "×", `$\times$`, "≤", `$\leq$`, "≥", `$\geq$`,
	"−", `$-$`, "λ", `$\lambda$`, "—", "---", "–", "--", "·", `$\cdot$`, "…", `\ldots{}`, "†", `\dag{}`, "\n", " ",
)

// escapeLaTeX writes words so that LaTeX prints them unchanged. Characters that pdfLaTeX does
// not have are written as their code points.
func escapeLaTeX(s string) string {
	s = latexEscapes.Replace(plain.Line(strings.ReplaceAll(s, "\n", " ")))
	var out strings.Builder
	for _, r := range s {
		if r > 0x17f || r > 0x7e && r < 0xa0 || unicode.Is(unicode.Cf, r) {
			fmt.Fprintf(&out, `\texttt{U+%04X}`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}
