package calibration

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/metrics/stability"
	"headroom/reports/table"
)

// Files holds the files of a calibration by name.
type Files map[string][]byte

// Names of the files.
const (
	TruthFile  = "truth.csv"
	RunsFile   = "runs.csv"
	ReportFile = "calibration.md"
)

// Make calibrates a sweep's runs. truth is the TruthFile of an earlier call. It is nil if there
// is none; then the truth is fixed now, before any verdict is used.
func Make(sweep string, runs []Run, truth []byte, now time.Time) (Files, error) {
	var list []observed
	for _, r := range runs {
		o, err := observe(r)
		if err != nil {
			return nil, fmt.Errorf("calibrate: run %q: %w", r.Label, err)
		}
		list = append(list, o)
	}
	judgeTruth(list)
	known := 0
	for _, o := range list {
		if o.truth != Unknown {
			known++
		}
	}
	if known == 0 {
		return nil, fmt.Errorf("calibrate sweep %q: no run has a truth: of one backbone, dev data, loss, number of steps and batch size at least %d finished runs that retrieve well are needed, with evaluate.during", sweep, fewest)
	}
	if truth == nil {
		truth = writeTruth(list, now)
	}
	date, err := checkTruth(truth, list)
	if err != nil {
		return nil, err
	}
	files := Files{TruthFile: truth, RunsFile: writeRuns(list), ReportFile: write(sweep, list, date)}
	fitted, err := writeRules(sweep, list)
	if fitted != nil {
		files[RulesFile] = fitted
	}
	return files, err
}

// report writes the Markdown.
type report struct {
	bytes.Buffer
	list  []observed
	known []observed
}

func write(sweep string, list []observed, date string) []byte {
	r := &report{list: list}
	for _, o := range list {
		if o.truth != Unknown {
			r.known = append(r.known, o)
		}
	}
	counts := map[string]int{}
	for _, o := range list {
		counts[o.truth]++
	}
	fmt.Fprintf(r, "# Calibration on the sweep %s\n\n", table.Inline(sweep))
	fmt.Fprintf(r, "Written by `headroom judge --calibration`; not edited. %d finished runs (backbones: %d): %d fine, %d failed (below %.0f %% of the reference), %d lost (below %.0f %%), %d of which nothing is known.\n\n",
		len(list), len(backbones(list)), counts[Fine], counts[Failed], 100*failedBelow, counts[Lost], 100*lostBelow, counts[Unknown])
	fmt.Fprintf(r, "The reference is the median %s on dev data of those runs of one backbone, loss, number of steps and batch size that reach %.0f %% of the best of them; no verdict enters it. A run without a model, its parameters being no numbers, is lost. Truth was fixed on %s (`%s`). Intervals are exact (Clopper and Pearson) at 95 %%, bounds exact and one-sided at 95 %%.\n",
		list[0].measure, 100*goodFrom, date, TruthFile)
	r.confusion()
	r.errors()
	r.goals()
	r.warnings()
	r.parts()
	r.delays()
	r.prediction()
	return r.Bytes()
}

func (r *report) table(title string, t table.Table) {
	if len(t.Rows) == 0 {
		return
	}
	fmt.Fprintf(r, "\n## %s\n\n", title)
	// A buffer never fails.
	_ = t.Markdown(&r.Buffer)
}

func columns(names ...string) (list []table.Column) {
	for _, name := range names {
		list = append(list, table.Column{Name: name})
	}
	return list
}

func texts(cells ...string) (row []table.Cell) {
	for _, c := range cells {
		row = append(row, table.Text(c))
	}
	return row
}

func (r *report) confusion() {
	t := table.Table{Columns: columns("verdict", Fine, Failed, Lost)}
	for _, kind := range append([]string{stability.Healthy}, stability.Collapses()...) {
		row := []string{kind}
		for _, truth := range []string{Fine, Failed, Lost} {
			n := 0
			for _, o := range r.known {
				if o.Verdict == kind && o.truth == truth {
					n++
				}
			}
			row = append(row, strconv.Itoa(n))
		}
		t.Rows = append(t.Rows, texts(row...))
	}
	r.table("Verdicts and truth", t)
}

// rates counts how often a statement is made of fine runs, and how often it is not made of failed and of lost runs.
type rates struct{ alarms, missedFailed, missedLost rate }

func ratesOf(list []observed, said func(observed) bool) (x rates) {
	for _, o := range list {
		switch {
		case o.truth == Fine:
			x.alarms.add(said(o))
		case o.failed():
			x.missedFailed.add(!said(o))
		}
		if o.lost() {
			x.missedLost.add(!said(o))
		}
	}
	return x
}

func collapsed(o observed) bool { return o.Verdict != stability.Healthy }

// statement is a statement about runs, the runs that it can be made of, and whether it is made of a run.
type statement struct {
	name string
	of   []observed
	said func(observed) bool
}

func (r *report) statements() []statement {
	var compared []observed
	for _, o := range r.known {
		if o.Degraded != nil {
			compared = append(compared, o)
		}
	}
	return []statement{
		{"a verdict other than healthy", r.known, collapsed},
		{"degraded, of those with siblings", compared, func(o observed) bool { return *o.Degraded }},
		{"either, of those with siblings", compared, func(o observed) bool { return collapsed(o) || *o.Degraded }},
	}
}

func (r *report) errors() {
	t := table.Table{Columns: columns("what is said of a run", "false alarms, of fine runs", "bound", "missed, of failed and lost ones", "bound", "missed, of lost ones", "bound")}
	for _, c := range r.statements() {
		x := ratesOf(c.of, c.said)
		t.Rows = append(t.Rows, texts(c.name, x.alarms.text(), x.alarms.bound(), x.missedFailed.text(), x.missedFailed.bound(), x.missedLost.text(), x.missedLost.bound()))
	}
	r.table("How often it is wrong", t)
}

func (r *report) warnings() {
	t := table.Table{Columns: columns("warning", "of fine runs", "of failed and lost ones", "of lost ones")}
	for _, kind := range stability.Warnings() {
		if stability.Versions()[kind] == 0 && !slices.ContainsFunc(r.known, func(o observed) bool { return o.warnings[kind] }) {
			continue // warnings of older programs
		}
		var fine, failed, lost rate
		for _, o := range r.known {
			seen := o.warnings[kind]
			switch {
			case o.truth == Fine:
				fine.add(seen)
			case o.failed():
				failed.add(seen)
			}
			if o.lost() {
				lost.add(seen)
			}
		}
		t.Rows = append(t.Rows, texts(kind, fine.text(), failed.text(), lost.text()))
	}
	r.table("What warnings tell", t)
}

// writeParts writes the errors of verdicts by family, backbone, loss, data and steps.
func (r *report) parts() {
	t := table.Table{Columns: columns("part", "false alarms", "missed, of failed and lost ones", "missed, of lost ones")}
	for _, by := range []struct {
		name string
		of   func(observed) string
	}{
		{"family", func(o observed) string { return cmp.Or(o.Family, "unknown") }},
		{"world", observed.devData},
		{"backbone", func(o observed) string { return shortReference(o.Config.Model.Backbone) }},
		{"data", func(o observed) string { return shortReference(o.Config.Data.Train) }},
		{"loss", func(o observed) string { return o.Config.Loss.Kind }},
		{"steps", func(o observed) string { return strconv.Itoa(o.steps) }},
		{"batch", func(o observed) string { return strconv.Itoa(o.Config.Train.Batch) }},
	} {
		parts := map[string][]observed{}
		for _, o := range r.known {
			parts[by.of(o)] = append(parts[by.of(o)], o)
		}
		var names []string
		for name := range parts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			x := ratesOf(parts[name], collapsed)
			t.Rows = append(t.Rows, texts(by.name+" "+name, x.alarms.text(), x.missedFailed.text(), x.missedLost.text()))
		}
	}
	r.table("Verdicts by part", t)
}

func (r *report) delays() {
	t := table.Table{Columns: columns("verdict", "runs", "onset, share of the steps", "verdict, share of the steps")}
	for _, kind := range stability.Collapses() {
		var onset, opened []float64
		for _, o := range r.known {
			if o.Verdict != kind || o.openedAt < 0 || o.steps == 0 {
				continue
			}
			first := math.MaxInt
			for _, e := range o.Episodes {
				if e.Verdict == kind && e.Stands {
					first = min(first, e.FirstStep)
				}
			}
			onset, opened = append(onset, float64(first)/float64(o.steps)), append(opened, float64(o.openedAt)/float64(o.steps))
		}
		if len(onset) > 0 {
			t.Rows = append(t.Rows, texts(kind, strconv.Itoa(len(onset)), spread(onset), spread(opened)))
		}
	}
	r.table("How soon", t)
}

// spread is the median and the range of shares.
func spread(list []float64) string {
	slices.Sort(list)
	return fmt.Sprintf("median %.2f, %.2f to %.2f", list[len(list)/2], list[0], list[len(list)-1])
}

func (r *report) prediction() {
	t := table.Table{Columns: columns("known before training", "AUC, failed and lost", "AUC, lost", "AUC, lost, backbones left out", "Brier", "rule for lost: logit")}
	var pressure predicted
	for _, p := range predict(r.list) {
		rule := "–"
		if p.fitted {
			rule = fmt.Sprintf("%.4f + %.4f · log10 x", p.rule.Intercept, p.rule.Slope)
		}
		t.Rows = append(t.Rows, texts(p.name, threeDecimals(p.failed), threeDecimals(p.lost), threeDecimals(p.apart), threeDecimals(p.brier), rule))
		pressure = p
	}
	r.table("Prediction before training", t)
	r.WriteString("\nLeft out: each backbone's runs have the chance of the rule that was fitted to the other backbones' runs. Brier is the mean squared error of these chances.\n")
	if !pressure.fitted {
		return
	}
	b := table.Table{Columns: columns("chance", "runs", "mean chance", "lost")}
	for _, x := range bins(r.known, func(o observed) float64 { return pressure.rule.Chance(pressure.of(o)) }) {
		if x.lost.n > 0 {
			b.Rows = append(b.Rows, texts(fmt.Sprintf("%.2f to %.2f", x.low, x.high), strconv.Itoa(x.lost.n), percent(x.sum/float64(x.lost.n)), x.lost.text()))
		}
	}
	r.table("Chances of "+pressure.name+", and what came (fitted on the same runs)", b)
}

func threeDecimals(x float64) string {
	if x != x {
		return "–"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.3f", x), "0")
}
