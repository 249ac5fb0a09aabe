// Package report writes a comparison as a folder: report.md, its tables as Markdown,
// CSV and LaTeX, and its figures as SVG and PNG.
//
// It reads only the store and the extras that it is given. The same store and extras give the
// same bytes, whatever the clock, the host and the order of files.
package report

import (
	"headroom/reports/claims"
	"headroom/reports/compare"
	"headroom/reports/incident"
	"headroom/reports/plot"
	"headroom/reports/table"
)

// Named is a table and the name of its files, without ending.
type Named struct {
	Name  string
	Table *table.Table
}

// Extras are optional parts of a report; the zero value has none.
type Extras struct {
	// Claims are judged statements about the sweep; nil leaves their section out. Beside is the
	// number of claims that were left out because they are about other runs or unknown numbers.
	Claims []claims.Judgement
	Beside int
	// Incidents tell how collapsed and recovered runs got there; Untold is how many more there are.
	Incidents []incident.Page
	Untold    int
	// Paper is a table in the layout of the paper; nil leaves it out.
	Paper *Paper
	// Inches asks for a PDF of each figure too, with that width and without a title, for a
	// paper; 0 asks for none.
	Inches float64
	// Untitled leaves the titles of all figures out.
	Untitled bool
}

// Tables are a report's tables, in its order.
func Tables(c *compare.Comparison, more Extras) []Named {
	tables := []Named{{"matched", matchedTable(c)}}
	if more.Claims != nil {
		tables = append(tables, Named{"claims", claimsTable(more.Claims)})
	}
	tables = append(tables, Named{"table", mainTable(c)})
	if more.Paper != nil {
		tables = append(tables, Named{"paper", more.Paper.Table()})
	}
	return append(tables, Named{"differences", contrastsTable(c)}, Named{"scores", scoresTable(c)}, Named{"runs", runsTable(c)}, Named{"provenance", provenanceTable(c)})
}

// Figures are a comparison's figures in the order of the report.
func Figures(c *compare.Comparison) []*plot.Figure {
	figures := []*plot.Figure{}
	for _, dataset := range c.Datasets {
		if cost, ok := plot.Cost(c, dataset); ok {
			figures = append(figures, cost)
		}
		if matched, ok := plot.MatchedFigure(c); ok && dataset == c.Datasets[0] {
			figures = append(figures, matched)
		}
		figures = append(figures, plot.Effectiveness(c, dataset, headline(c)))
		if grid, ok := plot.Map(c, dataset); ok {
			figures = append(figures, grid)
		}
	}
	figures = append(figures, plot.Loss(c))
	if parts, ok := plot.LossParts(c); ok {
		figures = append(figures, parts)
	}
	if dev, ok := plot.Dev(c); ok {
		figures = append(figures, dev)
	}
	figures = append(figures, plot.Active(c))
	if c.HeadsDiffer() { // else it would show 1/k
		figures = append(figures, plot.HeadNorm(c))
	}
	return figures
}
