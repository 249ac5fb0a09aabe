package cli

import (
	"fmt"
	"math"
	"strconv"

	"headroom/internal/nouns"
	"headroom/metrics/event"
	"headroom/metrics/risk"
	"headroom/models/mlmhead"
	"headroom/models/splade"
	"headroom/reports/calibration"
	"headroom/runner/probe"
	"headroom/runner/train"
	"headroom/sweeps"
)

// predictedSetting is a setting of a sweep with predictions from before training.
type predictedSetting struct {
	Rescale        string  `json:"rescale"`
	LR             float64 `json:"lr"`
	HeadLRScale    float64 `json:"head_lr_scale"`
	LambdaQuery    float64 `json:"lambda_query"`
	LambdaDocument float64 `json:"lambda_document"`
	RampSteps      int     `json:"ramp_steps"`
	prediction

	form   probe.Case
	config sweeps.RunConfig
}

// prediction has the predictions for a run from before training.
type prediction struct {
	InfoNCE event.Value `json:"infonce"` // at step 0, over ln(candidates); NaN if it cannot be computed
	// Pressure is λ · InfoNCE · rate / ramp, which ranks settings.
	Pressure event.Value `json:"pressure"`
	// Chance is the chance that a run is lost; LambdaAlone is the same from λ alone.
	Chance      event.Value `json:"chance"`
	LambdaAlone event.Value `json:"lambda_alone"`
	// SafeFrom is the smallest k from which on, up to 256, the chance is 0.05 or less; null
	// if there is no such k.
	SafeFrom *float64 `json:"safe_from"`
}

// predictedSettingOf returns the setting of a run's configuration, without predictions.
func predictedSettingOf(c sweeps.RunConfig) predictedSetting {
	f := predictedSetting{Rescale: c.Model.Rescale.String(), LR: c.Train.LR, HeadLRScale: c.Train.HeadLRScale, LambdaQuery: c.Regularizer.LambdaQuery,
		LambdaDocument: c.Regularizer.LambdaDocument, RampSteps: train.RampEnd(c), config: c}
	if c.Regularizer.Kind == "none" {
		f.LambdaQuery, f.LambdaDocument = 0, 0
	}
	f.form = probe.Case{K: c.Model.Rescale.K, Keep: c.Model.Tie == "keep", Form: probe.Form{Target: mlmhead.Target(c.Model.Target), ScoreScale: c.Loss.Scale,
		Splade: splade.NewForm(c.Model.Pooling, c.Model.Activation, c.Model.TopK, c.Model.TokenTopM), Shift: c.Model.Shift}}
	return f
}

// settingKey is equal for equal settings. It is no text, which would take half the time of a plan of
// 10,000 points.
type settingKey struct {
	rescale                                      string
	lr, headLRScale, lambdaQuery, lambdaDocument float64
	rampSteps                                    int
	form                                         probe.Case
}

func (f predictedSetting) key() settingKey {
	return settingKey{f.Rescale, f.LR, f.HeadLRScale, f.LambdaQuery, f.LambdaDocument, f.RampSteps, f.form}
}

// ladder returns the factors among which SafeFrom is searched.
func ladder() (list []float64) {
	for k := 0.125; k <= 256; k *= 2 {
		list = append(list, k)
	}
	return list
}

// settingsOf returns the distinct settings of a sweep's points, without their backbones.
func (a *app) settingsOf(sweep string) ([]predictedSetting, error) {
	s, err := a.openSweep(sweep, nil)
	if err != nil {
		return nil, err
	}
	points, err := s.spec.Points()
	if err != nil {
		return nil, err
	}
	var list []predictedSetting
	seen := map[settingKey]bool{}
	for _, p := range points {
		f := predictedSettingOf(p.Config)
		if !seen[f.key()] {
			seen[f.key()] = true
			list = append(list, f)
		}
	}
	return list, nil
}

// casesOf returns the cases that a probe must compute to predict the start of each setting,
// and the k from which on it is safe. A k that is chosen automatically is taken from the
// ladder.
func casesOf(list []predictedSetting) (cases []probe.Case) {
	for _, f := range list {
		own := f.form
		if own.K == 0 {
			own.K = 1 // replaced once the choice is known
		}
		cases = append(cases, own)
		for _, k := range ladder() {
			f.form.K = k
			cases = append(cases, f.form)
		}
	}
	return cases
}

// predictAll sets the predictions from a model's figures and the rules of a calibration.
func predictAll(list []predictedSetting, m probed, rules calibration.Rules) []predictedSetting {
	out := make([]predictedSetting, len(list))
	stride := 1 + len(ladder())
	for i, f := range list {
		at := m.InfoNCEs[i*stride : (i+1)*stride]
		var scales []risk.Scale
		for j, k := range ladder() {
			scales = append(scales, risk.Scale{K: k, InfoNCE: float64(at[1+j])})
		}
		own := float64(at[0])
		if auto := f.config.Model.Rescale.Auto; auto != "" {
			own = scaleAt(scales, m.automatic(auto))
		}
		s := risk.Setting{LambdaQuery: f.LambdaQuery, LambdaDocument: f.LambdaDocument, InfoNCE: own, Rate: f.LR * f.HeadLRScale, Ramp: float64(f.RampSteps)}
		f.InfoNCE, f.Pressure = event.Value(own), event.Value(s.Pressure())
		f.Chance, f.LambdaAlone = event.Value(rules.Pressure.Chance(s.Pressure())), event.Value(rules.Lambda.Chance(s.Lambda()))
		if k, ok := rules.Pressure.SafeFrom(s, scales); ok {
			f.SafeFrom = &k
		}
		out[i] = f
	}
	return out
}

// probed has a model's figures for the cases of settings; predictions are made from it.
type probed struct {
	InfoNCEs  []event.Value `json:"infonce"` // of casesOf
	AutoNorm  event.Value   `json:"auto_norm"`
	AutoScore event.Value   `json:"auto_score"`
}

func probedOf(r probe.Report) probed {
	p := probed{AutoNorm: r.SuggestedK.AutoNorm, AutoScore: r.SuggestedK.AutoScore}
	for _, x := range r.InfoNCEs {
		p.InfoNCEs = append(p.InfoNCEs, event.Value(x))
	}
	return p
}

func (p probed) automatic(auto string) float64 {
	if auto == probe.AutoNorm {
		return float64(p.AutoNorm)
	}
	return float64(p.AutoScore)
}

// scaleAt is InfoNCE at the factor of the ladder that is nearest to k.
func scaleAt(scales []risk.Scale, k float64) float64 {
	best, distance := math.NaN(), math.Inf(1)
	for _, s := range scales {
		if d := math.Abs(math.Log(s.K / k)); d < distance {
			best, distance = s.InfoNCE, d
		}
	}
	return best
}

// printPredictions lists a model's settings in the sweep's order.
func (a *app) printPredictions(model string, list []predictedSetting, rules calibration.Rules) error {
	fmt.Fprintf(a.stdout, "\nBefore training, on %s:\n", model)
	rows := [][]string{append([]string{"k", "lr", "λ query", "λ document", "ramp", "InfoNCE / ln C", "pressure"}, chanceColumns()...)}
	for _, f := range list {
		lr := strconv.FormatFloat(f.LR, 'g', -1, 64)
		if f.HeadLRScale != 1 {
			lr += fmt.Sprintf(" · %g", f.HeadLRScale)
		}
		row := []string{f.Rescale, lr, fmt.Sprint(f.LambdaQuery), fmt.Sprint(f.LambdaDocument), strconv.Itoa(f.RampSteps), digits(f.InfoNCE), fmt.Sprintf("%.2e", float64(f.Pressure))}
		rows = append(rows, append(row, f.chances()...))
	}
	if err := a.table(rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.stdout, "\npressure = λ · InfoNCE/ln C · head's learning rate / ramp; %s\n", sourceOf(rules))
	return failedError(err)
}

// chanceColumns returns the headings of the cells that chances returns.
func chanceColumns() []string { return []string{"chance of collapse", "λ alone", "safe from k"} }

func (o prediction) chances() []string {
	safe := "none"
	if o.SafeFrom != nil {
		safe = strconv.FormatFloat(*o.SafeFrom, 'g', -1, 64)
	}
	return []string{percentOf(o.Chance), percentOf(o.LambdaAlone), safe}
}

// sourceOf describes the calibration behind the chances.
func sourceOf(rules calibration.Rules) string {
	return fmt.Sprintf("chances by %d runs of which %d were lost, over %s; AUC on backbones left out: pressure %s, λ alone %s. Never a gate.",
		rules.Runs, rules.Lost, nouns.Count(rules.Backbones, "backbone"), digits(rules.Pressure.AUC), digits(rules.Lambda.AUC))
}

func percentOf(v event.Value) string {
	if v.NonFinite() != "" {
		return "unknown"
	}
	return fmt.Sprintf("%.0f %%", 100*float64(v))
}
