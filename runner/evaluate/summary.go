package evaluate

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/ir"
	"headroom/metrics/record"
	"headroom/runner/vectors"
)

// Summary is one evaluation's result, with the ranking and the values per query behind it.
type Summary struct {
	record.Evaluation
	// Depth is the greatest number of documents in a ranking, Cut the number of rankings
	// that were longer.
	Depth int `json:"depth,omitempty"`
	Cut   int `json:"rankings_cut"`
	ir.Coverage
	// Missing is how many documents with a grade above 0 are not in the corpus; they count as not
	// found.
	Missing int `json:"relevant_missing"`
	// EmptyQueries and EmptyDocuments are judged queries and documents without a word.
	EmptyQueries   int `json:"empty_queries"`
	EmptyDocuments int `json:"empty_documents"`

	run    trec.Run
	report ir.Report
	cuts   []cut
	// vectors lists the blocks of the documents' vectors, in the folder vectorsIn, if they are kept; else nil.
	vectors   *vectors.List
	vectorsIn string
}

// The files of an evaluation's folder.
const (
	RunFile      = record.RunFile
	PerQueryFile = record.PerQueryFile
	SummaryFile  = record.SummaryFile
)

// Run returns the rankings behind the figures.
func (s Summary) Run() trec.Run { return s.run }

// Report returns the results per query behind the figures.
func (s Summary) Report() ir.Report { return s.report }

// Event returns the summary as an event of the run's log; folder is relative to the run's
// folder.
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

// keep writes the evaluation's files. Each appears whole under its name. The summary is
// written last, with the digests of the others: if it exists, they are complete.
func (s Summary) keep(disk atomic.Disk, dir string) (Summary, error) {
	if dir == "" {
		return s, nil
	}
	tag := s.Name
	tag = cmp.Or(tag, "headroom")
	err := disk.MkdirAll(dir)
	add := func(name string, fill func(io.Writer) error) {
		path := filepath.Join(dir, name)
		if err == nil {
			err = disk.WriteFile(path, fill)
		}
		if err == nil && name != SummaryFile {
			s.Files[name], err = record.FileOf(path)
		}
	}
	if s.Refused == "" { // otherwise there is no ranking
		s.Files = map[string]record.File{}
		add(RunFile, func(w io.Writer) error {
			zip := gzip.NewWriter(w)
			return errors.Join(trec.WriteRun(zip, s.run, tag), zip.Close())
		})
		add(PerQueryFile, s.report.WriteTSV)
		if len(s.cuts) > 0 {
			add(record.CurveFile, func(w io.Writer) error { return writeCurve(w, s.cuts) })
		}
		if list := s.vectors; list != nil && err == nil {
			if list.Folder, err = filepath.Rel(dir, s.vectorsIn); err == nil {
				list.Folder = filepath.ToSlash(list.Folder)
				add(record.VectorsFile, list.Write)
			}
		}
	}
	add(SummaryFile, func(w io.Writer) error {
		text, err := seal.IndentedJSON(s)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("keep evaluation %q: %w", dir, err)
	}
	return s, nil
}

// ReadSummary reads the summary of an evaluation's folder, whose files must be unchanged
// since they were written.
func ReadSummary(dir string) (Summary, error) {
	e, err := record.CheckEvaluation(dir, nil)
	return Summary{Evaluation: e}, err
}
