package plot

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// PDF writes the figure as a page of its size, in vectors. Type is drawn as outlines, so that
// no font is embedded and no letter can be missing. The page has no date, so that the same
// figure gives the same bytes.
func (f *Figure) PDF(w io.Writer) error {
	d := f.drawing()
	c := &pdfCanvas{width: f.options.width, height: d.height, states: []pdfState{{}}}
	c.write("4 M") // SVG's limit of mitres
	vg.Initialize(c)
	d.draw(c)
	if err := c.page(w); err != nil {
		return fmt.Errorf("draw figure %q: %w", f.Name, err)
	}
	return nil
}

// pdfCanvas collects the content of one page.
type pdfCanvas struct {
	width, height vg.Length
	content       bytes.Buffer
	states        []pdfState
	opacities     []uint8 // in use, in the order of their names
	glyphs        sfnt.Buffer
	err           error
}

// pdfState holds the settings in the page's content so far.
type pdfState struct {
	color color.NRGBA
	known bool // color was written
	thin  bool // the line width is not positive: lines are not drawn
}

func (c *pdfCanvas) state() *pdfState { return &c.states[len(c.states)-1] }

// write adds an operation with its operands before it.
func (c *pdfCanvas) write(operator string, operands ...float64) {
	for _, v := range operands {
		c.content.WriteString(pdfNumber(v) + " ")
	}
	c.content.WriteString(operator + "\n")
}

// pdfNumber has at most four decimals, a hundredth of a printer's resolution.
func pdfNumber(v float64) string {
	v = math.Round(v*1e4) / 1e4
	if v == 0 {
		return "0" // never -0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// Size is the size of the page.
func (c *pdfCanvas) Size() (x, y vg.Length) { return c.width, c.height }

// SetLineWidth implements vg.Canvas.
func (c *pdfCanvas) SetLineWidth(w vg.Length) {
	c.state().thin = w <= 0
	c.write("w", w.Points())
}

// SetLineDash implements vg.Canvas.
func (c *pdfCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.content.WriteString("[")
	for _, length := range pattern {
		c.content.WriteString(pdfNumber(length.Points()) + " ")
	}
	c.content.WriteString("] ")
	c.write("d", offset.Points())
}

// SetColor implements vg.Canvas.
func (c *pdfCanvas) SetColor(to color.Color) {
	if to == nil {
		to = color.Black
	}
	wanted := color.NRGBAModel.Convert(to).(color.NRGBA)
	s := c.state()
	if s.known && s.color == wanted {
		return
	}
	r, g, b := float64(wanted.R)/255, float64(wanted.G)/255, float64(wanted.B)/255
	c.write("rg", r, g, b)
	c.write("RG", r, g, b)
	at := slices.Index(c.opacities, wanted.A)
	if at < 0 {
		at, c.opacities = len(c.opacities), append(c.opacities, wanted.A)
	}
	fmt.Fprintf(&c.content, "/A%d gs\n", at)
	s.color, s.known = wanted, true
}

// Rotate implements vg.Canvas.
func (c *pdfCanvas) Rotate(radians float64) {
	sin, cos := math.Sincos(radians)
	c.write("cm", cos, sin, -sin, cos, 0, 0)
}

// Translate implements vg.Canvas.
func (c *pdfCanvas) Translate(by vg.Point) { c.write("cm", 1, 0, 0, 1, by.X.Points(), by.Y.Points()) }

// Scale implements vg.Canvas.
func (c *pdfCanvas) Scale(x, y float64) { c.write("cm", x, 0, 0, y, 0, 0) }

// Push implements vg.Canvas.
func (c *pdfCanvas) Push() {
	c.states = append(c.states, *c.state())
	c.write("q")
}

// Pop implements vg.Canvas.
func (c *pdfCanvas) Pop() {
	c.states = c.states[:len(c.states)-1]
	c.write("Q")
}

// Stroke implements vg.Canvas.
func (c *pdfCanvas) Stroke(p vg.Path) {
	if !c.state().thin {
		c.path(p)
		c.write("S")
	}
}

// Fill implements vg.Canvas.
func (c *pdfCanvas) Fill(p vg.Path) {
	c.path(p)
	c.write("f")
}

// DrawImage implements vg.Canvas. Figures have no images.
func (c *pdfCanvas) DrawImage(vg.Rectangle, image.Image) {
	c.err = errors.New("a PDF of this program has no images")
}

func (c *pdfCanvas) path(p vg.Path) {
	var at vg.Point
	begun := false
	for _, part := range p {
		switch part.Type {
		case vg.MoveComp:
			c.write("m", part.Pos.X.Points(), part.Pos.Y.Points())
			at = part.Pos
		case vg.LineComp:
			c.write("l", part.Pos.X.Points(), part.Pos.Y.Points())
			at = part.Pos
		case vg.ArcComp:
			at = c.arc(part, begun)
		case vg.CurveComp:
			one, two := part.Control[0], part.Control[len(part.Control)-1]
			if len(part.Control) == 1 { // a parabola as a cubic
				one, two = pointBetween(at, one, 2./3), pointBetween(part.Pos, two, 2./3)
			}
			c.cubic(one, two, part.Pos)
			at = part.Pos
		case vg.CloseComp:
			c.write("h")
		}
		begun = true
	}
}

// pointBetween is the point at a share of the way from one point to another.
func pointBetween(from, to vg.Point, share float64) vg.Point {
	return vg.Point{X: from.X + vg.Length(share)*(to.X-from.X), Y: from.Y + vg.Length(share)*(to.Y-from.Y)}
}

func (c *pdfCanvas) cubic(one, two, end vg.Point) {
	c.write("c", one.X.Points(), one.Y.Points(), two.X.Points(), two.Y.Points(), end.X.Points(), end.Y.Points())
}

// arc draws a part of a circle by a cubic per quarter, and returns where it ends.
func (c *pdfCanvas) arc(a vg.PathComp, begun bool) vg.Point {
	on := func(angle float64) vg.Point {
		return vg.Point{X: a.Pos.X + a.Radius*vg.Length(math.Cos(angle)), Y: a.Pos.Y + a.Radius*vg.Length(math.Sin(angle))}
	}
	start := on(a.Start)
	if begun {
		c.write("l", start.X.Points(), start.Y.Points())
	} else {
		c.write("m", start.X.Points(), start.Y.Points())
	}
	pieces := max(1, int(math.Ceil(math.Abs(a.Angle)/(math.Pi/2)-1e-9)))
	step := a.Angle / float64(pieces)
	reach := a.Radius * vg.Length(4./3*math.Tan(step/4))
	for i := range pieces {
		from, to := a.Start+float64(i)*step, a.Start+float64(i+1)*step
		p, q := on(from), on(to)
		c.cubic(vg.Point{X: p.X - reach*vg.Length(math.Sin(from)), Y: p.Y + reach*vg.Length(math.Cos(from))},
			vg.Point{X: q.X + reach*vg.Length(math.Sin(to)), Y: q.Y - reach*vg.Length(math.Cos(to))}, q)
	}
	return on(a.Start + a.Angle)
}

// FillString implements vg.Canvas: it fills the outlines of the letters.
func (c *pdfCanvas) FillString(face font.Face, at vg.Point, words string) {
	if face.Font.Size == 0 || c.err != nil {
		return
	}
	perEm := fixed.Int26_6(face.Face.UnitsPerEm() << 6)
	scale := face.Font.Size.Points() / float64(face.Face.UnitsPerEm()) / 64
	x, last := fixed.Int26_6(0), sfnt.GlyphIndex(0)
	for i, r := range words {
		glyph, err := face.Face.GlyphIndex(&c.glyphs, r)
		if err != nil {
			c.err = err
			return
		}
		if i > 0 { // without a pair in the font there is nothing to add
			if kern, err := face.Face.Kern(&c.glyphs, last, glyph, perEm, xfont.HintingNone); err == nil {
				x += kern
			}
		}
		last = glyph
		outline, err := face.Face.LoadGlyph(&c.glyphs, glyph, perEm, nil)
		if err != nil {
			c.err = err
			return
		}
		place := func(p fixed.Point26_6) vg.Point {
			return vg.Point{X: at.X + vg.Length(float64(x+p.X)*scale), Y: at.Y - vg.Length(float64(p.Y)*scale)}
		}
		var pen vg.Point
		for _, s := range outline {
			end := place(s.Args[0])
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				c.write("m", end.X.Points(), end.Y.Points())
			case sfnt.SegmentOpLineTo:
				c.write("l", end.X.Points(), end.Y.Points())
			case sfnt.SegmentOpQuadTo:
				middle := end
				end = place(s.Args[1])
				c.cubic(pointBetween(pen, middle, 2./3), pointBetween(end, middle, 2./3), end)
			case sfnt.SegmentOpCubeTo:
				two := place(s.Args[1])
				one := end
				end = place(s.Args[2])
				c.cubic(one, two, end)
			}
			pen = end
		}
		if len(outline) > 0 {
			c.write("f")
		}
		advance, err := face.Face.GlyphAdvance(&c.glyphs, glyph, perEm, xfont.HintingNone)
		if err != nil {
			c.err = err
			return
		}
		x += advance
	}
}

// page writes the file: catalog, pages, page and content.
func (c *pdfCanvas) page(w io.Writer) error {
	if c.err != nil {
		return c.err
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(c.content.Bytes()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	var opacities string
	for i, a := range c.opacities {
		share := pdfNumber(float64(a) / 255)
		opacities += fmt.Sprintf("/A%d<</ca %s/CA %s>>", i, share, share)
	}
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %s %s]/Contents 4 0 R/Resources<</ExtGState<<%s>>>>>>", pdfNumber(c.width.Points()), pdfNumber(c.height.Points()), opacities),
		fmt.Sprintf("<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream", packed.Len(), packed.String()),
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	_, err := w.Write(b.Bytes())
	return err
}
