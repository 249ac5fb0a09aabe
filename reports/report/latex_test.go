package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"headroom/reports/internal/latextest"
	"headroom/reports/report"
)

// TestEveryTableCompiles sets all tables of the reports in docs and in testdata, and the paper's
// layout, and looks for errors and for boxes that are too wide.
func TestEveryTableCompiles(t *testing.T) {
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
		t.Run(name, func(t *testing.T) { latextest.Compile(t, text) })
	}
}
