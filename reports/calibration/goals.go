package calibration

import (
	"fmt"
	"path/filepath"
	"strings"

	"headroom/metrics/stats"
	"headroom/reports/table"
)

// Goals of a calibration: one-sided 95 % bounds of rates, and AUCs.
const (
	alarmGoal  = .01 // false alarms of verdicts
	lostGoal   = .05 // lost runs that verdicts miss
	failedGoal = .15 // failed and lost runs that verdicts and the comparison with siblings miss
	aucGoal    = .90 // of pressure for lost runs, backbones left out
	aboveGoal  = .05 // of pressure above λ alone
)

// writeGoals writes which goals are met, and by how much the others are missed.
func (r *report) goals() {
	t := table.Table{Columns: columns("goal", "reached", "")}
	said := r.statements()
	verdicts, either := ratesOf(said[0].of, said[0].said), ratesOf(said[2].of, said[2].said)
	atMost := func(name string, x rate, goal float64) {
		if x.n == 0 {
			t.Rows = append(t.Rows, texts(fmt.Sprintf("%s: bound of %.0f %%", name, 100*goal), "no such run", "open"))
			return
		}
		bound := stats.Binomial(x.k, x.n, 2*level-1).High
		verdict := "met"
		if bound > goal {
			verdict = fmt.Sprintf("missed by %.1f points", 100*(bound-goal))
			if least := stats.Binomial(0, x.n, 2*level-1).High; x.k == 0 || least > goal {
				verdict += fmt.Sprintf("; %d runs cannot show it: without an error their bound is %.1f %%", x.n, 100*least)
			}
		}
		t.Rows = append(t.Rows, texts(fmt.Sprintf("%s: bound of %.0f %%", name, 100*goal), fmt.Sprintf("%d of %d, %s", x.k, x.n, x.bound()), verdict))
	}
	atMost("false alarms of verdicts", verdicts.alarms, alarmGoal)
	atMost("lost runs that verdicts miss", verdicts.missedLost, lostGoal)
	atMost("failed and lost runs that verdicts and siblings miss", either.missedFailed, failedGoal)
	all := predict(r.list)
	alone, pressure := all[0].apart, all[len(all)-1].apart
	atLeast := func(name string, x, goal float64) {
		verdict := "met"
		switch {
		case x != x:
			verdict = "open"
		case x < goal:
			verdict = fmt.Sprintf("missed by %.3f", goal-x)
		}
		t.Rows = append(t.Rows, texts(fmt.Sprintf("%s: %.2f", name, goal), threeDecimals(x), verdict))
	}
	atLeast("AUC of pressure for lost runs, backbones left out", pressure, aucGoal)
	atLeast("the same above that of λ alone", pressure-alone, aboveGoal)
	r.table("Goals", t)
}

// shortReference returns the last two names of a reference's path.
func shortReference(ref string) string {
	if !strings.ContainsRune(ref, filepath.Separator) || !filepath.IsAbs(ref) {
		return ref
	}
	return filepath.Join(filepath.Base(filepath.Dir(ref)), filepath.Base(ref))
}
