package cli

import (
	"bufio"
	"bytes"
	"context"
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
		Short: "query the workspace's store by read-only SQL",
		Long: `These views are stable: runs, series, scores, query_scores, curves, verdicts, map,
baselines, collections, selected, members, settings (headroom help store).`,
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
	s, err := a.openOwnStore(cmd.Context())
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case a.global.json:
		err = a.queryJSON(cmd, s, sql)
	case asCSV:
		w := csv.NewWriter(a.stdout)
		err = s.Each(cmd.Context(), sql, w.Write, func(row []any) error { return failedError(w.Write(cells(row, ""))) })
		w.Flush()
		err = errors.Join(err, failedError(w.Error()))
	default:
		err = a.queryTable(cmd.Context(), s, sql)
	}
	return err
}

// queryJSON prints the rows one by one. The output is the document that printJSON would print.
func (a *app) queryJSON(cmd *cobra.Command, s *store.Store, sql string) error {
	out := bufio.NewWriter(a.stdout)
	var columns []string
	between := ""
	err := s.Each(cmd.Context(), sql, func(names []string) error {
		if twice := firstRepeated(names); twice != "" {
			return usage(cmd, fmt.Errorf("two columns are called %q, which an object cannot have; name one with AS", twice))
		}
		columns, a.answered = names, true
		_, err := fmt.Fprintf(out, "{\n  \"schema\": %d,\n  \"rows\": [", schema)
		return failedError(err)
	}, func(row []any) error {
		text, err := orderedRow{columns, row}.MarshalJSON()
		if err != nil {
			return failedError(err)
		}
		var b bytes.Buffer
		b.WriteString(between + "\n    ")
		if err := json.Indent(&b, text, "    ", "  "); err != nil {
			return failedError(err)
		}
		between = ","
		_, err = b.WriteTo(out)
		return failedError(err)
	})
	if err != nil {
		return errors.Join(err, out.Flush())
	}
	end := "]\n}\n"
	if between != "" {
		end = "\n  ]\n}\n"
	}
	_, err = out.WriteString(end)
	return failedError(errors.Join(err, out.Flush()))
}

// alignedRows is the number of rows that share the widths of their columns.
const alignedRows = 1000

// queryTable prints the rows in columns, in parts; each part has its own widths.
func (a *app) queryTable(ctx context.Context, s *store.Store, sql string) error {
	var rows [][]string
	flush := func() error {
		err := a.table(rows)
		rows = rows[:0]
		return failedError(err)
	}
	err := s.Each(ctx, sql, func(columns []string) error { rows = append(rows, columns); return nil }, func(row []any) error {
		if rows = append(rows, cells(row, "NULL")); len(rows) <= alignedRows {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// firstRepeated is the first name that occurs a second time, "" if none does.
func firstRepeated(names []string) string {
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return name
		}
	}
	return ""
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

// orderedRow is an object with its members in the order of the columns.
type orderedRow struct {
	columns []string
	values  []any
}

// MarshalJSON writes infinite numbers, which JSON lacks, by the words of the event
// log.
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
