package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"headroom/metrics/store"
)

// curveCells is how many cells a curve has in a watched status.
const curveCells = 12

// watchedSeries are the series that it draws, with the names of their columns.
func watchedSeries() [2]struct{ series, column string } {
	return [2]struct{ series, column string }{{"loss", "loss"}, {"active/document", "active dims"}}
}

// statusCurves draws curves for a status that is watched. What was drawn is kept while a
// run stands still.
type statusCurves struct {
	rows  int // runs for which there is room
	drawn map[string]drawnCurves
}

type drawnCurves struct {
	step  int
	texts [2]string
}

// add draws the curves of the runs that a window has room for.
func (c *statusCurves) add(ctx context.Context, s *store.Store, runs []statusRun) error {
	if c == nil {
		return nil
	}
	shown, _ := choose(runs, c.rows)
	for _, r := range shown {
		i := slices.IndexFunc(runs, func(other statusRun) bool { return other.ID == r.ID && other.Sweep == r.Sweep })
		if r.Step == 0 {
			continue
		}
		known, ok := c.drawn[r.ID]
		if !ok || known.step != r.Step {
			known = drawnCurves{step: r.Step}
			for j, w := range watchedSeries() {
				bucket := max(1, (r.Step+curveCells-1)/curveCells)
				curve, err := s.Thin(ctx, r.ID, w.series, store.Span{To: r.Step}, bucket)
				if err != nil {
					return err
				}
				known.texts[j] = drawCurve(curve)
			}
			c.drawn[r.ID] = known
		}
		runs[i].curves = known.texts
	}
	return nil
}

// drawCurve draws the mean of each bucket by its height between the least and the greatest,
// and writes the last one beside. A bucket with a NaN is a cross.
func drawCurve(c store.Thin) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	if len(c.At) == 0 && len(c.NonFinite) == 0 {
		return ""
	}
	cells := map[int]float64{}
	first, last := math.MaxInt, -1
	low, high := math.Inf(1), math.Inf(-1)
	for i, step := range c.At {
		k := step / c.Bucket
		cells[k] = c.Mean[i]
		first, last = min(first, k), max(last, k)
		low, high = min(low, c.Mean[i]), max(high, c.Mean[i])
	}
	bad := map[int]string{}
	for _, n := range c.NonFinite {
		k := n.Step / c.Bucket
		bad[k] = n.Word
		first, last = min(first, k), max(last, k)
	}
	var out strings.Builder
	for k := first; k <= last; k++ {
		v, ok := cells[k]
		switch {
		case bad[k] != "":
			out.WriteRune('×')
		case !ok:
			out.WriteRune(' ')
		case high > low:
			out.WriteRune(blocks[min(len(blocks)-1, int(float64(len(blocks))*(v-low)/(high-low)))])
		default: // it is level
			out.WriteRune(blocks[0])
		}
	}
	now := bad[last]
	if now == "" {
		now = fmt.Sprintf("%.3g", cells[last])
		if math.Abs(cells[last]) >= 1000 { // no power of ten
			now = fmt.Sprintf("%.0f", cells[last])
		}
	}
	return out.String() + " " + now
}

// expendable lists the columns that a narrow window leaves out, in that order.
func expendable() []string {
	return []string{"id", "seconds", "settings", "beside the file", "active dims", "dev", "loss", "ETA"}
}

// fit leaves columns out until the rest fits a width, as long as there are any to leave out.
func fit(rows [][]string, width int) [][]string {
	for _, name := range expendable() {
		if tableWidth(rows) <= width {
			break
		}
		i := slices.Index(rows[0], name)
		if i < 0 {
			continue
		}
		for j := range rows {
			rows[j] = slices.Delete(rows[j], i, i+1)
		}
	}
	return rows
}

// tableWidth is how wide a table is written.
func tableWidth(rows [][]string) int {
	widest := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widest[i] = max(widest[i], utf8.RuneCountInString(cell))
		}
	}
	width := 2 * (len(widest) - 1)
	for _, n := range widest {
		width += n
	}
	return width
}
