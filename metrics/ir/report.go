package ir

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Report is a Result ready to be shown: as trec_eval's columns or as JSON.
type Report struct {
	result *Result
}

// NewReport wraps a result.
func NewReport(result *Result) Report { return Report{result} }

// nameWidth is the width to which trec_eval pads a measure's name.
const nameWidth = 22

// WriteColumns writes trec_eval's columns: measure, query or "all", value with four decimals (a count with none),
// separated by tabs. With perQuery the rows of every query of the qrels come first.
func (r Report) WriteColumns(w io.Writer, perQuery bool) error {
	out := bufio.NewWriter(w)
	rows := func(query string, values []float64) {
		for i, measure := range r.result.Measures {
			decimals := 4
			if measure.Summed() {
				decimals = 0
			}
			fmt.Fprintf(out, "%-*s\t%s\t%.*f\n", nameWidth, measure, query, decimals, values[i])
		}
	}
	if perQuery {
		for i, query := range r.result.Queries {
			rows(query, r.result.PerQuery[i])
		}
	}
	rows("all", r.result.All)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write measures: %w", err)
	}
	return nil
}

// WriteTSV writes the per-query file of an evaluation: a header, then query, measure and value (in the
// fewest digits that read back as the same float64), separated by tabs.
func (r Report) WriteTSV(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "query\tmeasure\tvalue")
	for i, query := range r.result.Queries {
		for j, measure := range r.result.Measures {
			fmt.Fprintf(out, "%s\t%s\t%v\n", query, measure, r.result.PerQuery[i][j])
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write measures: %w", err)
	}
	return nil
}

// Values returns the values over all queries by the measures' canonical names.
func (r Report) Values() map[string]float64 { return r.byName(r.result.All) }

// Coverage counts the queries and documents behind the values.
func (r Report) Coverage() Coverage { return r.result.Coverage }

func (r Report) byName(values []float64) map[string]float64 {
	named := make(map[string]float64, len(values))
	for i, measure := range r.result.Measures {
		named[measure.String()] = values[i]
	}
	return named
}

// document is the JSON form; its keys are a contract.
type document struct {
	Schema   int                `json:"schema"`
	Measures map[string]float64 `json:"measures"`
	Queries  int                `json:"queries"`
	Coverage
	PerQuery map[string]map[string]float64 `json:"per_query"`
}

// ErrNotUTF8 is returned when a query's id cannot be written as JSON.
var ErrNotUTF8 = errors.New("an id that is not UTF-8 cannot be written as JSON")

// MarshalJSON returns {"schema":1,"measures":{…},"queries":n,…,"per_query":{query:{…}}}, with the fields
// of Coverage between. It refuses ids that are not UTF-8: JSON would change them, and two ids could
// become one.
func (r Report) MarshalJSON() ([]byte, error) {
	shown := document{
		Schema:   1,
		Measures: r.Values(),
		Queries:  len(r.result.Queries),
		Coverage: r.result.Coverage,
		PerQuery: make(map[string]map[string]float64, len(r.result.Queries)),
	}
	for i, query := range r.result.Queries {
		if !utf8.ValidString(query) {
			return nil, fmt.Errorf("query %q: %w; convert qrels and run to UTF-8, or leave out --json", query, ErrNotUTF8)
		}
		shown.PerQuery[query] = r.byName(r.result.PerQuery[i])
	}
	return json.Marshal(shown)
}
