package plan

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"headroom/internal/nouns"
	"headroom/metrics/event"
	"headroom/sweeps"
)

// measured holds the times of a finished run.
type measured struct {
	config sweeps.RunConfig
	step   float64 // seconds of a training step
	dev    float64 // of an evaluation during training; 0 if it made none
	rest   float64 // of the rest: opening, the final evaluations, the export
}

// mostMeasured bounds the number of runs outside the plan that are read for a prediction.
const mostMeasured = 200

// work is a measure of a step's time for predictions from runs of other shapes: the number of
// tokens through the model, at full length.
func work(c sweeps.RunConfig) float64 {
	return float64(c.Train.Batch) * float64(c.Data.MaxQuery+(1+c.Data.Negatives)*c.Data.MaxDocument)
}

// shape holds the settings on which the times of a step and of an evaluation depend. Runs of
// one shape differ in k, seed, rates, steps and the frequency of evaluations on dev data.
func shape(c sweeps.RunConfig) string {
	micro := c.Train.MicroBatch
	return fmt.Sprint(c.Model.Backbone, "\n", c.Data.Train, c.Data.MaxQuery, c.Data.MaxDocument, c.Data.Negatives, c.Train.Batch, micro, c.Train.Precision,
		c.Loss.Kind, c.Regularizer.Kind, c.Model.Tie, c.Model.Pooling, c.Model.TopK, c.Model.TokenTopM, c.Evaluate.Final, c.Evaluate.During, c.Compute.Backend, c.Compute.Threads, c.Compute.Remat)
}

// evaluations is the number of evaluations on dev data in a run's last steps.
func evaluations(c sweeps.RunConfig, steps int) float64 {
	if len(c.Evaluate.During) == 0 || c.Evaluate.Every == 0 {
		return 0
	}
	return math.Ceil(float64(steps) / float64(c.Evaluate.Every))
}

// predict sets the predicted seconds of unfinished runs, and their basis: the median of the
// finished runs of the same shape, else of those with the same backbone, else of all, scaled
// by tokens. If no run is finished, nothing is predicted. The seconds of a run include its
// evaluations.
func (m *maker) predict(ctx context.Context) {
	open := false
	for i := range m.plan.Runs {
		run := &m.plan.Runs[i]
		if run.State.Finished() {
			run.Seconds = new(float64)
			continue
		}
		open = true
	}
	for i := range m.plan.Recipes {
		if m.plan.Recipes[i].State.Finished() {
			m.plan.Recipes[i].Seconds = new(float64)
		}
	}
	for i := range m.plan.Evaluations {
		if m.plan.Evaluations[i].State.Finished() {
			m.plan.Evaluations[i].Seconds = new(float64)
		}
	}
	if !open {
		m.plan.Seconds = new(float64)
		return
	}
	history := m.history(ctx)
	if len(history) == 0 {
		m.foresee()
		return
	}
	total := 0.0
	known := pastTimesOf(history)
	for i := range m.plan.Runs {
		run := &m.plan.Runs[i]
		if run.Seconds == nil {
			seconds, basis := known.estimate(run.Config, run.Config.Train.Steps-m.stepsDone(*run))
			run.Seconds, run.Basis = &seconds, basis
			total += seconds
		}
	}
	m.plan.Seconds = &total
}

// pastTimes has the median times of finished runs: of one shape, of one backbone, and of all.
type pastTimes struct {
	shapes, backbones map[string]typical
	all               typical
}

// typical are the medians of n runs.
type typical struct {
	n                         int
	step, dev, rest, perToken float64
}

func pastTimesOf(history []measured) pastTimes {
	shapes, backbones := map[string][]measured{}, map[string][]measured{}
	for _, h := range history {
		s, b := shape(h.config), h.config.Model.Backbone
		shapes[s], backbones[b] = append(shapes[s], h), append(backbones[b], h)
	}
	each := func(groups map[string][]measured) map[string]typical {
		out := map[string]typical{}
		for name, of := range groups {
			out[name] = typicalOf(of)
		}
		return out
	}
	return pastTimes{each(shapes), each(backbones), typicalOf(history)}
}

func typicalOf(of []measured) typical {
	return typical{
		n: len(of), step: median(of, func(h measured) float64 { return h.step }), dev: median(of, func(h measured) float64 { return h.dev }),
		rest: median(of, func(h measured) float64 { return h.rest }), perToken: median(of, func(h measured) float64 { return h.step / work(h.config) }),
	}
}

// estimate returns the time of a run's last steps and of its end, and the basis of this time.
func (e pastTimes) estimate(c sweeps.RunConfig, steps int) (seconds float64, basis string) {
	if of, ok := e.shapes[shape(c)]; ok {
		return float64(steps)*of.step + evaluations(c, steps)*of.dev + of.rest, nouns.CountOf(of.n, "finished run of the same shape", "finished runs of the same shape")
	}
	of, basis := e.all, "of other backbones"
	if own, ok := e.backbones[c.Model.Backbone]; ok {
		of, basis = own, "of its backbone"
	}
	// Beside the steps, another shape's evaluations say the most that is known.
	return float64(steps)*of.perToken*work(c) + evaluations(c, steps)*of.dev + of.rest, nouns.CountOf(of.n, "finished run ", "finished runs ") + basis + ", scaled by tokens"
}

func median(of []measured, value func(measured) float64) float64 {
	values := make([]float64, len(of))
	for i, h := range of {
		values[i] = value(h)
	}
	return middle(values)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// stepsDone is the number of steps in the newest checkpoint of a run.
func (m *maker) stepsDone(run Run) int {
	if run.State != Interrupted && run.State != Failed && run.State != Damaged && run.State != Running {
		return 0
	}
	attempts, err := event.Attempts(run.Folder)
	if err != nil || len(attempts) == 0 {
		return 0
	}
	e, err := readEnd(event.Path(run.Folder, attempts[len(attempts)-1]))
	if err != nil || e.checkpoint == nil {
		return 0
	}
	return min(e.checkpoint.Step, run.Config.Train.Steps)
}

// history measures finished runs of the workspace, those of the plan first.
func (m *maker) history(ctx context.Context) []measured {
	var history []measured
	own := map[string]bool{}
	for _, run := range m.plan.Runs {
		if run.Folder == "" {
			continue
		}
		own[filepath.Base(run.Folder)] = true
		if run.State.Finished() {
			config := run.Config
			if made, err := configOf(run.Folder); err == nil { // it may have been measured on other data
				config = made
			}
			history = appendMeasured(history, run.Folder, config)
		}
	}
	entries, err := os.ReadDir(filepath.Join(m.Workspace, "runs"))
	if err != nil {
		return history
	}
	for i, entry := range entries {
		if i >= mostMeasured || ctx.Err() != nil {
			break
		}
		if own[entry.Name()] || !sweeps.ID(entry.Name()).Valid() {
			continue
		}
		folder := filepath.Join(m.Workspace, "runs", entry.Name())
		if config, err := configOf(folder); err == nil {
			history = appendMeasured(history, folder, config)
		}
	}
	return history
}

// configOf reads the configuration of a run.
func configOf(folder string) (sweeps.RunConfig, error) {
	text, err := os.ReadFile(filepath.Join(folder, "config.toml"))
	if err != nil {
		return sweeps.RunConfig{}, err
	}
	return sweeps.ParseRun(text)
}

// appendMeasured adds a run if all its attempts have closed their logs; the time of a
// killed attempt is not known. The times of steps and evaluations are at the end of the log.
func appendMeasured(history []measured, folder string, c sweeps.RunConfig) []measured {
	attempts, err := event.Attempts(folder)
	if err != nil || len(attempts) == 0 {
		return history
	}
	total, steps := 0.0, 0
	var last end
	for _, n := range attempts {
		e, err := readEnd(event.Path(folder, n))
		if err != nil || e.ended == nil {
			return history
		}
		total += e.ended.Seconds
		if e.ended.State == event.StateDone && (steps == 0 || len(e.seconds) > 0) {
			steps, last = e.ended.Step, e
		}
	}
	if steps <= 0 || total <= 0 || work(c) <= 0 {
		return history
	}
	h := measured{config: c, step: total / float64(steps)}
	if len(last.seconds) > 0 {
		h.step = middle(slices.Clone(last.seconds))
		if last.measured != nil {
			h.dev = last.measured.Seconds
		}
		h.rest = max(0, total-float64(steps)*h.step-evaluations(c, steps)*h.dev)
	}
	return append(history, h)
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
