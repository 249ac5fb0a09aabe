package cli

import (
	"headroom/data/trec"
	"headroom/metrics/ir"
)

// evaluateFiles measures a run file against qrels.
func (a *app) evaluateFiles(qrelsFile, runFile string, measures []ir.Measure, perQuery bool) error {
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
	if a.global.json {
		return a.printJSON(report)
	}
	return failed(report.WriteColumns(a.stdout, perQuery))
}
