package plot_test

import (
	"math"
	"strconv"
	"testing"

	"headroom/reports/plot"
)

// luminance is that of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(v uint64) float64 {
		x := float64(v&255) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*part(n>>16) + 0.7152*part(n>>8) + 0.0722*part(n)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestDarkCanBeRead holds type to WCAG's 4.5 and curves to its 3 on the dark page.
func TestDarkCanBeRead(t *testing.T) {
	dark := func(hex string) string {
		t.Helper()
		out, err := plot.Dark(hex)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	paper := dark("FFFFFF")
	if l := luminance(t, paper); l > 0.02 {
		t.Errorf("the dark page is %s, of luminance %.3f", paper, l)
	}
	for _, ink := range []string{"1B1F24", "57606A"} {
		if c := contrast(t, dark(ink), paper); c < 4.5 {
			t.Errorf("type of %s is %s in the dark: contrast %.1f", ink, dark(ink), c)
		}
	}
	last := 0.0
	for i, curve := range []string{"E9B331", "E36339", "A01C7D", "261D6C"} { // from light to dark
		l := luminance(t, dark(curve))
		if c := contrast(t, dark(curve), paper); c < 3 {
			t.Errorf("a curve of %s is %s in the dark: contrast %.1f", curve, dark(curve), c)
		}
		if i > 0 && l <= last {
			t.Errorf("%s is no lighter in the dark than the one before", curve)
		}
		last = l
	}
	for _, bad := range []string{"", "FFF", "GGGGGG", "#FFFFFF"} {
		if _, err := plot.Dark(bad); err == nil {
			t.Errorf("%q is taken for a colour", bad)
		}
	}
}
