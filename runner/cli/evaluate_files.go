package cli

import (
	"headroom/data/trec"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
)

// evaluateFiles measures a run file against qrels.
func (a *app) evaluateFiles(qrelsFile, runFile string, measures []measure.Measure, perQuery bool) error {
	qrels, err := trec.OpenQrels(qrelsFile)
	if err != nil {
		return err
	}
	run, err := trec.OpenRun(runFile)
	if err != nil {
		return err
	}
	result, err := ir.Evaluate(qrels, run, measures)
	if err != nil {
		return err
	}
	report := ir.NewReport(result)
	if a.global.json { // an id that JSON cannot hold is the input's fault
		if _, err := report.MarshalJSON(); err != nil {
			return err
		}
	}
	for _, notice := range report.Coverage().Notices() {
		a.note("%s", notice)
	}
	if a.global.json {
		return a.printJSON(report)
	}
	return failed(report.WriteColumns(a.stdout, perQuery))
}
