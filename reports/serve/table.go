package serve

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/internal/names"
	"headroom/metrics/store"
	"headroom/reports/compare"
	"headroom/reports/live"
)

// table is the runs of a sweep as rows.
type table struct {
	Columns []column
	Rows    []row
	// Of counts all runs, Former those of earlier revisions that are left out, More the
	// rows beyond the limit.
	Of, Former, More int
	Grouped          bool
	Every            []choice // all columns
}

// column is a column of a table.
type column struct {
	Name, Title string
	Sort        string // the address that sorts by it
	Sorted      string // "ascending", "descending" or ""
	Number      bool
}

// choice is an option that can be chosen.
type choice struct {
	Name, Title, Link string
	On                bool
}

// row is a run, or a group of runs that differ in their seed.
type row struct {
	ID      string // of the run, or of the first of the group
	Runs    []string
	Label   string
	Link    string
	Verdict string
	Chosen  bool
	Cells   []cell
}

type cell struct {
	Text   string
	Class  string
	Number bool
	// Done of Total draws a bar if Total is above 0.
	Done, Total int
}

// mostRows is the number of rows that a page shows unless all are requested.
const mostRows = 500

// makeTable returns the table of a sweep for an address.
func makeTable(v view, s *live.Sweep) table {
	f := filterOf(v)
	t := table{Of: len(s.Runs), Grouped: v.is("seeds") && s.Seeds}
	var runs []*live.Run
	for _, r := range s.Runs {
		if r.Standing == store.Former && !f.former {
			t.Former++
		}
		if f.keeps(r) {
			runs = append(runs, r)
		}
	}
	groups := groupRuns(runs, t.Grouped)
	columns := chosenColumns(v, s, &t)
	sortGroups(v.get("sort"), groups, columns)
	chosen := chosenRuns(v)
	for i, g := range groups {
		if i >= mostRows && !v.is("all") {
			t.More = len(groups) - i
			break
		}
		t.Rows = append(t.Rows, newRow(v, s, g, columns, chosen, t.Grouped))
	}
	for _, c := range columns {
		head := column{Name: c.name, Title: c.title, Number: c.number, Sort: v.With("sort", c.name)}
		switch v.get("sort") {
		case c.name:
			head.Sorted, head.Sort = "ascending", v.With("sort", "-"+c.name)
		case "-" + c.name:
			head.Sorted, head.Sort = "descending", v.With("sort", "")
		}
		t.Columns = append(t.Columns, head)
	}
	return t
}

// groupRuns groups runs that differ only in their seed, in the order of each group's first
// run.
func groupRuns(runs []*live.Run, bySeed bool) [][]*live.Run {
	var groups [][]*live.Run
	at := map[string]int{}
	for _, r := range runs {
		i, known := at[r.Group]
		if !bySeed || !known {
			i = len(groups)
			at[r.Group] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// content is a column and the functions that make its cells.
type content struct {
	name, title string
	number      bool
	cell        func(g []*live.Run) cell
	// value orders rows; NaN comes last.
	value func(g []*live.Run) float64
	text  func(g []*live.Run) string
}

// chosenColumns returns the columns of the address, or the usual ones.
func chosenColumns(v view, s *live.Sweep, t *table) []content {
	all := allColumns(s, t.Grouped)
	wanted := v.values["col"]
	if len(wanted) == 0 {
		wanted = []string{"state", "step", "eta"}
		for i, key := range s.Keys {
			if i < 6 && !(t.Grouped && key == "seed") {
				wanted = append(wanted, key)
			}
		}
		for i, f := range s.Figures {
			if i == 0 || f.Dataset == s.Figures[0].Dataset && (f.Measure == live.Flops || f.Measure == live.ActiveDocument) {
				wanted = append(wanted, f.String())
			}
		}
	}
	var chosen []content
	for _, c := range all {
		on := slices.Contains(wanted, c.name)
		t.Every = append(t.Every, choice{Name: c.name, Title: c.title, On: on})
		if on {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

func allColumns(s *live.Sweep, grouped bool) []content {
	nan := func([]*live.Run) float64 { return math.NaN() }
	columns := []content{
		{name: "state", title: "state", value: nan, text: states, cell: func(g []*live.Run) cell {
			return cell{Text: states(g), Class: "state-" + g[0].State}
		}},
		{name: "step", title: "steps", number: true, value: func(g []*live.Run) float64 {
			done, _ := progressOf(g)
			return float64(done)
		}, cell: func(g []*live.Run) cell {
			done, total := progressOf(g)
			return cell{Text: fmt.Sprintf("%d / %d", done, total), Number: true, Done: done, Total: total}
		}},
		{name: "eta", title: "left", number: true, value: func(g []*live.Run) float64 { return eta(g).Seconds() }, cell: func(g []*live.Run) cell {
			return cell{Text: duration(eta(g)), Number: true}
		}},
		{name: "seconds", title: "time", number: true, value: seconds, cell: func(g []*live.Run) cell {
			return cell{Text: duration(time.Duration(seconds(g) * float64(time.Second))), Number: true}
		}},
		{name: "heard", title: "heard of", value: func(g []*live.Run) float64 { return float64(heard(g).Unix()) }, cell: func(g []*live.Run) cell {
			if heard(g).IsZero() {
				return cell{Text: "–"}
			}
			return cell{Text: heard(g).UTC().Format("2006-01-02 15:04:05 UTC")}
		}},
		{name: "id", title: "id", value: nan, text: func(g []*live.Run) string { return g[0].Run.Run }, cell: func(g []*live.Run) cell {
			return cell{Text: short(g[0].Run.Run), Class: "mono"}
		}},
		{name: "host", title: "host", value: nan, text: func(g []*live.Run) string { return g[0].Host }, cell: func(g []*live.Run) cell { return cell{Text: g[0].Host} }},
	}
	if grouped {
		columns = append(columns, content{name: "runs", title: "runs", number: true, value: func(g []*live.Run) float64 { return float64(len(g)) },
			cell: func(g []*live.Run) cell { return cell{Text: strconv.Itoa(len(g)), Number: true} }})
	}
	for _, key := range s.Keys {
		if grouped && key == "seed" {
			continue
		}
		columns = append(columns, content{name: key, title: shortKey(key),
			value: func(g []*live.Run) float64 { return numberOf(g[0].Values[key]) },
			text:  func(g []*live.Run) string { return g[0].Values[key] },
			cell: func(g []*live.Run) cell {
				text := strings.Trim(g[0].Values[key], `"`)
				if key == "model.backbone" {
					text = names.Last(text)
				}
				return cell{Text: text, Number: !math.IsNaN(numberOf(text))}
			}})
	}
	for _, f := range s.Figures {
		columns = append(columns, content{name: f.String(), title: f.String(), number: true,
			value: func(g []*live.Run) float64 { return meanOf(g, f) },
			cell:  func(g []*live.Run) cell { return cell{Text: figureText(g, f), Number: true} }})
	}
	return columns
}

func newRow(v view, s *live.Sweep, g []*live.Run, columns []content, chosen map[string]bool, grouped bool) row {
	first := g[0]
	out := row{ID: first.Run.Run, Label: first.Label, Link: v.At("/runs/"+first.Run.Run, "w"), Verdict: verdictOf(first)}
	for _, r := range g {
		out.Runs = append(out.Runs, r.Run.Run)
		out.Chosen = out.Chosen || chosen[r.Run.Run]
	}
	if grouped && len(g) > 1 {
		out.Label = groupLabel(s, first)
		out.Link = v.with("seeds", "").With("only", groupExpression(s, first))
		out.Verdict = verdicts(g)
	}
	for _, c := range columns {
		out.Cells = append(out.Cells, c.cell(g))
	}
	return out
}

// groupLabel returns the settings that the sweep varies and that a group's runs share.
func groupLabel(s *live.Sweep, r *live.Run) string {
	var parts []string
	for _, key := range s.Keys {
		switch key {
		case "seed":
		case "model.backbone":
			parts = append(parts, names.Last(strings.Trim(r.Values[key], `"`)))
		case "model.rescale":
			parts = append(parts, compare.KName(strings.Trim(r.Values[key], `"`)))
		default:
			parts = append(parts, shortKey(key)+"="+strings.Trim(r.Values[key], `"`))
		}
	}
	if len(parts) == 0 {
		return r.Label
	}
	return strings.Join(parts, " ")
}

// groupExpression returns the expression that selects a group's runs.
func groupExpression(s *live.Sweep, r *live.Run) string {
	var parts []string
	for _, key := range s.Keys {
		if key != "seed" && r.Values[key] != "" {
			parts = append(parts, key+"="+r.Values[key])
		}
	}
	return strings.Join(parts, ", ")
}

func sortGroups(by string, groups [][]*live.Run, columns []content) {
	name, down := strings.CutPrefix(by, "-")
	i := slices.IndexFunc(columns, func(c content) bool { return c.name == name })
	if i < 0 {
		return
	}
	c := columns[i]
	slices.SortStableFunc(groups, func(a, b []*live.Run) int {
		x, y := c.value(a), c.value(b)
		if math.IsNaN(x) != math.IsNaN(y) { // rows without a value come last in either order
			return map[bool]int{true: 1, false: -1}[math.IsNaN(x)]
		}
		order := 0
		if !math.IsNaN(x) {
			order = cmp.Compare(x, y)
		} else if c.text != nil {
			order = strings.Compare(c.text(a), c.text(b))
		}
		if down {
			return -order
		}
		return order
	})
}

// chosenRuns returns the chosen runs of the address, by id.
func chosenRuns(v view) map[string]bool {
	chosen := map[string]bool{}
	for _, value := range v.values["run"] {
		for id := range strings.SplitSeq(value, ",") {
			chosen[id] = true
		}
	}
	return chosen
}
