package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/internal/plain"
	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type runOptions struct {
	only    []string
	slots   int
	offline bool
	// again is true after this command has run the first stage.
	again bool
}

func newRun(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run SWEEP [KEY=VALUE…]",
		Short: "run a sweep here, one process per slot; stop and start at will",
		Long: `Does the unfinished work of a sweep: backbones by recipe, baselines, runs,
evaluations. Finished work is not repeated. A failing run does not stop the others.
Ctrl-C lets each run write a checkpoint; the same command resumes from there.
Overrides are written like TOML values.`,
		Example: `  headroom run demo
  headroom run sweep.toml train.steps=100 'model.rescale=[1,8]' --only 'model.backbone=~bert'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.run(cmd, args[0], args[1:], o)
		},
	}
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "do the runs that match `EXPR`, as in 'model.backbone=~ettin, seed=1'")
	cmd.Flags().BoolVar(&o.offline, "offline", false, "download nothing: fail where something is not here")
	cmd.Flags().IntVar(&o.slots, "slots", 0, "runs at a time (default compute.slots, else one per GPU, else 1)")
	return cmd
}

func (a *app) run(cmd *cobra.Command, sweep string, overrides []string, o runOptions) error {
	ctx := cmd.Context()
	if cmd.Flags().Changed("slots") && o.slots < 1 {
		return usage(cmd, fmt.Errorf("--slots is %d; allowed: 1 or more", o.slots))
	}
	a.offline = a.offline || o.offline
	only, err := parseOnly(o.only)
	if err != nil {
		return err
	}
	p, err := a.planWork(ctx, sweep, overrides, only)
	if err != nil {
		return err
	}
	alerts, err := a.alerts(p.sweep.base)
	if err != nil {
		return err
	}
	m, err := a.machine(p.todo, o.slots)
	if err != nil {
		return err
	}
	if err := a.checkBackends(ctx, p.todo); err != nil {
		return err
	}
	a.warn(p.todo)
	w, manifest, err := a.keepSweep(p)
	if err != nil {
		return err
	}
	show, note := a.renderer()
	tell, err := a.newAlerter(alerts, w, p.sweep.spec.Name, note)
	if err != nil {
		return failedError(err)
	}
	last := o.again || len(only) > 0 || !waits(p.todo)
	runs, err := a.runPlan(ctx, w, p.sweep, p.todo, m, manifest, tell.watch(show))
	interrupted := errors.Is(err, pool.ErrInterrupted)
	if (last || err != nil) && len(runs) > 0 && !interrupted {
		tell.sendOver(runs, err)
	}
	tell.close(interrupted)
	if err != nil || last {
		return failedError(err)
	}
	o.again = true
	a.note("%s: the second stage: the best point of each backbone by dev data, on the collections of evaluate.full", p.sweep.spec.Name)
	return failedError(a.run(cmd, sweep, overrides, o))
}

// waits reports whether a plan's second stage waits for its first.
func waits(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Full, func(f plan.Full) bool { return f.State == plan.FullWaits })
}

// wroteNothing reports whether an error means that no file was begun.
func wroteNothing(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR)
}

// runPlan does the work of a plan, and returns the sweep's runs if there was work.
func (a *app) runPlan(ctx context.Context, w workspace.Workspace, s sweepRef, todo *plan.Plan, m machine, manifest record.Manifest, show pool.Renderer) ([]statusRun, error) {
	jobs, err := a.prepare(w, s, todo, m, manifest.Revision)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		a.note("%s: nothing to do: %s", s.spec.Name, summarize(todo))
		_, err := a.finish(ctx, w, manifest, pool.Result{}, nil)
		return nil, err
	}
	a.note("%s: %s; %s", s.spec.Name, summarizeJobs(jobs), m)
	if !readBuildInfo().SIMD {
		a.note("note: this program was built without GOEXPERIMENT=simd, which makes the Go backend several times slower")
	}
	result, runErr := pool.Run(ctx, jobs, pool.Options{
		Executable: a.env.Executable, Env: a.workerEnvironment(),
		Slots: m.slots, GPUs: m.gpus, Threads: m.threads,
		Render: show, Now: a.env.Now,
	})
	if result.Outcomes == nil && runErr != nil {
		return nil, runErr
	}
	// Finished work is folded and shown even after an interruption.
	return a.finish(context.WithoutCancel(ctx), w, manifest, result, runErr)
}

// workerEnvironment is the environment of workers.
func (a *app) workerEnvironment() []string {
	if !a.offline {
		return a.env.Environ
	}
	return append(slices.Clone(a.env.Environ), "HEADROOM_OFFLINE=1")
}

// summarizeJobs counts the jobs by kind, in the order of the work.
func summarizeJobs(jobs []pool.Job) string {
	var parts []string
	for _, kind := range []struct{ kind, word string }{
		{kindPretrain, "backbone"}, {kindBaseline, "baseline"}, {kindRun, "run"}, {kindEvaluate, "evaluation"},
	} {
		n := 0
		for _, job := range jobs {
			if job.Kind == kind.kind {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, nouns.Count(n, kind.word))
		}
	}
	return strings.Join(parts, ", ") + " to do"
}

// refuseUnresolved returns an error with every missing input that no job will make.
func refuseUnresolved(p *plan.Plan) error {
	var faults []error
	seen := map[string]bool{}
	add := func(what, why string) {
		if !seen[why] {
			seen[why] = true
			faults = append(faults, fmt.Errorf("%s: %s", what, why))
		}
	}
	for _, r := range p.Recipes {
		if r.State == plan.Unresolved {
			add("recipe "+r.Name, r.Why)
		}
	}
	for _, r := range p.Runs {
		if r.State == plan.Unresolved && r.Needs == "" {
			add("run "+r.Label, r.Why)
		}
	}
	for _, e := range p.Evaluations {
		if e.State == plan.Unresolved && e.Needs == "" {
			add("evaluation "+e.Label, e.Why)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("some inputs are not there (--only can leave runs out):\n%w", errors.Join(faults...))
}

// renderer returns the renderer of progress that the flags ask for. note prints a line
// without disturbing it, at any time.
func (a *app) renderer() (show pool.Renderer, note func(text string)) {
	note = func(text string) { a.note("note: %s", text) }
	switch {
	case a.global.json:
		return &pool.JSONLines{Out: a.stdout, Every: time.Second, Now: a.env.Now}, note
	case a.global.quiet:
		return nil, note
	case a.env.Columns(a.stderr) > 0:
		bars := &pool.Bars{Out: a.stderr, Now: a.env.Now}
		return bars, func(text string) { bars.Note(plain.Lines("note: " + text)) }
	default:
		return &pool.Lines{Out: a.stderr, Every: 15 * time.Second, Now: a.env.Now}, note
	}
}

// machine is this machine's share for the workers.
type machine struct {
	slots, threads int
	gpus           []string
}

func (m machine) String() string {
	text := fmt.Sprintf("%s of %s", nouns.Count(m.slots, "slot"), nouns.Count(m.threads, "thread"))
	if len(m.gpus) > 0 {
		text += ", GPUs " + strings.Join(m.gpus, ",")
	}
	return text
}

// machine decides on slots and threads. All runs of a sweep must agree on them,
// since one pool runs them all.
func (a *app) machine(p *plan.Plan, slots int) (machine, error) {
	var m machine
	if len(p.Runs) == 0 {
		return m, nil
	}
	compute := p.Runs[0].Config.Compute
	onlyGo := true
	for _, run := range p.Runs {
		c := run.Config.Compute
		if c.Slots != compute.Slots || c.Threads != compute.Threads {
			return m, sweeps.Faults{{File: p.Sweep, Key: "compute.slots, compute.threads", Message: "they differ between runs of one sweep; set each once"}}
		}
		onlyGo = onlyGo && c.Backend == "go"
	}
	if !onlyGo {
		m.gpus = visibleGPUs(a.env.Environ)
	}
	m.slots = cmp.Or(slots, compute.Slots, len(m.gpus), 1)
	m.threads = cmp.Or(compute.Threads, max(1, runtime.NumCPU()/m.slots))
	return m, nil
}
