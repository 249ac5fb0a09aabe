package plot

import (
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"headroom/reports/compare"
)

// sheet is a grid of panels under a title and a legend.
type sheet struct {
	title      string
	legend     []entry
	rows, cols int
	// panelHeight is of the data rectangle; left and right are the margins for
	// tick labels and for names of levels.
	panelHeight vg.Length
	left, right vg.Length
	gap         vg.Length // between columns; 0 is the usual gap
	rigid       bool      // panels keep their height if there is little width
	// panel draws one cell; it gets the data rectangle and where the cell stands.
	panel func(b *brush, data vg.Rectangle, row, col int)
}

const (
	titleHeight = 26 * vg.Length(1)
	panelTop    = 24 * vg.Length(1) // the panel's title
	panelBottom = 40 * vg.Length(1) // tick labels and the axis' name
	columnGap   = 22 * vg.Length(1)
)

// columns is the gap between two data rectangles and the width of one.
func (s sheet) columns(l options) (gap, cell vg.Length) {
	gap = columnGap
	if s.gap > 0 {
		gap = s.gap
	}
	return gap, (l.width - s.left - s.right - vg.Length(s.cols-1)*gap) / vg.Length(s.cols)
}

// drawing measures the sheet and lays it out.
func (s sheet) drawing(l options) drawing {
	if l.width < columnWidth && !s.rigid {
		s.panelHeight *= 0.7 // or a column of panels is higher than a page
	}
	measure := newBrush(draw.Canvas{})
	legendHeight := measure.legend(s.legend, l.width, 0, false)
	title := titleHeight
	if l.untitled {
		title = 0
	}
	head := margin/2 + title + legendHeight
	height := head + vg.Length(s.rows)*(panelTop+s.panelHeight+panelBottom) + 2
	return drawing{height: height, paint: func(b *brush) {
		top := height - margin/2
		if !l.untitled {
			heading := script{size: sizeTitle, bold: true, y: text.YCenter}
			b.text(vg.Point{X: margin, Y: top - title/2 + 1}, b.cut(s.title, heading, l.width-2*margin), heading)
		}
		b.legend(s.legend, l.width, top-title, true)
		if s.rows == 0 || s.cols == 0 {
			return
		}
		gap, cell := s.columns(l)
		for row := range s.rows {
			for col := range s.cols {
				x := s.left + vg.Length(col)*(cell+gap)
				y := height - head - vg.Length(row)*(panelTop+s.panelHeight+panelBottom) - panelTop
				s.panel(b, vg.Rectangle{Min: vg.Point{X: x, Y: y - s.panelHeight}, Max: vg.Point{X: x + cell, Y: y}}, row, col)
			}
		}
	}}
}

// empty is a figure that says that there is nothing to show.
func empty(name, title, alt, caption string) *Figure {
	return newFigure(name, alt, caption, func(options) sheet {
		return sheet{title: title, rows: 1, cols: 1, panelHeight: 90, left: margin, right: margin,
			panel: func(b *brush, data vg.Rectangle, _, _ int) {
				b.line(rule, 1, nil, data.Min, vg.Point{X: data.Max.X, Y: data.Min.Y}, data.Max, vg.Point{X: data.Min.X, Y: data.Max.Y}, data.Min)
				b.text(vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: (data.Min.Y + data.Max.Y) / 2}, "no data yet",
					script{size: sizeLabel, color: muted, x: text.XCenter, y: text.YCenter})
			}}
	})
}

// setLinePanels gives the sheet a panel for each line of a comparison, in each of its parts,
// which are below each other. drawPanel is called with the panel, which has no scales yet, its
// line, its part and whether it is leftmost.
func (s *sheet) setLinePanels(lines []*compare.Line, parts int, l options, drawPanel func(p *panel, line *compare.Line, part int, leftmost bool)) {
	perPart, cols := tiles(len(lines), l)
	s.rows, s.cols = perPart*parts, cols
	titles := make([]string, len(lines))
	for i, line := range lines {
		titles[i] = line.Name()
	}
	s.panel = func(b *brush, data vg.Rectangle, row, col int) {
		if i := row%perPart*cols + col; i < len(lines) {
			drawPanel(&panel{brush: b, data: data, titles: titles}, lines[i], row/perPart, col == 0)
		}
	}
}

// columnWidth is a width that no column of a paper reaches.
const columnWidth = 300 * vg.Length(1)

// narrowest is the least width of a panel with its share of the margins.
const narrowest = 150 * vg.Length(1)

// tiles chooses a grid for n panels of one kind, with at most three side by side.
func tiles(n int, l options) (rows, cols int) {
	cols = min(n, 3, max(1, int(l.width/narrowest)))
	if n == 4 {
		cols = min(cols, 2)
	}
	if cols == 0 {
		return 0, 0
	}
	return (n + cols - 1) / cols, cols
}
