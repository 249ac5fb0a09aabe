package plot

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
)

// Dark returns the colour on a dark page for a colour of a figure, both as RRGGBB. White
// becomes the colour of the dark page, and black becomes light. Of two colours with a hue
// the darker one stays the more visible, so that an order by lightness is kept.
func Dark(hex string) (string, error) {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		return "", fmt.Errorf("darken colour %q: not of the form RRGGBB", hex)
	}
	lightness, chroma, angle := toOKLCH(rgb(hue(n)))
	// Greys use the whole range; a colour with a hue must differ from the page.
	grey, coloured := 0.20+0.85*(1-lightness), 0.88-0.66*(lightness-0.30)
	share := math.Max(0, math.Min(1, (chroma-0.08)/0.03))
	c := oklch(math.Min(0.93, grey+share*(coloured-grey)), chroma, angle)
	return fmt.Sprintf("%02X%02X%02X", c.R, c.G, c.B), nil
}

// toOKLCH is the reverse of oklch for colours that sRGB has.
func toOKLCH(c color.NRGBA) (lightness, chroma, angle float64) {
	red, green, blue := linearLight(c.R), linearLight(c.G), linearLight(c.B)
	l := math.Cbrt(0.4122214708*red + 0.5363325363*green + 0.0514459929*blue)
	m := math.Cbrt(0.2119034982*red + 0.6806995451*green + 0.1073969566*blue)
	s := math.Cbrt(0.0883024619*red + 0.2817188376*green + 0.6299787005*blue)
	a := 1.9779984951*l - 2.4285922050*m + 0.4505937099*s
	b := 0.0259040371*l + 0.7827717662*m - 0.8086757660*s
	return 0.2104542553*l + 0.7936177850*m - 0.0040720468*s, math.Hypot(a, b), math.Atan2(b, a) * 180 / math.Pi
}

func linearLight(v uint8) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}
