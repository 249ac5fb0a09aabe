package plot_test

import (
	"bytes"
	"fmt"
	"image/png"
	"testing"

	"headroom/reports/internal/sample"
	"headroom/reports/plot"
)

// The margin of an axis with such k is beyond the largest float64: nothing can be drawn there, and an earlier version
// never ended.
func TestFactorsFarApartAreDrawnInsideTheFigure(t *testing.T) {
	in := sample.Demo()
	for i := range in.Runs {
		switch in.Runs[i].Rescale {
		case 0.125:
			in.Runs[i].Rescale = 1e-300
		case 16:
			in.Runs[i].Rescale = 1e300
		}
	}
	c := compared(t, in)
	for _, f := range all(c) {
		svg, raster := render(t, f)
		img, err := png.Decode(bytes.NewReader(raster))
		if err != nil {
			t.Fatal(err)
		}
		if ink := inked(img); ink < 0.002 || ink > 0.5 {
			t.Errorf("%s: %.2f %% of the picture is not white", f.Name, 100*ink)
		}
		if at := touched(img, 3); at != "" {
			t.Errorf("%s: something is cut off or stands at the edge, %s", f.Name, at)
		}
		if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
			t.Errorf("%s: a place is no number", f.Name)
		}
	}
}

func TestManyEqualSeedsStayAtTheirK(t *testing.T) {
	if got, want := fmt.Sprint(plot.Asides(9)), "[0 3.5 -3.5 7 -7 10.5 -10.5 0 3.5]"; got != want {
		t.Errorf("seeds are moved by %s, want %s", got, want)
	}
}
