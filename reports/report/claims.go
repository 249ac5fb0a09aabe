package report

import (
	"fmt"
	"strconv"
	"strings"

	"headroom/internal/nouns"
	"headroom/reports/claims"
	"headroom/reports/compare"
	"headroom/reports/table"
)

// claimsTable lists judged claims with their evidence.
func claimsTable(list []claims.Judgement) *table.Table {
	t := &table.Table{Title: "Claims", Columns: []table.Column{
		{Name: "claim", Key: true}, {Name: "verdict"}, {Name: "predicted"}, {Name: "observed", Numeric: true},
		{Name: "95 % from", Numeric: true}, {Name: "95 % to", Numeric: true}, {Name: "p, Holm", Numeric: true}, {Name: "seeds", Numeric: true}, {Name: "queries", Numeric: true},
		{Name: "in words", Detail: true}, {Name: "why", Detail: true}, {Name: "source", Detail: true},
	}}
	t.Columns[1].Notes = []int{t.Note("OK: direction, interval and corrected test agree; OKish: the direction alone; not run: the sweep has no such runs or measurements; unknown: nobody has entered the published number")}
	t.Columns[6].Notes = []int{t.Note("Holm over the claims of the file that could be tested")}
	for _, j := range list {
		row := []table.Cell{table.Text(j.ID), table.Text(string(j.Verdict)), missingCell(), missingCell(), missingCell(), missingCell(), missingCell(), missingCell(), missingCell(),
			table.Text(j.Text), table.Text(j.Why), table.Text(j.Source)}
		if j.Predicted != nil {
			row[2] = table.Text(string(*j.Predicted))
		}
		if len(j.Observed) == 1 {
			row[3] = number(j.Observed[0], compare.Score)
		}
		if j.Interval != nil {
			row[4], row[5] = number(j.Interval[0], compare.Score), number(j.Interval[1], compare.Score)
		}
		if j.P != nil {
			row[6] = number(*j.P, compare.PText)
		}
		for i, n := range []int{j.Seeds, j.Queries} {
			if n > 0 {
				row[7+i] = table.Number(float64(n), strconv.Itoa(n))
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// claimsNote counts the verdicts: "9 claims: 2 OK, 1 FAIL, 6 not run."
func claimsNote(list []claims.Judgement, beside int) string {
	var parts []string
	for _, v := range []claims.Verdict{claims.OK, claims.OKish, claims.Fail, claims.NotRun, claims.Unknown} {
		n := 0
		for _, j := range list {
			if j.Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	text := nouns.Count(len(list), "claim") + ": " + strings.Join(parts, ", ") + "."
	if beside > 0 {
		text += fmt.Sprintf(" Left out: %s about runs, collections or published numbers that are not here.", nouns.Count(beside, "shipped claim"))
	}
	return text
}
