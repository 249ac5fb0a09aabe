package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"headroom/metrics/store"
)

func newQuery(a *app) *cobra.Command {
	var asCSV bool
	cmd := &cobra.Command{
		Use:   "query SQL [--csv]",
		Short: "read-only SQL over the workspace's store",
		Long: `The views that stay as they are: runs, series, scores, query_scores, verdicts,
baselines (docs/store.md).`,
		Example: `  headroom query "SELECT label, verdict FROM runs WHERE sweep = 'demo'"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if asCSV && a.global.json {
				return usage(cmd, errors.New("--csv and --json exclude each other"))
			}
			return a.query(cmd, args[0], asCSV)
		},
	}
	cmd.Flags().BoolVar(&asCSV, "csv", false, "comma-separated values with a head")
	return cmd
}

func (a *app) query(cmd *cobra.Command, sql string, asCSV bool) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	s, err := a.openStore(cmd.Context(), w)
	if err != nil {
		return err
	}
	defer s.Close()
	t, err := s.Query(cmd.Context(), sql)
	if err != nil {
		return err
	}
	if twice := repeated(t.Columns); a.global.json && twice != "" {
		return usage(cmd, fmt.Errorf("two columns are called %q, which an object cannot have; name one with AS", twice))
	}
	switch {
	case a.global.json:
		rows := make([]orderedRow, len(t.Rows))
		for i, row := range t.Rows {
			rows[i] = orderedRow{t.Columns, row}
		}
		return a.printJSON(struct {
			Schema int          `json:"schema"`
			Rows   []orderedRow `json:"rows"`
		}{schema, rows})
	case asCSV:
		w := csv.NewWriter(a.stdout)
		if err := w.Write(t.Columns); err != nil {
			return failed(err)
		}
		for _, row := range t.Rows {
			if err := w.Write(cells(row, "")); err != nil {
				return failed(err)
			}
		}
		w.Flush()
		return failed(w.Error())
	default:
		return a.printQuery(t)
	}
}

// repeated is the first name that stands a second time, "" where none does.
func repeated(names []string) string {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return name
		}
	}
	return ""
}

func (a *app) printQuery(t store.Table) error {
	rows := [][]string{t.Columns}
	for _, row := range t.Rows {
		rows = append(rows, cells(row, "NULL"))
	}
	return a.table(rows)
}

// cells writes values as text; null stands for NULL.
func cells(row []any, null string) []string {
	texts := make([]string, len(row))
	for i, value := range row {
		switch v := value.(type) {
		case nil:
			texts[i] = null
		case float64:
			texts[i] = strconv.FormatFloat(v, 'g', -1, 64)
		case []byte:
			texts[i] = string(v)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	return texts
}

// orderedRow is an object whose members come in the order of the columns.
type orderedRow struct {
	columns []string
	values  []any
}

// MarshalJSON writes infinite numbers, which JSON lacks, as the words that the
// event log uses.
func (r orderedRow) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, column := range r.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(column)
		if err != nil {
			return nil, err
		}
		var value any = r.values[i]
		switch v := value.(type) {
		case []byte:
			value = string(v)
		case float64:
			switch {
			case math.IsInf(v, 1):
				value = "+inf"
			case math.IsInf(v, -1):
				value = "-inf"
			}
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
