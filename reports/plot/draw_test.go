package plot_test

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"

	"headroom/reports/plot"
)

func TestFigures(t *testing.T) {
	for name, in := range inputs() {
		c := compared(t, in)
		for _, f := range all(c) {
			t.Run(name+"/"+f.Name, func(t *testing.T) {
				svg, raster := render(t, f)
				img, err := png.Decode(bytes.NewReader(raster))
				if err != nil {
					t.Fatal(err)
				}
				if w := img.Bounds().Dx(); w != 1200 {
					t.Errorf("%d pixels wide", w)
				}
				if ink := inked(img); ink < 0.002 || ink > 0.5 {
					t.Errorf("%.2f %% of the picture is not white", 100*ink)
				}
				if at := touched(img, 3); at != "" {
					t.Errorf("something is cut off or stands at the edge, %s", at)
				}
				texts := wellFormed(t, svg)
				for i, a := range texts {
					for _, b := range texts[i+1:] {
						if a.overlaps(b) {
							t.Errorf("%q and %q overlap", a.words, b.words)
						}
					}
				}
				if f.Alt == "" || f.Caption == "" {
					t.Error("no alternative text or no caption")
				}
				for _, inches := range []float64{3.33, 7} {
					narrow(t, f.Untitled().Wide(inches), inches)
				}
			})
		}
	}
}

// narrow holds a figure for a paper to its width: no text leaves it or overlaps another, and
// the least type is of 7 points.
func narrow(t *testing.T, f *plot.Figure, inches float64) {
	t.Helper()
	var svg bytes.Buffer
	if err := f.SVG(&svg); err != nil {
		t.Fatal(err)
	}
	texts := wellFormed(t, svg.Bytes())
	for i, a := range texts {
		if a.left < 0 || a.right > 72*inches {
			t.Errorf("%v in: %q stands from %.0f to %.0f of %.0f points", inches, a.words, a.left, a.right, 72*inches)
		}
		for _, b := range texts[i+1:] {
			if a.overlaps(b) {
				t.Errorf("%v in: %q and %q overlap", inches, a.words, b.words)
			}
		}
	}
	for _, found := range size.FindAllStringSubmatch(svg.String(), -1) {
		if points, _ := strconv.ParseFloat(found[1], 64); points < 7 {
			t.Errorf("type of %s points", found[1])
		}
	}
}

// inked is the share of pixels that are not white.
func inked(img image.Image) float64 {
	b := img.Bounds()
	n := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if !white(img, x, y) {
				n++
			}
		}
	}
	return float64(n) / float64(b.Dx()*b.Dy())
}

func white(img image.Image, x, y int) bool {
	r, g, b, _ := img.At(x, y).RGBA()
	return r > 0xf000 && g > 0xf000 && b > 0xf000
}

// touched names a pixel within margin of the edge that is not white.
func touched(img image.Image, margin int) string {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			inside := x >= b.Min.X+margin && x < b.Max.X-margin && y >= b.Min.Y+margin && y < b.Max.Y-margin
			if !inside && !white(img, x, y) {
				return "at " + image.Pt(x, y).String()
			}
		}
	}
	return ""
}

// words is an upright text of an SVG with its box.
type words struct {
	words                    string
	left, right, top, bottom float64
}

func (a words) overlaps(b words) bool {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

var size = regexp.MustCompile(`font-size:([0-9.]+)px`)

// wellFormed reads an SVG and gives the boxes of its upright texts; digits and
// capitals stand on the line, so descenders are left out.
func wellFormed(t *testing.T, svg []byte) []words {
	t.Helper()
	fonts := font.NewCache(liberation.Collection())
	d := xml.NewDecoder(bytes.NewReader(svg))
	var out []words
	turned := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
			}
			if turned > 0 || strings.HasPrefix(attributes["transform"], "rotate") {
				turned++
				continue
			}
			if e.Name.Local != "text" {
				continue
			}
			var content string
			if err := d.DecodeElement(&content, &e); err != nil {
				t.Fatal(err)
			}
			style := size.FindStringSubmatch(attributes["style"])
			if style == nil {
				t.Fatalf("text %q has no size", content)
			}
			points, _ := strconv.ParseFloat(style[1], 64)
			x, _ := strconv.ParseFloat(attributes["x"], 64)
			y, _ := strconv.ParseFloat(attributes["y"], 64)
			f := font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, vg.Length(points))
			if strings.Contains(attributes["style"], "font-weight:bold") {
				f.Weight = xfont.WeightBold
			}
			face := fonts.Lookup(f, f.Size)
			w := face.Width(content).Points()
			out = append(out, words{content, x, x + w, y - 0.75*points, y})
		case xml.EndElement:
			if turned > 0 {
				turned--
			}
		}
	}
}
