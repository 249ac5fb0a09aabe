package plan

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"headroom/metrics/event"
	"headroom/sweeps"
)

// measured is what a finished run took.
type measured struct {
	backbone string
	seconds  float64
	work     float64
}

// mostMeasured bounds how many runs outside the plan are read for a prediction.
const mostMeasured = 200

// work is what a run's time is taken to grow with: tokens through the model, at
// full length. It is only used as a ratio between runs.
func work(c sweeps.RunConfig) float64 {
	return float64(c.Train.Steps) * float64(c.Train.Batch) * float64(c.Data.MaxQuery+(1+c.Data.Negatives)*c.Data.MaxDocument)
}

// predict fills in the seconds of what is left to do. The seconds of a run are
// its work times the median rate of the finished runs with its backbone, or of
// all finished runs where that backbone has none. Where nothing is finished,
// nothing is predicted; evaluations come with their runs' seconds.
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
		return
	}
	total := 0.0
	for i := range m.plan.Runs {
		run := &m.plan.Runs[i]
		if run.Seconds == nil {
			seconds := rate(history, run.Config.Model.Backbone) * work(run.Config) * m.left(*run)
			run.Seconds = &seconds
			total += seconds
		}
	}
	m.plan.Seconds = &total
}

// rate is the median of seconds per work.
func rate(history []measured, backbone string) float64 {
	var own, all []float64
	for _, h := range history {
		r := h.seconds / h.work
		all = append(all, r)
		if h.backbone == backbone {
			own = append(own, r)
		}
	}
	if len(own) == 0 {
		own = all
	}
	slices.Sort(own)
	return (own[(len(own)-1)/2] + own[len(own)/2]) / 2
}

// left is the share of a begun run that its newest checkpoint leaves to do.
func (m *maker) left(run Run) float64 {
	if run.State != Resume && run.State != Failed && run.State != Running {
		return 1
	}
	attempts, err := event.Attempts(run.Folder)
	if err != nil || len(attempts) == 0 {
		return 1
	}
	e, err := readEnd(event.Path(run.Folder, attempts[len(attempts)-1]))
	if err != nil || e.checkpoint == nil {
		return 1
	}
	return max(0, 1-float64(e.checkpoint.Step)/float64(run.Config.Train.Steps))
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
			history = appendMeasured(history, run.Folder, run.Config)
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
		text, err := os.ReadFile(filepath.Join(folder, "config.toml"))
		if err != nil {
			continue
		}
		if config, err := sweeps.ParseRun(text); err == nil {
			history = appendMeasured(history, folder, config)
		}
	}
	return history
}

// appendMeasured adds a run whose every attempt closed its log; the time of one
// that was killed is not known.
func appendMeasured(history []measured, folder string, c sweeps.RunConfig) []measured {
	attempts, err := event.Attempts(folder)
	if err != nil || len(attempts) == 0 {
		return history
	}
	total := time.Duration(0)
	done := false
	for _, n := range attempts {
		e, err := readEnd(event.Path(folder, n))
		if err != nil || e.ended == nil {
			return history
		}
		total += time.Duration(e.ended.Seconds * float64(time.Second))
		done = done || e.ended.State == event.StateDone
	}
	if !done || total <= 0 || work(c) <= 0 {
		return history
	}
	return append(history, measured{backbone: c.Model.Backbone, seconds: total.Seconds(), work: work(c)})
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
