package table_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"headroom/reports/internal/latextest"
	"headroom/reports/table"
)

// wide has more columns and rows than a page, and words that no column holds.
func wide() *table.Table {
	t := &table.Table{Title: `Wide & "long" {100 %}`, Columns: []table.Column{{Name: "backbone", Key: true}, {Name: "λ", Numeric: true, Key: true}, {Name: "judge"}}}
	for i := range 9 {
		t.Columns = append(t.Columns, table.Column{Name: fmt.Sprintf("measure number %d on a collection", i), Numeric: true, Spread: true, Better: table.Higher})
	}
	t.Columns = append(t.Columns, table.Column{Name: "detail", Detail: true}, table.Column{Name: "last"})
	for n := range 50 {
		row := []table.Cell{table.Text([]string{`[a*b] \x_y^2 #1`, "*star", strings.Repeat("unbroken", 12), "größe/模型", "a--b `c` \"d\" ~ <e>"}[n%5]), table.Number(float64(n), fmt.Sprint(n)), table.Text("the same")}
		for range 9 {
			row = append(row, table.Cell{Text: "0.500 ± 0.100 (2)", Value: 0.5, SD: 0.1, N: 2, Notes: []int{t.Note(fmt.Sprintf("note %d with 50 %% & more words than stand on a line of notes below a table, so that it is broken", n%7))}})
		}
		t.Rows = append(t.Rows, append(row, table.Text(strings.Repeat("many words ", n%3*9)), table.Text(fmt.Sprint(-n))))
	}
	return t
}

func latex(t *testing.T, tables ...*table.Table) string {
	t.Helper()
	var b bytes.Buffer
	for _, made := range tables {
		if err := made.LaTeX(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestLaTeXHasEverything: key columns are in each part, every other column in one, each
// row once per part's columns, and what never changes in the caption alone.
func TestLaTeXHasEverything(t *testing.T) {
	text := latex(t, wide())
	floats := strings.Split(text, `\begin{table}`)[1:]
	if len(floats) < 6 {
		t.Fatalf("%d floats", len(floats))
	}
	for i, f := range floats {
		head, _, _ := strings.Cut(f, `\midrule`)
		if !strings.Contains(head, "backbone") || !strings.Contains(head, `$\lambda$`) || !strings.Contains(head, "In every row that has it: judge the same") {
			t.Errorf("float %d lacks keys or what never changes:\n%s", i, head)
		}
		if _, rows, _ := strings.Cut(f, `\midrule`); strings.Contains(rows, "the same") {
			t.Errorf("float %d repeats what never changes", i)
		}
		marks := regexp.MustCompile(`\\tnote\{([0-9,]+)\}`).FindAllStringSubmatch(f, -1)
		for _, m := range marks {
			for _, n := range strings.Split(m[1], ",") {
				if !strings.Contains(f, `\item[`+n+`]`) {
					t.Errorf("float %d refers to a note %s that it does not have", i, n)
				}
			}
		}
	}
	for i := range 9 {
		if !strings.Contains(text, fmt.Sprintf(`number %d`, i)) {
			t.Errorf("measure %d is in no float", i)
		}
	}
	if last := floats[len(floats)-1]; !strings.Contains(last, "detail") || strings.Contains(last, "measure") {
		t.Error("the details do not stand last")
	}
	if !strings.Contains(text, `\texttt{U+6A21}`) || !strings.Contains(text, "größe") {
		t.Error("letters that LaTeX has not are not written by their code points")
	}
}

// TestLaTeXCompiles sets the tables and looks for errors and for boxes that are too wide.
func TestLaTeXCompiles(t *testing.T) {
	latextest.Compile(t, latex(t, difficult(), wide(), &table.Table{Title: "Empty", Columns: []table.Column{{Name: "nothing"}}}))
}
