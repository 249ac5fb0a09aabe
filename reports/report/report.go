// Package report composes one folder out of a comparison: report.md, its tables
// as Markdown, CSV and LaTeX, and its figures as SVG and PNG.
//
// It reads nothing but the store. The same store gives the same bytes: no clock,
// no host, no order of files enters.
package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"headroom/reports/compare"
	"headroom/reports/plot"
	"headroom/reports/table"
)

// Summary says what a report found and which files it wrote, relative to its folder.
type Summary struct {
	Comparison *compare.Comparison
	Files      []string
}

// Folder writes the report of a comparison.
func Folder(c *compare.Comparison, folder string) (Summary, error) {
	summary := Summary{Comparison: c}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return summary, fmt.Errorf("make report folder: %w", err)
	}
	save := func(name string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("write report file %q: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write report file: %w", err)
		}
		summary.Files = append(summary.Files, name)
		return nil
	}
	figures := Figures(c)
	for _, f := range figures {
		svg, png := f.Files()
		if err := save(svg, f.SVG); err != nil {
			return summary, err
		}
		if err := save(png, f.PNG); err != nil {
			return summary, err
		}
	}
	tables := Tables(c)
	for _, t := range tables {
		for _, form := range []struct {
			ending string
			write  func(io.Writer) error
		}{{".md", t.Table.Markdown}, {".csv", t.Table.CSV}, {".tex", t.Table.LaTeX}} {
			if err := save(t.Name+form.ending, form.write); err != nil {
				return summary, err
			}
		}
	}
	err := save("report.md", func(w io.Writer) error { return markdown(w, c, figures, tables) })
	return summary, err
}

// Named is a table and the name of its files, without ending.
type Named struct {
	Name  string
	Table *table.Table
}

// Tables are a comparison's tables, the main one first.
func Tables(c *compare.Comparison) []Named {
	return []Named{
		{"table", mainTable(c)}, {"differences", contrastsTable(c)}, {"scores", scoresTable(c)},
		{"runs", runsTable(c)}, {"provenance", provenanceTable(c)},
	}
}

// Figures are a comparison's figures in the order of the report.
func Figures(c *compare.Comparison) []*plot.Figure {
	figures := []*plot.Figure{}
	for _, dataset := range c.Datasets {
		figures = append(figures, plot.Effectiveness(c, dataset, headline(c)))
	}
	figures = append(figures, plot.Loss(c))
	if dev, ok := plot.Dev(c); ok {
		figures = append(figures, dev)
	}
	return append(figures, plot.Active(c), plot.HeadNorm(c))
}
