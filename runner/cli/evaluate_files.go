package cli

import (
	"errors"
	"io"
	"os"

	"headroom/data/trec"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
	"headroom/runner/evaluate"
)

// evaluateFiles measures a run file against qrels. No text is known here: a document with the query's id is left
// out only where --drop-self asks for it.
func (a *app) evaluateFiles(qrelsFile, runFile string, measures []measure.Measure, o evaluateOptions) error {
	if qrelsFile == standardInput && runFile == standardInput {
		return errors.New("QRELS and RUN.trec are both -: one of the two can be standard input")
	}
	read, compute := trec.ReadRun, ir.Evaluate
	if o.byRank {
		read, compute = trec.ReadRunByRank, ir.EvaluateByRank
	}
	qrels, err := readFile(a, qrelsFile, trec.ReadQrels)
	if err != nil {
		return err
	}
	run, err := readFile(a, runFile, read)
	if err != nil {
		return err
	}
	dropped, kept := 0, 0
	switch o.self() {
	case evaluate.DropSelf:
		dropped = evaluate.WithoutOwnIDs(run)
	case evaluate.SameText:
		kept = evaluate.OwnIDs(run)
	}
	result, err := compute(qrels, run, measures)
	if err != nil {
		return err
	}
	result.Coverage.SelfDropped = dropped
	report := ir.NewReport(result)
	if a.global.json { // an id that JSON cannot hold is the input's fault
		if _, err := report.MarshalJSON(); err != nil {
			return err
		}
	}
	a.notes(result.Coverage.Notices())
	if kept > 0 {
		a.note("note: rankings that hold the document with the query's id: %d; a run file has no texts that tell whether it is the query itself, so it counts (--drop-self leaves it out, --keep-self keeps it without this note)", kept)
	}
	if a.global.json {
		return a.printJSON(report)
	}
	return failed(report.WriteColumns(a.stdout, o.perQuery))
}

// standardInput is the name of standard input where a file may stand.
const standardInput = "-"

func readFile[T any](a *app, path string, read func(r io.Reader, name string) (T, error)) (T, error) {
	if path == standardInput {
		return read(a.env.Stdin, "standard input")
	}
	file, err := os.Open(path)
	if err != nil {
		var none T
		return none, err
	}
	defer file.Close()
	return read(file, path)
}
