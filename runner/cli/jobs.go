package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/seal"
	"headroom/metrics/record"
	"headroom/runner/engine"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// The kinds of jobs, as arguments of the worker command.
const (
	kindRun      = "run"
	kindPretrain = "pretrain"
	kindBaseline = "baseline"
	kindEvaluate = "evaluate"
	kindCheck    = "check" // open the backend, compute nothing
)

// prepare writes the inputs of a plan's unfinished rows into the workspace and returns
// their jobs: recipes, baselines, runs, evaluations of finished runs.
func (a *app) prepare(w workspace.Workspace, s sweepRef, p *plan.Plan, m machine, revision string) ([]pool.Job, error) {
	provenance, err := a.provenance(s.spec.Overridden(), s.spec.Name, m, revision)
	if err != nil {
		return nil, err
	}
	return a.writeJobs(w, p, m, &provenance)
}

// writeJobs is prepare with the provenance of the runs; with nil their worker writes it.
func (a *app) writeJobs(w workspace.Workspace, p *plan.Plan, m machine, provenance *record.Provenance) ([]pool.Job, error) {
	var jobs []pool.Job
	after := func(needs sweeps.ID) []string {
		if needs == "" {
			return nil
		}
		return []string{string(needs)}
	}
	needed := neededRecipes(p)
	for _, r := range p.Recipes {
		if !needed[r.ID] {
			continue
		}
		if err := w.WriteRecipe(string(r.ID), r.Recipe, r.Inputs); err != nil {
			return nil, err
		}
		jobs = append(jobs, a.job(w, kindPretrain, string(r.ID), "recipe "+r.Name, computeOf(p, r.ID), m, recipeEffort(r.Recipe)))
	}
	for _, e := range p.Evaluations {
		if e.Name == "" || e.State.Finished() {
			continue
		}
		request := record.Baseline{ID: e.ID, Name: e.Name, Dataset: e.Dataset, Split: e.Split, Backbone: e.Backbone, Inputs: e.Inputs}
		if err := w.WriteBaseline(request, e.Config); err != nil {
			return nil, err
		}
		job := a.job(w, kindBaseline, e.ID, e.Label, e.Config.Compute, m, 0)
		job.After = after(e.Needs)
		jobs = append(jobs, job)
	}
	lack := lackEvaluations(p)
	for _, r := range p.Runs {
		id := string(r.ID)
		kind := kindRun
		switch {
		case !r.State.Finished():
		case lack[r.ID]:
			kind = kindEvaluate
		default:
			continue
		}
		if err := w.WriteRun(id, r.Config, r.Inputs); err != nil {
			return nil, err
		}
		if kind == kindRun && provenance != nil {
			provenance.Backend = r.Config.Compute.Backend
			if err := w.WriteProvenance(id, *provenance); err != nil {
				return nil, err
			}
		}
		label, effort := r.Label, runEffort(r.Config)
		if kind == kindEvaluate {
			label, effort = "evaluate "+label, 0
		}
		job := a.job(w, kind, id, label, r.Config.Compute, m, effort)
		job.After = after(r.Needs)
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// neededRecipes returns the recipes for which an unfinished row waits, or whose backbone is damaged.
func neededRecipes(p *plan.Plan) map[sweeps.ID]bool {
	needed := map[sweeps.ID]bool{}
	for _, r := range p.Recipes {
		if r.State == plan.Damaged {
			needed[r.ID] = true
		}
	}
	for _, r := range p.Runs {
		if !r.State.Finished() && r.Needs != "" {
			needed[r.Needs] = true
		}
	}
	for _, e := range p.Evaluations {
		if e.Name != "" && !e.State.Finished() && e.Needs != "" {
			needed[e.Needs] = true
		}
	}
	return needed
}

// computeOf returns where a recipe is computed: like the first run that needs it.
func computeOf(p *plan.Plan, recipe sweeps.ID) sweeps.ComputeConfig {
	i := slices.IndexFunc(p.Runs, func(r plan.Run) bool { return r.Needs == recipe })
	return p.Runs[max(0, i)].Config.Compute
}

// lackEvaluations are the runs of which some evaluation is not finished.
func lackEvaluations(p *plan.Plan) map[sweeps.ID]bool {
	lack := map[sweeps.ID]bool{}
	for i := range p.Evaluations {
		if e := &p.Evaluations[i]; !e.State.Finished() {
			lack[e.Run] = true
		}
	}
	return lack
}

// job builds one worker's command line.
func (a *app) job(w workspace.Workspace, kind, id, label string, compute sweeps.ComputeConfig, m machine, effort float64) pool.Job {
	folder := filepath.Join(w.Root, "logs")
	switch kind {
	case kindRun, kindEvaluate:
		folder = w.Run(id)
	case kindBaseline:
		folder = w.Baseline(id)
	}
	log := filepath.Join(folder, "worker.log")
	if kind == kindPretrain {
		log = filepath.Join(folder, "recipe-"+id+".log")
	}
	args := []string{
		"worker", "--workspace", w.Root, "--kind", kind, "--id", id,
		"--backend", compute.Backend, "--threads", strconv.Itoa(m.threads), "--parent", strconv.Itoa(os.Getpid()),
	}
	if kind == kindPretrain && compute.Remat { // a run reads this setting from its own file
		args = append(args, "--remat")
	}
	return pool.Job{ID: id, Kind: kind, Label: label, Log: log, Weight: effort, Args: args}
}

// runEffort and recipeEffort are the weights of jobs in the progress bar: thousands of
// tokens through the model.
func runEffort(c sweeps.RunConfig) float64 {
	return float64(c.Train.Steps) * float64(c.Train.Batch) * float64(c.Data.MaxQuery+c.Data.MaxDocument) / 1000
}

func recipeEffort(r sweeps.Recipe) float64 {
	return float64(r.Train.Steps) * float64(r.Train.Batch) * float64(r.Data.MaxLength) / 1000
}

// provenance describes the program and the machine that make runs.
func (a *app) provenance(overrides []string, sweep string, m machine, revision string) (record.Provenance, error) {
	info := readBuildInfo()
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	sum, err := seal.SumFile(a.env.Executable)
	if err != nil {
		return record.Provenance{}, fmt.Errorf("read the program's own file: %w", err)
	}
	return record.Provenance{
		Schema: schema, Overrides: append([]string{}, overrides...), Executable: "sha256:" + sum,
		Commit: info.Commit, Dirty: info.Dirty, Go: info.Go, SIMD: info.SIMD, System: info.System, Modules: info.Modules,
		Devices: append([]string{}, m.gpus...), Driver: gpuDriver(), CPU: cpuModel(), Threads: m.threads, Host: host,
		Sweep: sweep, Revision: revision,
	}, nil
}

// checkBackends lets a worker process open each backend of the plan before anything is
// written, to find a missing plugin, a GPU that cannot be used, or a precision that the
// backend does not have. It uses a process of its own because a GPU's library keeps memory
// as long as its process lives.
func (a *app) checkBackends(ctx context.Context, p *plan.Plan) error {
	return eachBackend(p, func(backend, precision string) error { return a.checkBackend(ctx, backend, precision) })
}

// missingBackends describes the faults that checkBackends finds without opening anything: a
// program without XLA, a missing plugin. They are only notices, since a sweep may be planned
// on one machine and run on another.
func missingBackends(p *plan.Plan) []string {
	var notices []string
	// The check never fails: its findings are notices.
	_ = eachBackend(p, func(backend, _ string) error {
		if err := engine.Check(backend); err != nil {
			text := fmt.Sprintf("compute.backend = %q cannot be had on this machine, where run would refuse it: %v", backend, err)
			if !slices.Contains(notices, text) {
				notices = append(notices, text)
			}
		}
		return nil
	})
	return notices
}

// eachBackend checks every backend of a plan's unfinished rows, with each precision that they
// need.
func eachBackend(p *plan.Plan, check func(backend, precision string) error) error {
	if p.Idle() {
		return nil
	}
	var faults []error
	type need struct{ backend, precision string }
	checked, said := map[need]bool{}, map[string]bool{}
	add := func(what, backend, precision string) {
		if n := (need{backend, precision}); !checked[n] {
			checked[n] = true
			if err := check(backend, precision); err != nil && !said[err.Error()] {
				said[err.Error()] = true
				faults = append(faults, fmt.Errorf("%s%w", what, err))
			}
		}
	}
	lack := lackEvaluations(p)
	for _, run := range p.Runs {
		if !run.State.Finished() || lack[run.ID] {
			add("", run.Config.Compute.Backend, run.Config.Train.Precision)
		}
	}
	needed := neededRecipes(p)
	for _, r := range p.Recipes {
		if needed[r.ID] {
			add("recipe "+r.Name+": ", computeOf(p, r.ID).Backend, r.Recipe.Train.Precision)
		}
	}
	return errors.Join(faults...)
}

func (a *app) checkBackend(ctx context.Context, backend, precision string) error {
	command := exec.CommandContext(ctx, a.env.Executable, "worker", "--kind", kindCheck, "--backend", backend, "--precision", precision)
	command.Env = a.env.Environ
	output, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	text := strings.TrimPrefix(strings.TrimSpace(string(output)), "headroom: ")
	text = cmp.Or(text, err.Error())
	return fmt.Errorf("compute.backend = %q: %s", backend, text)
}
