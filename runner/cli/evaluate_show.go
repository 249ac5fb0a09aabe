package cli

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headroom/metrics/measure"
	"headroom/runner/evaluate"
)

// evaluationDocument is the JSON document of evaluate.
type evaluationDocument struct {
	Schema      int               `json:"schema"`
	Evaluations []evaluationEntry `json:"evaluations"`
}

type evaluationEntry struct {
	Name string `json:"name"` // the model as named, or "bm25"
	evaluate.Summary
	Schema int `json:"schema,omitempty"` // hides the summary's own: the document has one
}

// notesOn prints the notices of an evaluation.
func (a *app) notesOn(name, ref string, notices []string) {
	for _, notice := range notices {
		a.note("note: %s on %s: %s", name, ref, notice)
	}
}

// printEvaluations prints a row for each model and collection.
func (a *app) printEvaluations(document evaluationDocument, measures []measure.Measure, perQuery bool) error {
	if perQuery {
		for _, e := range document.Evaluations {
			if err := e.Report().WriteColumns(a.stdout, true); err != nil {
				return err
			}
		}
	}
	head := []string{"model", "collection", "split", "queries", "documents"}
	for _, m := range measures {
		head = append(head, m.String())
	}
	curves := slices.ContainsFunc(document.Evaluations, func(e evaluationEntry) bool { return len(e.Curve) > 0 })
	if curves {
		head = slices.Insert(head, 2, "vectors")
	}
	rows := [][]string{append(head, "active q", "active d", "FLOPS", "encode s")}
	optional := func(v *float64, format string) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf(format, *v)
	}
	add := func(e evaluationEntry, vectors string, values map[string]float64, query, document, flops *float64, seconds string) {
		row := []string{e.Name, e.Dataset, e.Split, strconv.Itoa(e.Queries), strconv.Itoa(e.Documents)}
		if curves {
			row = slices.Insert(row, 2, vectors)
		}
		for _, m := range measures {
			row = append(row, fmt.Sprintf("%.4f", values[m.String()]))
		}
		rows = append(rows, append(row, optional(query, "%.2f"), optional(document, "%.2f"), optional(flops, "%.4g"), seconds))
	}
	for _, e := range document.Evaluations {
		add(e, "whole", e.Measures, e.ActiveQuery, e.ActiveDocument, e.Flops, fmt.Sprintf("%.1f", e.Seconds.Encode))
		for _, c := range e.Curve {
			add(e, fmt.Sprintf("%s %d", c.Side, c.Terms), c.Measures, &c.ActiveQuery, &c.ActiveDocument, &c.Flops, "-")
		}
	}
	return a.table(rows)
}

var notInFileName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileName makes a folder's name of a reference. The name does not begin with a dot.
func fileName(ref string) string {
	return cmp.Or(strings.TrimLeft(notInFileName.ReplaceAllString(ref, "-"), ".-"), "collection")
}
