package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Sizes in points; at 800 pixels of width a point is 1.33 pixels.
const (
	sizeTitle  = 12 * vg.Length(1)
	sizePanel  = 10.5 * vg.Length(1)
	sizeLabel  = 10 * vg.Length(1)
	sizeTick   = 9 * vg.Length(1)
	sizeLegend = 9.5 * vg.Length(1)
)

// hue is an opaque colour, 0xRRGGBB.
type hue uint32

func (h hue) RGBA() (r, g, b, a uint32) { return rgb(h).RGBA() }

func rgb(h hue) color.NRGBA {
	return color.NRGBA{R: uint8(h >> 16), G: uint8(h >> 8), B: uint8(h), A: 255}
}

func fade(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(math.Round(255 * alpha))
	return c
}

const (
	ink   hue = 0x1b1f24
	muted hue = 0x57606a
	rule  hue = 0xe4e7eb
	frame hue = 0x8c959f
)

// backboneColor gives backbones different hues, which stay distinct with the common kinds of
// colour blindness; the glyphs differ too.
func backboneColor(i int) color.NRGBA {
	set := [...]hue{0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9}
	return rgb(set[i%len(set)])
}

// ramp gives n colours from dark to light for ordered values. Lightness rises
// evenly in OKLab, so the order survives colour blindness and grey print; the
// light end stays dark enough for a line on white.
func ramp(n int) []color.NRGBA {
	type stop struct{ lightness, chroma, hue float64 }
	stops := []stop{{.30, .13, 280}, {.44, .19, 325}, {.58, .19, 15}, {.69, .16, 50}, {.80, .15, 85}}
	out := make([]color.NRGBA, n)
	for i := range out {
		at := 0.0
		if n > 1 {
			at = float64(i) / float64(n-1) * float64(len(stops)-1)
		}
		j := min(int(at), len(stops)-2)
		f := at - float64(j)
		a, b := stops[j], stops[j+1]
		turn := math.Mod(b.hue-a.hue+540, 360) - 180
		out[i] = oklch(a.lightness+f*(b.lightness-a.lightness), a.chroma+f*(b.chroma-a.chroma), a.hue+f*turn)
	}
	return out
}

// oklch converts OKLab's lightness, chroma and hue in degrees to sRGB, clipping
// what sRGB lacks.
func oklch(lightness, chroma, hue float64) color.NRGBA {
	a := chroma * math.Cos(hue*math.Pi/180)
	b := chroma * math.Sin(hue*math.Pi/180)
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	return color.NRGBA{
		R: gamma(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		G: gamma(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		B: gamma(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		A: 255,
	}
}

func cube(v float64) float64 { return v * v * v }

func gamma(v float64) uint8 {
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * math.Max(0, math.Min(1, v))))
}
