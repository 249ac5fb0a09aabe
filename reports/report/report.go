// Package report composes one folder out of a comparison: report.md, its tables
// as Markdown, CSV and LaTeX, and its figures as SVG and PNG.
//
// It reads nothing but the store. The same store gives the same bytes: no clock,
// no host, no order of files enters.
package report

import (
	"headroom/reports/compare"
	"headroom/reports/plot"
	"headroom/reports/table"
)

// Named is a table and the name of its files, without ending.
type Named struct {
	Name  string
	Table *table.Table
}

// Tables are a comparison's tables, in the order of the report.
func Tables(c *compare.Comparison) []Named {
	return []Named{
		{"matched", matchedTable(c)}, {"table", mainTable(c)}, {"differences", contrastsTable(c)}, {"scores", scoresTable(c)},
		{"runs", runsTable(c)}, {"provenance", provenanceTable(c)},
	}
}

// Figures are a comparison's figures in the order of the report.
func Figures(c *compare.Comparison) []*plot.Figure {
	figures := []*plot.Figure{}
	for _, dataset := range c.Datasets {
		if cost, ok := plot.Cost(c, dataset); ok {
			figures = append(figures, cost)
		}
		figures = append(figures, plot.Effectiveness(c, dataset, headline(c)))
		if grid, ok := plot.Map(c, dataset); ok {
			figures = append(figures, grid)
		}
	}
	figures = append(figures, plot.Loss(c))
	if dev, ok := plot.Dev(c); ok {
		figures = append(figures, dev)
	}
	return append(figures, plot.Active(c), plot.HeadNorm(c))
}
