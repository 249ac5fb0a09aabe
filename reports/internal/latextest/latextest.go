// Package latextest sets tables by LaTeX in tests.
package latextest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Compile sets tables, each on a page of its own, in an article of 10 points, and fails the
// test on errors and on what is wider or higher than the page. Without pdflatex and the
// packages that the tables need it skips the test; `make test-latex` installs them.
func Compile(t *testing.T, tables string) {
	t.Helper()
	program, err := exec.LookPath("pdflatex")
	if err == nil {
		err = exec.Command("kpsewhich", "booktabs.sty").Run()
	}
	if err == nil {
		err = exec.Command("kpsewhich", "threeparttable.sty").Run()
	}
	if err != nil {
		t.Skip("pdflatex with booktabs and threeparttable is not installed: the tables are not set (make test-latex installs it)")
	}
	folder := t.TempDir()
	document := "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{array,booktabs,threeparttable}\n\\begin{document}\n" +
		strings.ReplaceAll(tables, `\end{table}`, "\\end{table}\n\\clearpage") + "\\end{document}\n"
	if err := os.WriteFile(filepath.Join(folder, "doc.tex"), []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(program, "-interaction=nonstopmode", "-halt-on-error", "doc.tex")
	run.Dir = folder
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "Overfull") || strings.Contains(line, "Float too large") {
			t.Error(line)
		}
	}
}
