package serve

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headroom/internal/names"
	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/metrics/store"
	"headroom/reports/live"
)

// grid is a map of a sweep: the results of its runs over two settings.
type grid struct {
	X, Y, Z []choice
	// XName and YName are the keys of the axes; "" if the sweep varies fewer settings.
	XName, YName, ZName string
	Columns             []string
	Rows                []gridRow
	// Least and Greatest are the ends of the scale if it shows a figure.
	Least, Greatest string
}

type gridRow struct {
	Name  string
	Cells []gridCell
}

// gridCell has the runs at one place of a map.
type gridCell struct {
	Text, Class, Title, Link string
	Empty                    bool
}

// shades is the number of colours of a scale.
const shades = 10

func makeGrid(v view, s *live.Sweep) grid {
	var axes []string
	for _, key := range s.Keys {
		if key != "seed" {
			axes = append(axes, key)
		}
	}
	if len(axes) == 0 {
		return grid{}
	}
	g := grid{XName: pick(v.get("x"), axes, "model.rescale")}
	rest := slices.DeleteFunc(slices.Clone(axes), func(key string) bool { return key == g.XName })
	if len(rest) > 0 {
		g.YName = pick(v.get("y"), rest, "model.backbone")
	}
	for _, key := range axes {
		g.X = append(g.X, choice{Name: key, Title: shortKey(key), On: key == g.XName, Link: v.With("x", key)})
		if key != g.XName {
			g.Y = append(g.Y, choice{Name: key, Title: shortKey(key), On: key == g.YName, Link: v.With("y", key)})
		}
	}
	var figure live.Figure
	g.ZName = "verdict"
	g.Z = []choice{{Name: "verdict", Title: "verdict", On: true, Link: v.With("z", "")}}
	for _, f := range s.Figures {
		on := v.get("z") == f.String()
		if on {
			figure, g.ZName, g.Z[0].On = f, f.String(), false
		}
		g.Z = append(g.Z, choice{Name: f.String(), Title: f.String(), On: on, Link: v.With("z", f.String())})
	}
	g.fill(v, s, figure)
	return g
}

func pick(asked string, from []string, preferred string) string {
	for _, name := range []string{asked, preferred} {
		if slices.Contains(from, name) {
			return name
		}
	}
	return from[0]
}

// fill makes the cells, with all runs of the sweep, whatever the table's filter is.
func (g *grid) fill(v view, s *live.Sweep, figure live.Figure) {
	cells := map[[2]string][]*live.Run{}
	var xs, ys []string
	for _, r := range s.Runs {
		if r.Standing == store.Former {
			continue
		}
		at := [2]string{r.Values[g.XName], r.Values[g.YName]}
		cells[at] = append(cells[at], r)
		if !slices.Contains(xs, at[0]) {
			xs = append(xs, at[0])
		}
		if !slices.Contains(ys, at[1]) {
			ys = append(ys, at[1])
		}
	}
	inOrder(xs)
	inOrder(ys)
	low, high := math.Inf(1), math.Inf(-1)
	for _, runs := range cells {
		if m := meanOf(runs, figure); !math.IsNaN(m) {
			low, high = min(low, m), max(high, m)
		}
	}
	byFigure := figure != (live.Figure{})
	if byFigure && low <= high {
		g.Least, g.Greatest = number(figure, low), number(figure, high)
	}
	for _, x := range xs {
		g.Columns = append(g.Columns, valueName(g.XName, x))
	}
	for _, y := range ys {
		row := gridRow{Name: valueName(g.YName, y)}
		for _, x := range xs {
			runs := cells[[2]string{x, y}]
			if len(runs) == 0 {
				row.Cells = append(row.Cells, gridCell{Empty: true})
				continue
			}
			row.Cells = append(row.Cells, g.cell(v, runs, x, y, figure, low, high))
		}
		g.Rows = append(g.Rows, row)
	}
}

func (g *grid) cell(v view, runs []*live.Run, x, y string, figure live.Figure, low, high float64) gridCell {
	conditions := []string{g.XName + "=" + x}
	where := shortKey(g.XName) + " " + valueName(g.XName, x)
	if g.YName != "" {
		conditions = append(conditions, g.YName+"="+y)
		where += ", " + shortKey(g.YName) + " " + valueName(g.YName, y)
	}
	only := strings.Join(conditions, ", ")
	c := gridCell{Title: where + ": " + nouns.Count(len(runs), "run") + ", " + verdicts(runs), Link: v.With("only", only)}
	if v.get("only") == only {
		c.Link = v.With("only", "")
		c.Class = "chosen "
	}
	if figure == (live.Figure{}) {
		c.Text, c.Class = gridWord(runs), c.Class+"v-"+slug(worst(runs))
		return c
	}
	m := meanOf(runs, figure)
	c.Text = number(figure, m)
	if !math.IsNaN(m) {
		shade := shades - 1
		if high > low {
			shade = min(shades-1, int(float64(shades)*(m-low)/(high-low)))
		}
		c.Class += fmt.Sprintf("q%d", shade)
		c.Title += fmt.Sprintf("; mean %s of %s", c.Text, nouns.Count(len(figuresOf(runs, figure)), "run"))
	}
	return c
}

// gridWord returns a cell's text, in few letters.
func gridWord(runs []*live.Run) string {
	bad, over := 0, 0
	for _, r := range runs {
		if r.Collapsed() != "" || r.State == record.StateFailed {
			bad++
		}
		if r.Over() {
			over++
		}
	}
	word := worst(runs)
	switch {
	case bad > 0 && bad < len(runs):
		return fmt.Sprintf("%s %d/%d", word, bad, len(runs))
	case over < len(runs) && bad == 0:
		done, total := progressOf(runs)
		if done > 0 && total > 0 {
			return fmt.Sprintf("%s %d %%", word, 100*done/total)
		}
	}
	return word
}

// worst returns the word by which a cell is coloured: a failure, a collapse, a running run,
// else the state of all.
func worst(runs []*live.Run) string {
	rank := append([]string{record.StateFailed}, stability.Collapses()...)
	rank = append(rank, record.StateRunning, record.StateInterrupted, record.StateQueued, record.StateNew)
	best := len(rank)
	for _, r := range runs {
		if at := slices.Index(rank, verdictOf(r)); at >= 0 {
			best = min(best, at)
		}
	}
	if best < len(rank) {
		return rank[best]
	}
	return verdictOf(runs[0])
}

// inOrder returns the values sorted: numbers by size, then words.
func inOrder(values []string) {
	slices.SortStableFunc(values, func(a, b string) int {
		x, y := numberOf(a), numberOf(b)
		switch {
		case !math.IsNaN(x) && !math.IsNaN(y) && x != y:
			return map[bool]int{true: -1, false: 1}[x < y]
		case math.IsNaN(x) != math.IsNaN(y):
			return map[bool]int{true: 1, false: -1}[math.IsNaN(x)]
		}
		return strings.Compare(a, b)
	})
}

func valueName(key, value string) string {
	value = strings.Trim(value, `"`)
	if key == "model.backbone" {
		return names.Last(value)
	}
	return value
}
