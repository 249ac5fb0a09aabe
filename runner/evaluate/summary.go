package evaluate

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/metrics/event"
	"headroom/metrics/ir"
	"headroom/metrics/record"
)

// Summary is one evaluation's result, with the ranking and the values per query behind it.
type Summary struct {
	record.Evaluation

	run    trec.Run
	report ir.Report
}

// The files of an evaluation's folder.
const (
	RunFile      = record.RunFile
	PerQueryFile = record.PerQueryFile
	SummaryFile  = record.SummaryFile
)

// Run is the ranking behind the figures.
func (s Summary) Run() trec.Run { return s.run }

// Report is the per-query result behind the figures.
func (s Summary) Report() ir.Report { return s.report }

// Event is the summary as a run's log records it; folder is relative to the run's.
func (s Summary) Event(folder string) event.Evaluated {
	e := event.Evaluated{ID: s.ID, Dataset: s.Dataset, Split: s.Split, Queries: s.Queries, Documents: s.Documents,
		Measures: map[string]event.Value{}, Folder: folder,
		Seconds: event.Seconds{Encode: s.Seconds.Encode, Index: s.Seconds.Index, Search: s.Seconds.Search}}
	for name, value := range s.Measures {
		e.Measures[name] = event.Value(value)
	}
	for _, p := range []struct {
		from *float64
		to   *event.Value
	}{{s.ActiveQuery, &e.ActiveQuery}, {s.ActiveDocument, &e.ActiveDocument}, {s.Flops, &e.Flops}} {
		if p.from != nil {
			*p.to = event.Value(*p.from)
		}
	}
	return e
}

// keep writes the evaluation's files. Each appears whole under its name, the
// summary last: where it is, the others are complete.
func (s Summary) keep(disk atomic.Disk, dir string) (Summary, error) {
	if dir == "" {
		return s, nil
	}
	tag := s.Name
	if tag == "" {
		tag = "headroom"
	}
	type file struct {
		name string
		fill func(io.Writer) error
	}
	files := []file{
		{RunFile, func(w io.Writer) error {
			zip := gzip.NewWriter(w)
			return errors.Join(trec.WriteRun(zip, s.run, tag), zip.Close())
		}},
		{PerQueryFile, s.report.WriteTSV},
		{SummaryFile, func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(s.Evaluation)
		}},
	}
	if s.Refused != "" {
		files = files[2:] // there is no ranking
	}
	err := disk.MkdirAll(dir)
	for _, file := range files {
		if err == nil {
			err = disk.WriteFile(filepath.Join(dir, file.name), file.fill)
		}
	}
	if err != nil {
		return s, fmt.Errorf("keep evaluation %q: %w", dir, err)
	}
	return s, nil
}

// ReadSummary reads an evaluation's summary.json.
func ReadSummary(dir string) (Summary, error) {
	e, err := record.ReadEvaluation(dir)
	return Summary{Evaluation: e}, err
}
