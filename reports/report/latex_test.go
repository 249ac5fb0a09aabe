package report_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"headroom/reports/report"
)

// TestEveryTableCompiles sets all tables of the reports in docs and in testdata, and the paper's
// layout, and looks for errors and for boxes that are too wide.
func TestEveryTableCompiles(t *testing.T) {
	program, err := exec.LookPath("pdflatex")
	if err != nil {
		t.Skip("pdflatex is not installed: the tables are not compiled (make test-latex installs it where it may)")
	}
	texts := map[string]string{}
	for _, pattern := range []string{"testdata/*.tex", "../../docs/*/*.tex"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no tables, %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(text)
		}
	}
	paper, err := report.NewPaper(inPaper(""), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := paper.Table().LaTeX(&b); err != nil {
		t.Fatal(err)
	}
	texts["paper"] = b.String()
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			document := "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{array,booktabs,threeparttable}\n\\begin{document}\n" +
				strings.ReplaceAll(text, `\end{table}`, "\\end{table}\n\\clearpage") + "\\end{document}\n"
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
		})
	}
}
