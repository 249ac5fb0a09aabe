package evaluate_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/metrics/ir"
	"headroom/metrics/measure"
	"headroom/runner/evaluate"
)

func TestAnEvaluationIsThereWholeOrNotAtAllWhateverFails(t *testing.T) {
	run := trec.Run{"q": {{Doc: "d", Score: 1}}}
	measures, err := measure.Parse("nDCG@10")
	if err != nil {
		t.Fatal(err)
	}
	result, err := ir.Evaluate(trec.Qrels{"q": {"d": 1}}, run, []measure.Measure{measures})
	if err != nil {
		t.Fatal(err)
	}
	faults.Test(t, faults.Case{
		Write: func(disk atomic.Disk, dir string) error {
			return evaluate.KeepOn(disk, evaluate.Summary{Schema: 1, Dataset: "d", Queries: 1}, run, ir.NewReport(result), filepath.Join(dir, "evaluations", "e"))
		},
		Read: func(dir string) (string, error) {
			folder := filepath.Join(dir, "evaluations", "e")
			s, err := evaluate.ReadSummary(folder)
			if errors.Is(err, fs.ErrNotExist) {
				return "none", nil
			}
			if err != nil {
				return "", err
			}
			ranking, err := trec.OpenRun(filepath.Join(folder, evaluate.RunFile))
			table, other := os.ReadFile(filepath.Join(folder, evaluate.PerQueryFile))
			return fmt.Sprint(s.Queries, len(ranking), len(table)), errors.Join(err, other)
		},
	})
}
