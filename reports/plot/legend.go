package plot

import (
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// entry is one line of a legend: a sample, drawn into a box of the given width
// around the point's height, and its name.
type entry struct {
	name   string
	width  vg.Length // of the sample; 0 is a heading without one
	sample func(b *brush, left vg.Point)
	// row starts a new row, so that a group is not split.
	row bool
}

const (
	legendRow = 15 * vg.Length(1)
	legendGap = 13 * vg.Length(1)
	margin    = 12 * vg.Length(1)
)

// legend lays entries out in rows between the margins of a width, from top down, and
// returns the height it takes. With draw false it only measures.
func (b *brush) legend(entries []entry, width, top vg.Length, paint bool) vg.Length {
	left, right := margin, width-margin
	x, y := left, top-legendRow/2
	for _, e := range entries {
		s := script{size: sizeLegend, y: text.YCenter}
		if e.width == 0 {
			s.color = muted
		}
		w := e.width + b.textWidth(e.name, s)
		if e.width > 0 {
			w += 4
		}
		if x > left && (e.row || x+w > right) {
			x, y = left, y-legendRow
		}
		if paint {
			at := x
			if e.width > 0 {
				e.sample(b, vg.Point{X: x, Y: y})
				at += e.width + 4
			}
			b.text(vg.Point{X: at, Y: y}, e.name, s)
		}
		x += w + legendGap
	}
	if len(entries) == 0 {
		return 0
	}
	return top - y + legendRow/2
}
