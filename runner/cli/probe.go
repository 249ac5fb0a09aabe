package cli

import (
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"headroom/data/collection"
	"headroom/metrics/event"
	"headroom/reports/calibration"
	"headroom/runner/probe"
)

type probeOptions struct {
	texts       string
	backend     string
	threads     int
	sweep       string
	calibration string
}

func newProbe(a *app) *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use:   "probe MODEL…",
		Short: "measure head norms and the scale at step 0, and suggest rescale factors, before GPU hours",
		Long: `Measures the MLM head of each model, and a SPLADE model made of it at step 0: active
dims, in-batch scores, and InfoNCE in comparison with chance level, ln(candidates). The
last rows are the k by which model.rescale = "auto-norm" and "auto-score" would divide
the head.

The sample is pairs of the built-in collection, or texts of a file: a text's first
sentence is taken as the query of the rest. docs/probe.md has the formulas.

--sweep lists how the settings of a sweep's points would start on each model, their
chance of collapse, and the k from which on it is 5 % or less. "headroom plan" shows these
chances for each run.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.probe(cmd, args, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.texts, "texts", "", "`FILE` of JSON lines {\"_id\",\"text\"} to sample; - is standard input (default builtin:demo)")
	f.StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	f.StringVar(&o.sweep, "sweep", "", "list the settings of `SWEEP`'s points, each as if it were run on MODEL")
	f.StringVar(&o.calibration, "calibration", "", "with --sweep, chances by the rules that judge --calibration wrote into `DIR`, in place of the program's")
	return cmd
}

func (o probeOptions) check(cmd *cobra.Command) error {
	faults := []error{checkBackend(o.backend)}
	if o.threads < 0 {
		faults = append(faults, fmt.Errorf("--threads is %d; allowed: 0 (all cores) or more", o.threads))
	}
	if o.calibration != "" && o.sweep == "" {
		faults = append(faults, fmt.Errorf("--calibration says nothing without --sweep: chances depend on a sweep's settings"))
	}
	return usage(cmd, faults...)
}

func (a *app) probe(cmd *cobra.Command, names []string, o probeOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	var settings []predictedSetting
	rules, err := shippedRules()
	if err != nil {
		return err
	}
	if o.sweep != "" {
		if settings, err = a.settingsOf(o.sweep); err != nil {
			return err
		}
	}
	if o.calibration != "" {
		if rules, err = calibration.ReadRules(o.calibration); err != nil {
			return err
		}
	}
	models := make([]model, len(names))
	for i, name := range names {
		var err error
		if models[i], err = a.findModel(cmd.Context(), name, a.wholeModel); err != nil {
			return fmt.Errorf("probe %q: %w", name, err)
		}
	}
	pairs, err := a.probePairs(o.texts)
	if err != nil {
		return err
	}
	// Nothing has been written, so any error of a model is a refusal.
	var reports []probe.Report
	for _, m := range models {
		report, err := probe.Model(cmd.Context(), m.name, m.folder, pairs, probe.Options{Backend: o.backend, Threads: o.threads, Cases: casesOf(settings)})
		if err != nil {
			return fmt.Errorf("probe %q: %w", m.name, withLessMemory(err, "probe on the CPU: --backend go"))
		}
		if n := len(report.NonFinite); n > 0 {
			a.note("%s: not finite: %d parameters hold a NaN or an infinity, the first is %q", m.name, n, report.NonFinite[0])
		}
		a.notes(report.Notices)
		reports = append(reports, report)
	}
	if a.global.json {
		return a.printJSON(newProbeDocument(reports, settings, rules))
	}
	if err := a.table(probeTable(reports)); err != nil {
		return err
	}
	for _, r := range reports {
		if len(settings) == 0 {
			break
		}
		if err := a.printPredictions(r.Model, predictAll(settings, probedOf(r), rules), rules); err != nil {
			return err
		}
	}
	return nil
}

// probeDocument is the JSON document of probe.
type probeDocument struct {
	Schema int          `json:"schema"`
	Models []probeModel `json:"models"`
}

// probeModel is a report with the predictions for --sweep.
type probeModel struct {
	probe.Report
	Settings []predictedSetting `json:"settings,omitempty"`
}

func newProbeDocument(reports []probe.Report, settings []predictedSetting, rules calibration.Rules) probeDocument {
	d := probeDocument{Schema: schema}
	for _, r := range reports {
		m := probeModel{Report: r}
		if len(settings) > 0 {
			m.Settings = predictAll(settings, probedOf(r), rules)
		}
		d.Models = append(d.Models, m)
	}
	return d
}

func (a *app) probePairs(path string) ([]probe.Pair, error) {
	if path == "" {
		resolver, err := a.resolver("")
		if err != nil {
			return nil, err
		}
		folder, err := resolver.Data("builtin:demo")
		if err != nil {
			return nil, err
		}
		return probe.FromCollection(folder)
	}
	input, err := a.newTexts(path)
	if err != nil {
		return nil, err
	}
	var list []string
	if err := input.each(func(d collection.Document) error { list = append(list, d.Content()); return nil }); err != nil {
		return nil, err
	}
	pairs, err := probe.FromTexts(list)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return pairs, nil
}

// probeTable has one line per quantity and one column per model, since there are many
// quantities.
func probeTable(reports []probe.Report) [][]string {
	rows := [][]string{{"model"}, {"architecture"}, {"parameters"}, {"vocabulary"}, {"decoder"},
		{"head row norm, mean"}, {"  p05"}, {"  p50"}, {"  p95"}, {"  max"}, {"head bias, mean"},
		{"step 0: active dims, query"}, {"  active dims, document"}, {"  in-batch score, mean"}, {"  in-batch score, sd"},
		{"  InfoNCE"}, {"  ln(candidates)"}, {"  InfoNCE / ln(candidates)"},
		{"k by auto-norm"}, {"k by auto-score"}}
	for _, r := range reports {
		tied, bias := "untied", "none"
		if r.Tied {
			tied = "tied"
		}
		if r.Head.BiasMean != nil {
			bias = digits(*r.Head.BiasMean)
		}
		n, s := r.Head.RowNorm, r.Step0
		for i, text := range []string{r.Model, r.Architecture, strconv.FormatInt(r.Parameters, 10), strconv.Itoa(r.Vocab), tied,
			digits(n.Mean), digits(n.P05), digits(n.P50), digits(n.P95), digits(n.Max), bias,
			digits(s.ActiveQuery), digits(s.ActiveDocument), digits(s.ScoreMean), digits(s.ScoreSD),
			digits(s.InfoNCE), digits(s.LnCandidates), digits(s.InfoNCE / s.LnCandidates),
			digits(r.SuggestedK.AutoNorm), digits(r.SuggestedK.AutoScore)} {
			rows[i] = append(rows[i], text)
		}
	}
	return rows
}

// digits writes four significant digits, and whole numbers from 1,000 on.
func digits(v event.Value) string {
	x := float64(v)
	if math.Abs(x) >= 1000 && !math.IsInf(x, 0) {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
