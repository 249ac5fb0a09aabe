package table

import (
	"bufio"
	"io"
	"strings"

	"headroom/internal/plain"
)

// LaTeX writes a tabular that needs no package, its footnotes below.
func (t *Table) LaTeX(w io.Writer) error {
	b := bufio.NewWriter(w)
	if t.Title != "" {
		b.WriteString("% " + plain.Line(t.Title) + "\n")
	}
	b.WriteString(`\begin{tabular}{`)
	for _, c := range t.Columns {
		if c.Numeric {
			b.WriteString("r")
		} else {
			b.WriteString("l")
		}
	}
	b.WriteString("}\n\\hline\n")
	for i, c := range t.Columns {
		separate(b, i)
		b.WriteString(escapeLaTeX(c.head()) + texMarks(c.Notes))
	}
	b.WriteString(" \\\\\n\\hline\n")
	for _, row := range t.Rows {
		for i := range t.Columns {
			separate(b, i)
			if i < len(row) {
				b.WriteString(escapeLaTeX(row[i].Text) + texMarks(row[i].Notes))
			}
		}
		b.WriteString(" \\\\\n")
	}
	b.WriteString("\\hline\n\\end{tabular}\n")
	for i, note := range t.Notes {
		b.WriteString("\n" + texMarks([]int{i}) + " " + escapeLaTeX(note) + "\n")
	}
	return b.Flush()
}

func separate(b *bufio.Writer, column int) {
	if column > 0 {
		b.WriteString(" & ")
	}
}

func texMarks(notes []int) string {
	if len(notes) == 0 {
		return ""
	}
	words := make([]string, len(notes))
	for i, n := range notes {
		words[i] = number(float64(n + 1))
	}
	return `\textsuperscript{` + strings.Join(words, ",") + "}"
}

var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `$\sim$`, "^", `\textasciicircum{}`, "<", `$<$`, ">", `$>$`, "|", `$|$`,
	"±", `$\pm$`, "↑", `$\uparrow$`, "↓", `$\downarrow$`, "×", `$\times$`, "≤", `$\leq$`, "≥", `$\geq$`,
	"−", `$-$`, "λ", `$\lambda$`, "—", "---", "–", "--", "·", `$\cdot$`, "\n", " ",
)

func escapeLaTeX(s string) string {
	return latexEscapes.Replace(plain.Line(strings.ReplaceAll(s, "\n", " ")))
}
