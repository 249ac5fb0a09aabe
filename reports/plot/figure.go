// Package plot draws a comparison's pictures: loss against step, effectiveness
// against k, active dims against step, and head norms.
//
// The contract: one Figure writes an SVG and a PNG that show the same; the same
// comparison gives the same bytes; axes have names and units; a legend is outside the
// data; a value that is not finite leaves a gap and a mark and is never dropped; a
// figure without data says so instead of failing. Figures are laid out for 800 pixels
// of width, or again for another width with type of the same size.
package plot

import (
	"bytes"
	"fmt"
	"image/color"
	"io"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"headroom/internal/plain"
)

// pageWidth is 800 pixels at 96 dots per inch; PNGs have 1.5 times as many dots, to be
// sharp on dense screens.
const (
	pageWidth = 600 * vg.Length(1)
	pngDPI    = 144
)

// Figure is one picture. Name is its file name without extension, Caption is the text
// below it in a report, and Alt is the text for a reader who cannot see it.
type Figure struct {
	Name, Caption, Alt string
	// Costs marks a figure that shows the measure against cost.
	Costs   bool
	options options
	lay     func(options) sheet
}

// options holds the options of a figure.
type options struct {
	width    vg.Length
	untitled bool
}

func newFigure(name, alt, caption string, lay func(options) sheet) *Figure {
	return &Figure{Name: name, Alt: alt, Caption: caption, options: options{width: pageWidth}, lay: lay}
}

// Untitled is the figure without its title, for a place that has a caption.
func (f *Figure) Untitled() *Figure {
	other := *f
	other.options.untitled = true
	return &other
}

// Wide is the figure laid out for another width in inches, with type of the same size. In a
// smaller width fewer panels are side by side.
func (f *Figure) Wide(inches float64) *Figure {
	other := *f
	other.options.width = vg.Length(inches) * vg.Inch
	return &other
}

// Files are the names of the two forms in a folder.
func (f *Figure) Files() (svg, png string) { return f.Name + ".svg", f.Name + ".png" }

// SVG writes the figure as SVG.
func (f *Figure) SVG(w io.Writer) error {
	d := f.drawing()
	c := vgsvg.New(f.options.width, d.height)
	d.draw(c)
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return fmt.Errorf("draw figure %q: %w", f.Name, err)
	}
	// The fonts are not embedded, since they would be most of the file: name fonts
	// of the same widths that other machines have.
	out := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("draw figure %q: %w", f.Name, err)
	}
	return nil
}

// PNG writes the figure as PNG.
func (f *Figure) PNG(w io.Writer) error {
	d := f.drawing()
	c := vgimg.NewWith(vgimg.UseWH(f.options.width, d.height), vgimg.UseDPI(pngDPI))
	d.draw(c)
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return fmt.Errorf("draw figure %q: %w", f.Name, err)
	}
	return nil
}

// drawing is a figure laid out.
type drawing struct {
	height vg.Length
	paint  func(*brush)
}

func (f *Figure) drawing() drawing { return f.lay(f.options).drawing(f.options) }

func (d drawing) draw(c vg.CanvasSizer) {
	b := newBrush(draw.New(c))
	b.rectangle(b.canvas.Rectangle, color.White)
	d.paint(b)
}

// brush draws on one canvas with the house's type and colours.
type brush struct {
	canvas draw.Canvas
	fonts  text.Handler
}

func newBrush(c draw.Canvas) *brush {
	return &brush{canvas: c, fonts: text.Plain{Fonts: font.NewCache(liberation.Collection())}}
}

// script is how a text looks.
type script struct {
	size  vg.Length
	bold  bool
	color color.Color
	x     text.XAlignment
	y     text.YAlignment
	turn  float64 // radians, anticlockwise
}

func (b *brush) style(s script) text.Style {
	f := font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, s.size)
	if s.bold {
		f.Weight = xfont.WeightBold
	}
	if s.color == nil {
		s.color = ink
	}
	return text.Style{Font: f, Color: s.color, XAlign: s.x, YAlign: s.y, Rotation: s.turn, Handler: b.fonts}
}

func (b *brush) text(at vg.Point, words string, s script) {
	if s.y == text.YCenter && s.turn == 0 {
		at.Y += 0.08 * s.size // the middle of the digits, not of the line with its descent
	}
	b.canvas.FillText(b.style(s), at, plain.Line(words))
}

func (b *brush) textWidth(words string, s script) vg.Length {
	return b.style(s).Width(plain.Line(words))
}

func (b *brush) line(c color.Color, w vg.Length, dashes []vg.Length, points ...vg.Point) {
	b.canvas.StrokeLines(draw.LineStyle{Color: c, Width: w, Dashes: dashes}, points)
}

func (b *brush) rectangle(r vg.Rectangle, c color.Color) {
	b.canvas.SetColor(c)
	b.canvas.Fill(r.Path())
}

func (b *brush) polygon(c color.Color, points []vg.Point) {
	b.canvas.FillPolygon(c, points)
}
