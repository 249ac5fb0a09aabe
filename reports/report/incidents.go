package report

import (
	"fmt"

	"headroom/metrics/stability"
	"headroom/reports/html"
	"headroom/reports/incident"
)

func incidentsNote(untold int) string {
	note := "How each run that collapsed, or came back from a collapse, got there: its verdict's evidence, and what else the log has around the onset."
	if untold > 0 {
		note += fmt.Sprintf(" %d more are left out; headroom show RUN --incident has them.", untold)
	}
	return note
}

func incidentAnchor(id string) string { return "incident-" + id }

// incidentPart is one incident, folded.
func incidentPart(p incident.Page) html.Part {
	mark := html.Mark{Text: stability.MarkedVerdict(p.Verdict, p.Recovered), Tone: html.Bad}
	if p.Verdict == stability.Healthy {
		mark.Tone = html.Warn
	}
	parts := []html.Part{html.Text(p.Evidence())}
	for i, s := range p.Sections() {
		s.Table.Title = s.Title
		parts = append(parts, html.Heading(s.Title), html.Table{ID: fmt.Sprintf("%s-%d", incidentAnchor(p.ID), i+1), Table: &s.Table})
	}
	if len(p.Notes) > 0 {
		parts = append(parts, html.List(p.Notes))
	}
	return html.Folded{ID: incidentAnchor(p.ID), Title: p.Label, Mark: mark, Parts: parts}
}
