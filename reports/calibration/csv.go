package calibration

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fixedLine is the beginning of TruthFile.
const fixedLine = "# fixed "

// writeTruth writes TruthFile: the date, then one row per run.
func writeTruth(list []observed, now time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n", fixedLine, now.UTC().Format(time.DateOnly))
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"run", "label", "score", "reference", "truth"}) // a buffer never fails
	for _, row := range truthRows(list) {
		_ = w.Write(row)
	}
	w.Flush()
	return b.Bytes()
}

func truthRows(list []observed) (rows [][]string) {
	for _, o := range list {
		rows = append(rows, []string{o.ID, o.Label, exactText(o.score), exactText(o.reference), o.truth})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows
}

// checkTruth compares an earlier TruthFile with the runs, and returns its date.
func checkTruth(text []byte, list []observed) (date string, err error) {
	first, rest, _ := strings.Cut(string(text), "\n")
	date, ok := strings.CutPrefix(first, fixedLine)
	if !ok {
		return "", fmt.Errorf("read %s: its first line is %q: want %q and a date", TruthFile, first, fixedLine)
	}
	rows, err := csv.NewReader(strings.NewReader(rest)).ReadAll()
	if err != nil {
		return "", fmt.Errorf("read %s: %w", TruthFile, err)
	}
	if len(rows) > 0 {
		rows = rows[1:]
	}
	want := truthRows(list)
	if len(rows) != len(want) {
		return "", fmt.Errorf("%s was fixed on %s for %d runs, and the sweep has %d finished ones: calibrate the same runs, or choose another folder, in which the truth is fixed again", TruthFile, date, len(rows), len(want))
	}
	for i := range rows {
		if !slices.Equal(rows[i], want[i]) {
			return "", fmt.Errorf("%s was fixed on %s and says %q; the files say %q: calibrate the same runs, or choose another folder, in which the truth is fixed again", TruthFile, date, strings.Join(rows[i], " "), strings.Join(want[i], " "))
		}
	}
	return date, nil
}

// writeRuns writes RunsFile: the data behind the rates and rules, one row per run.
func writeRuns(list []observed) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"run", "label", "backbone", "family", "world", "data", "loss", "seed", "steps", "batch", "rescale", "lr", "head_lr_scale", "lambda_query", "lambda_document", "ramp_steps",
		"infonce0", "flops0", "head_norm0", "score", "reference", "truth", "verdict", "onset", "opened", "degraded", "warnings"}
	_ = w.Write(head)
	for _, o := range list {
		onset := ""
		for _, e := range o.Episodes {
			if e.Verdict == o.Verdict && e.Stands && onset == "" {
				onset = strconv.Itoa(e.FirstStep)
			}
		}
		opened, degraded := "", ""
		if o.openedAt >= 0 {
			opened = strconv.Itoa(o.openedAt)
		}
		if o.Degraded != nil {
			degraded = strconv.FormatBool(*o.Degraded)
		}
		var warnings []string
		for kind := range o.warnings {
			warnings = append(warnings, kind)
		}
		slices.Sort(warnings)
		c := o.Config
		_ = w.Write([]string{o.ID, o.Label, shortReference(c.Model.Backbone), o.Family, o.devData(), shortReference(c.Data.Train), c.Loss.Kind, strconv.FormatInt(c.Seed, 10), strconv.Itoa(o.steps), strconv.Itoa(c.Train.Batch),
			c.Model.Rescale.String(), exactText(c.Train.LR), exactText(c.Train.HeadLRScale), exactText(c.Regularizer.LambdaQuery), exactText(c.Regularizer.LambdaDocument), exactText(o.setting.Ramp),
			exactText(o.setting.InfoNCE), exactText(o.flops), exactText(o.norm), exactText(o.score), exactText(o.reference), o.truth, o.Verdict, onset, opened, degraded, strings.Join(warnings, " ")})
	}
	w.Flush()
	return b.Bytes()
}

// exactText writes a number such that it reads back to the same bits; "" for NaN.
func exactText(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
