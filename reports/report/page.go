package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/reports/compare"
	"headroom/reports/html"
	"headroom/reports/plot"
	"headroom/reports/table"
)

// page writes report.html: the contents of report.md, and the evidence and digests of each run,
// in one file.
func page(w io.Writer, c *compare.Comparison, more Extras, figures []*plot.Figure, tables []Named) error {
	byName := map[string]html.Table{}
	for _, t := range tables {
		byName[t.Name] = html.Table{ID: t.Name, Table: t.Table}
	}
	p := html.Page{Title: c.Sweep, Over: "headroom report", Question: c.Question, Status: status(c), Sources: sources(c)}
	add := func(id, title, note string, parts ...html.Part) {
		p.Sections = append(p.Sections, html.Section{ID: id, Title: title, Note: note, Parts: parts})
	}
	var cost, others html.Beside
	for _, f := range figures {
		if f.Costs {
			cost = append(cost, html.Figure{Figure: f})
		} else {
			others = append(others, html.Figure{Figure: f})
		}
	}
	add("answer", "The answer at equal cost", answerNote(c), html.List(c.Answer))
	add("collapsed", "What collapsed", "", html.List(c.CollapseFindings))
	add("limits", "What this does not show", "", html.List(c.Limits))
	if len(c.Matched) > 0 || len(cost) > 0 {
		add("equal-cost", byName["matched"].Title, "A number that is underlined says on a click which runs and digests are behind it.", byName["matched"], cost)
	}
	if more.Claims != nil {
		add("statements", "Claims", claimsNote(more.Claims, more.Beside), byName["claims"])
	}
	add("trained", byName["table"].Title, "The models as they were trained, whatever they cost.", byName["table"])
	if more.Paper != nil {
		add("paper-layout", byName["paper"].Title, "", byName["paper"])
	}
	if len(c.Groups) > 0 {
		var groups []html.Part
		for _, g := range c.Groups {
			groups = append(groups, html.Folded{Title: fmt.Sprintf("%s (%d)", g.Title, len(g.Sentences)), Parts: []html.Part{html.List(g.Sentences)}})
		}
		add("findings", "Findings", "Each sentence is chosen by the data; ~ is no evidence either way.", groups...)
	}
	add("figures", "Figures", "", others)
	add("compared", byName["differences"].Title, "", byName["differences"])
	if t := byName["scores"]; len(t.Rows) > 0 {
		add("all-measures", t.Title, "", html.Folded{Title: fmt.Sprintf("%d rows, over healthy and over all seeds", len(t.Rows)), Parts: []html.Part{t}})
	}
	hasIncident := map[string]bool{}
	if len(more.Incidents) > 0 {
		var parts []html.Part
		for _, i := range more.Incidents {
			hasIncident[i.ID] = true
			parts = append(parts, incidentPart(i))
		}
		add("incidents", "Incidents", incidentsNote(more.Untold), parts...)
	}
	runs, varying := []html.Part{byName["runs"]}, c.Varying()
	for _, r := range c.Runs {
		runs = append(runs, runPart(c, r, varying, hasIncident[r.ID]))
	}
	add("all-runs", "Runs", "", runs...)
	add("digests", byName["provenance"].Title, "", byName["provenance"])
	if text := configuration(c); text != "" {
		add("configuration", "Configuration", "All effective keys; where runs differ, their values.", html.Lines(text))
	}
	return p.Write(w)
}

// runPart describes one run: its settings, its evidence and its results.
func runPart(c *compare.Comparison, r *compare.Run, varying []string, hasIncident bool) html.Part {
	mark := html.Mark{Text: stability.MarkedVerdict(r.Verdict, r.Recovered), Tone: tone(r)}
	if !r.Finished() {
		mark.Text = r.State
	}
	facts := html.Facts{{Name: "run", Value: r.ID}, {Name: "state", Value: r.State}}
	facts = append(facts, runFacts(r, varying)...)
	facts = append(facts, html.Fact{Name: "steps", Value: strconv.Itoa(r.Step + 1)})
	if r.Selected > 0 {
		facts = append(facts, html.Fact{Name: "weights of step", Value: strconv.Itoa(r.Selected)})
	}
	if r.Error != "" {
		facts = append(facts, html.Fact{Name: "error", Value: r.Error})
	}
	if r.Beside != "" {
		facts = append(facts, html.Fact{Name: "beside the file", Value: r.Beside})
	}
	parts := []html.Part{facts}
	if len(r.Episodes) > 0 {
		parts = append(parts, html.Table{ID: "evidence-" + r.ID, Table: evidence(r)})
	}
	if hasIncident {
		parts = append(parts, html.Links{{Text: "How it got there", Href: "#" + incidentAnchor(r.ID)}})
	}
	if len(r.Evaluations) > 0 {
		parts = append(parts, html.Table{ID: "evaluations-" + r.ID, Table: evaluations(c, r)})
	}
	return html.Folded{ID: anchor(r), Title: r.Label, Mark: mark, Parts: parts}
}

func tone(r *compare.Run) html.Tone {
	switch {
	case r.Collapsed(), r.State == record.StateFailed:
		return html.Bad
	case !r.Finished(), r.Verdict == "":
		return html.Quiet
	case r.Recovered != "":
		return html.Warn
	}
	return html.Good
}

// evidence lists what the detectors found in a run, and by which values.
func evidence(r *compare.Run) *table.Table {
	t := &table.Table{Title: "What was seen in " + r.Label, Columns: []table.Column{{Name: "episode", Key: true}, {Name: "is"}, {Name: "steps"},
		{Name: "series"}, {Name: "rule"}, {Name: "observed (step: value)"}}}
	for _, e := range r.Episodes {
		steps := fmt.Sprintf("%d–%d, passed", e.FirstStep, e.LastStep)
		if e.Stands {
			steps = fmt.Sprintf("from %d, stands at the end", e.FirstStep)
		}
		var observed []string
		for i, step := range e.Observed.Steps {
			observed = append(observed, fmt.Sprintf("%d: %.4g", step, e.Observed.Values[i]))
		}
		t.Rows = append(t.Rows, []table.Cell{table.Text(e.Kind), table.Text(e.Severity), table.Text(steps), table.Text(e.Series),
			table.Text(e.Rule), table.Text(strings.Join(observed, ", "))})
	}
	return t
}

// evaluations lists all evaluations of a run.
func evaluations(c *compare.Comparison, r *compare.Run) *table.Table {
	t := &table.Table{Title: "What " + r.Label + " reached", Columns: []table.Column{{Name: "collection", Key: true}, {Name: "split"}}}
	var measures []string
	for _, e := range r.Evaluations {
		for m := range e.Measures {
			if !slices.Contains(measures, m) {
				measures = append(measures, m)
			}
		}
	}
	slices.SortFunc(measures, func(a, b string) int {
		rank := func(m string) int { return (slices.Index(c.Measures, m) + len(c.Measures) + 1) % (len(c.Measures) + 1) }
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, m := range measures {
		t.Columns = append(t.Columns, table.Column{Name: m, Better: table.Higher, Numeric: true})
	}
	for _, name := range []string{"active dims, query", "active dims, document", "FLOPS", "tie share"} {
		t.Columns = append(t.Columns, table.Column{Name: name, Better: table.Lower, Numeric: true})
	}
	t.Columns = append(t.Columns, table.Column{Name: "queries", Numeric: true}, table.Column{Name: "evaluation"}, table.Column{Name: "qrels"})
	for i := range r.Evaluations {
		e := &r.Evaluations[i]
		row := []table.Cell{table.Text(e.Dataset), table.Text(e.Split)}
		for _, m := range measures {
			row = append(row, number(measure(e, m), compare.Score))
		}
		for _, v := range []float64{e.ActiveQuery, e.ActiveDocument, e.Flops} {
			row = append(row, number(v, compare.Quantity))
		}
		row = append(row, number(e.TieShare, compare.Score), queriesCell(e), table.Text(e.ID), table.Text(e.QrelsDigest))
		t.Rows = append(t.Rows, row)
	}
	return t
}

// answerNote explains the comparison on the first page; "" if there is none.
func answerNote(c *compare.Comparison) string {
	if !slices.ContainsFunc(c.Matched, func(m *compare.Matched) bool { return m.Why == "" }) {
		return ""
	}
	return fmt.Sprintf("Each factor is compared with k = 1 of its backbone at the same FLOPS on %s; the table has other budgets. ~ is no evidence either way.", primary(c))
}
