package cli

import (
	"errors"
	"io"
	"os"
	"strings"

	"headroom/data/trec"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
	"headroom/runner/evaluate"
)

// evaluateFiles measures a run file by qrels, or by the qrels of a collection, whose texts show which documents are the
// query itself. With qrels alone such documents are left out only by --drop-self.
func (a *app) evaluateFiles(qrelsFile, runFile string, measures []measure.Measure, o evaluateOptions) error {
	if qrelsFile == standardInput && runFile == standardInput {
		return errors.New("QRELS and RUN.trec are both -: one of the two can be standard input")
	}
	read, compute := trec.ReadRun, ir.Evaluate
	if o.byRank {
		read, compute = trec.ReadRunByRank, ir.EvaluateByRank
	}
	var qrels trec.Qrels
	var own map[string]bool
	var err error
	if isCollection(qrelsFile) {
		qrels, own, err = a.judgedBy(qrelsFile, o)
	} else {
		qrels, err = readFile(a, qrelsFile, trec.ReadQrels)
	}
	if err != nil {
		return err
	}
	run, err := readFile(a, runFile, read)
	if err != nil {
		return err
	}
	unknown := 0 // documents that may be the query itself
	if own == nil && o.self() == evaluate.DropSelf {
		own = map[string]bool{}
		for query := range qrels {
			own[query] = true
		}
	} else if own == nil && o.self() == evaluate.SameText {
		unknown = len(evaluate.OwnIDs(qrels, run))
	}
	dropped := evaluate.WithoutSelf(run, own)
	result, err := compute(qrels, run, measures)
	if err != nil {
		return err
	}
	result.Coverage.SelfDropped = dropped
	report := ir.NewReport(result)
	if a.global.json { // an id that JSON cannot represent is a fault of the input
		if _, err := report.MarshalJSON(); err != nil {
			return err
		}
	}
	a.notes(result.Coverage.Notices())
	if cut := result.Coverage.CutNotice(measures); cut != "" {
		a.note("note: %s", cut)
	}
	if unknown > 0 {
		a.note("note: rankings that hold an unjudged document with the query's id: %d; qrels have no texts that tell whether it is the query itself, so it counts (a collection in place of QRELS tells; --drop-self leaves it out, --keep-self keeps it)", unknown)
	}
	if a.global.json {
		return a.printJSON(report)
	}
	return failedError(report.WriteColumns(a.stdout, o.perQuery))
}

// isCollection reports whether an argument is a collection and not qrels: a folder, or a reference that is no file.
func isCollection(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		return strings.Contains(name, ":")
	}
	return info.IsDir()
}

func (a *app) judgedBy(ref string, o evaluateOptions) (trec.Qrels, map[string]bool, error) {
	resolver, err := a.resolver("")
	if err != nil {
		return nil, nil, err
	}
	targets, err := findTargets(resolver, []string{ref}, o.split)
	if err != nil {
		return nil, nil, err
	}
	return o.self().JudgedQueries(targets[0].data, o.split)
}

// standardInput is the argument for standard input in the place of a file.
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
