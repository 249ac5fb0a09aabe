package plot_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"headroom/metrics/outline"
	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/plot"
)

// TestPanelsOfAFigureHaveTitlesOfOneSize: at some width only the longer of two titles has too
// little room.
func TestPanelsOfAFigureHaveTitlesOfOneSize(t *testing.T) {
	bold := regexp.MustCompile(`font-weight:bold;[^"]*font-size:([0-9.]+)px[^>]*>([^<]*)</text>`)
	sizes := map[string]bool{}
	for _, f := range all(compared(t, sample.Lambda())) {
		for inches := 3.33; inches < 9; inches += 0.25 {
			var svg strings.Builder
			if err := f.Untitled().Wide(inches).SVG(&svg); err != nil {
				t.Fatal(err)
			}
			first, broken := "", 0
			for _, title := range bold.FindAllStringSubmatch(svg.String(), -1) {
				if !strings.HasPrefix(title[2], "demo-") {
					continue
				}
				if first == "" {
					first = title[1]
				}
				if title[1] != first {
					t.Errorf("%s at %v in: the title %q is of %s points, another of %s", f.Name, inches, title[2], title[1], first)
				}
				if strings.HasSuffix(title[2], ",") {
					broken++
				}
			}
			if broken > 0 && strings.Count(svg.String(), ">demo-") != broken {
				t.Errorf("%s at %v in: %d titles are broken at their comma, and others are not", f.Name, inches, broken)
			}
			sizes[first] = true
		}
	}
	if len(sizes) < 3 {
		t.Errorf("the titles have the sizes %v at all widths: nothing was tested", sizes)
	}
}

// TestPartsReachTheEndOfALossThatBeganHigh: a head of large norm begins at 16,000, and the runs of
// another k end at 0.1, five decades below.
func TestPartsReachTheEndOfALossThatBeganHigh(t *testing.T) {
	const first, last = 16_000, 0.1
	in := sample.Demo()
	for i := range in.Runs {
		s := compare.Series{}
		for step := range 150 {
			s.Steps = append(s.Steps, step)
			s.Values = append(s.Values, first*math.Pow(last/first, float64(step)/149))
		}
		in.Runs[i].Series["loss/contrastive"] = outline.Curve{Series: s}
	}
	f, ok := plot.LossParts(compared(t, in))
	if !ok {
		t.Fatal("no parts are drawn")
	}
	svg, _ := render(t, f)
	least := math.Inf(1)
	for _, label := range regexp.MustCompile(`>([0-9.]+)(k?)</text>`).FindAllStringSubmatch(strings.Split(string(svg), ">contrastive part (log)<")[0], -1) {
		if v, err := strconv.ParseFloat(label[1], 64); err == nil && v > 0 {
			least = math.Min(least, v)
		}
	}
	if least > last {
		t.Errorf("the axis of the contrastive part has no number below %g; its loss ends at %g", least, last)
	}
}

// TestNumbersOfAnAxisDoNotReachItsName: a regularizer of 1e-5 or a loss of 1e12 has no room for all
// its zeros.
func TestNumbersOfAnAxisDoNotReachItsName(t *testing.T) {
	const nameEnds = 58 - 38 // points from the left edge of a figure
	number := regexp.MustCompile(`^-?[0-9.]+(e-?[0-9]+)?k?$`)
	for _, c := range []struct {
		low, high float64
		want      string
	}{{2e-6, 0.02, "1e-5"}, {2e-6, 8e-6, "2e-6"}, {1e9, 1.2e9, "1e9"}, {1e3, 1e12, "1e11"}, {0.01, 10, "0.1"}} {
		in := sample.Demo()
		for i := range in.Runs {
			s := compare.Series{}
			for step := range 150 {
				s.Steps, s.Values = append(s.Steps, step), append(s.Values, c.low+(c.high-c.low)*float64(step)/149)
			}
			in.Runs[i].Series["loss/reg_query"] = outline.Curve{Series: s}
		}
		f, ok := plot.LossParts(compared(t, in))
		if !ok {
			t.Fatal("no parts are drawn")
		}
		svg, _ := render(t, f)
		found := false
		for _, text := range wellFormed(t, svg) {
			found = found || text.words == c.want
			if number.MatchString(text.words) && text.left < nameEnds+1 {
				t.Errorf("from %g to %g: the number %s begins at %.1f, the name of its axis ends at %d", c.low, c.high, text.words, text.left, nameEnds)
			}
		}
		if !found {
			t.Errorf("from %g to %g: no number is %s", c.low, c.high, c.want)
		}
	}
}
