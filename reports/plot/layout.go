package plot

import (
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
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
func (s sheet) columns() (gap, cell vg.Length) {
	gap = columnGap
	if s.gap > 0 {
		gap = s.gap
	}
	return gap, (width - s.left - s.right - vg.Length(s.cols-1)*gap) / vg.Length(s.cols)
}

// figure measures the sheet and makes a figure of it.
func (s sheet) figure(name, alt, caption string) *Figure {
	measure := newBrush(draw.Canvas{})
	legendHeight := measure.legend(s.legend, 0, false)
	head := margin/2 + titleHeight + legendHeight
	height := head + vg.Length(s.rows)*(panelTop+s.panelHeight+panelBottom) + 2
	return &Figure{Name: name, Alt: alt, Caption: caption, height: height, paint: func(b *brush) {
		top := height - margin/2
		b.text(vg.Point{X: margin, Y: top - titleHeight/2 + 1}, s.title, script{size: sizeTitle, bold: true, y: text.YCenter})
		b.legend(s.legend, top-titleHeight, true)
		if s.rows == 0 || s.cols == 0 {
			return
		}
		gap, cell := s.columns()
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
	return sheet{title: title, rows: 1, cols: 1, panelHeight: 90, left: margin, right: margin,
		panel: func(b *brush, data vg.Rectangle, _, _ int) {
			b.line(rule, 1, nil, data.Min, vg.Point{X: data.Max.X, Y: data.Min.Y}, data.Max, vg.Point{X: data.Min.X, Y: data.Max.Y}, data.Min)
			b.text(vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: (data.Min.Y + data.Max.Y) / 2}, "no data yet",
				script{size: sizeLabel, color: muted, x: text.XCenter, y: text.YCenter})
		}}.figure(name, alt, caption)
}

// tiles chooses a grid for n panels of one kind: at most three beside each other.
func tiles(n int) (rows, cols int) {
	cols = min(n, 3)
	if n == 4 {
		cols = 2
	}
	return (n + cols - 1) / cols, cols
}
