package incident

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/plain"
	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/reports/table"
)

// Evidence says on which rule the page's episode rests, and from when to when it held.
func (p Page) Evidence() string {
	e := p.Onset
	healthy := "its rule held from the first step that it looked at"
	if e.LastHealthy.Known {
		healthy = fmt.Sprintf("the last healthy step is %d", e.LastHealthy.Step)
	}
	return fmt.Sprintf("%s from step %d to %d; %s. The rule (version %d): %s, %s.", e.Verdict, e.FirstStep, e.LastStep, healthy, e.Version, e.Evidence.Series, e.Evidence.Rule)
}

// Markdown writes the page.
func (p Page) Markdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Incident: %s\n\n", table.Inline(p.Label))
	fmt.Fprintf(&b, "Run `%s`, verdict: %s.\n\n%s\n", p.ID, stability.MarkedVerdict(p.Verdict, p.Recovered), table.Inline(p.Evidence()))
	for _, section := range p.Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n", table.Inline(section.Title))
		if err := section.Table.Markdown(&b); err != nil {
			return err
		}
	}
	if len(p.Notes) > 0 {
		b.WriteString("\n## Not here\n\n")
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "- %s\n", table.Inline(note))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Section is a part of a page: a table under its title.
type Section struct {
	Title string
	Table table.Table
}

// Sections are the tables that the page has, in their order; those without a row are left out.
func (p Page) Sections() []Section {
	return slices.DeleteFunc([]Section{
		{"What the rules said, in order", p.rules()},
		{"The steps around the onset", curves("series", p.Steps, p.Curves)},
		{"What moved most", p.movedTable()},
		{"The probe set around the onset", curves("figure", p.Looks, p.Figures)},
		{"Terms that hold most of the weight", p.termsTable()},
		{p.nearestTitle(), p.nearestTable()},
	}, func(s Section) bool { return len(s.Table.Rows) == 0 })
}

func (p Page) rules() table.Table {
	t := table.Table{Columns: []table.Column{{Name: "from", Numeric: true}, {Name: "to", Numeric: true}, {Name: "kind"}, {Name: "is"}, {Name: "rule"}, {Name: "observed (step: value)"}}}
	for _, e := range p.Episodes {
		is := "passed"
		if e.Stands {
			is = "stands"
		}
		if e.Severity == event.SeverityWarning {
			is += ", a warning"
		}
		t.Rows = append(t.Rows, []table.Cell{wholeNumber(e.FirstStep), wholeNumber(e.LastStep), table.Text(e.Verdict), table.Text(is), table.Text(e.Evidence.Series + ": " + e.Evidence.Rule), table.Text(observed(e.Evidence.Observed))})
	}
	return t
}

// shownPoints is how many of an episode's values a table has.
const shownPoints = 3

func observed(points []event.Point) string {
	var parts []string
	for _, p := range points[:min(shownPoints, len(points))] {
		parts = append(parts, fmt.Sprintf("%d: %s", p.Step, number(p.Value).Text))
	}
	if more := len(points) - shownPoints; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// curves has one row per series and one column per step.
func curves(of string, steps []int, list []Curve) table.Table {
	t := table.Table{Columns: []table.Column{{Name: of}}}
	for _, step := range steps {
		t.Columns = append(t.Columns, table.Column{Name: "step " + strconv.Itoa(step), Numeric: true})
	}
	for _, c := range list {
		row := []table.Cell{table.Text(c.Name)}
		for _, v := range c.Values {
			if v == nil {
				row = append(row, table.Text(table.Missing))
				continue
			}
			row = append(row, number(*v))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (p Page) movedTable() table.Table {
	t := table.Table{Columns: []table.Column{{Name: "series"}, {Name: "mean before", Numeric: true}, {Name: "mean from the onset on", Numeric: true}, {Name: "times the spread before", Numeric: true}}}
	for _, m := range p.Moved {
		times := number(m.Times)
		switch {
		case m.After.NonFinite() != "":
			times = table.Text("no number any more")
		case math.IsInf(float64(m.Times), 1):
			times = table.Text("did not vary")
		}
		t.Rows = append(t.Rows, []table.Cell{table.Text(m.Name), number(m.Before), number(m.After), times})
	}
	return t
}

func (p Page) termsTable() table.Table {
	t := table.Table{Columns: []table.Column{{Name: "step", Numeric: true}, {Name: "queries"}, {Name: "documents"}}}
	for _, look := range p.Terms {
		t.Rows = append(t.Rows, []table.Cell{wholeNumber(look.Step), table.Text(words(look.Query)), table.Text(words(look.Document))})
	}
	return t
}

// words are terms with their shares.
func words(list []event.Term) string {
	var parts []string
	for _, term := range list {
		token := term.Token
		if token == "" {
			token = "#" + strconv.Itoa(term.ID)
		}
		parts = append(parts, fmt.Sprintf("%s %.3g %%", plain.Line(token), 100*float64(term.Share)))
	}
	return strings.Join(parts, ", ")
}

func (p Page) nearestTitle() string {
	if p.Nearest == nil {
		return ""
	}
	return "What the nearest healthy run has otherwise: " + p.Nearest.Label
}

func (p Page) nearestTable() table.Table {
	t := table.Table{Columns: []table.Column{{Name: "key"}, {Name: "this run"}, {Name: "the healthy one"}}}
	if p.Nearest == nil {
		return t
	}
	for _, c := range p.Nearest.Changes {
		t.Rows = append(t.Rows, []table.Cell{table.Text(c.Key), table.Text(c.A), table.Text(c.B)})
	}
	return t
}

func wholeNumber(n int) table.Cell { return table.Number(float64(n), strconv.Itoa(n)) }

func number(v event.Value) table.Cell {
	if word := v.NonFinite(); word != "" {
		return table.Text(word)
	}
	return table.Number(float64(v), strconv.FormatFloat(float64(v), 'g', 4, 64))
}
