package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/metrics/record"
	"headroom/runner/lease"
	"headroom/runner/slurm"
	"headroom/runner/submit"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type submitOptions struct {
	only   []string
	dryRun bool
	wait   bool
	every  time.Duration
}

func newSubmit(a *app) *cobra.Command {
	var o submitOptions
	cmd := &cobra.Command{
		Use:   "submit SWEEP [KEY=VALUE…]",
		Short: "run a sweep on a Slurm cluster; repeat it to submit what is missing",
		Long: `Submits the unfinished work of a sweep as job arrays: backbones by recipe, runs,
evaluations, and at the end a report. Work that is finished or in the queue is left
out, so that the same command continues the sweep after any trouble. [slurm] in the
sweep's file or in headroom.toml has the cluster's settings; slurm.KEY=VALUE overrides
one for this command. "headroom help slurm" is the guide.`,
		Example: `  headroom submit demo --dry-run
  headroom submit sweep.toml slurm.partition=gpu slurm.gres=gpu:1 --only 'seed=1'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.submit(cmd, args[0], args[1:], o)
		},
	}
	cmd.Flags().StringArrayVar(&o.only, "only", nil, "submit the runs that match `EXPR`, as in 'model.backbone=~ettin, seed=1'")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "print the scripts and arrays; write and submit nothing")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "wait until everything that was submitted is over")
	cmd.Flags().DurationVar(&o.every, "every", 30*time.Second, "interval of --wait")
	return cmd
}

// slurm is the client of this invocation.
func (a *app) slurm() slurm.Client { return slurm.Client{Environ: a.env.Environ} }

func (a *app) submit(cmd *cobra.Command, sweep string, args []string, o submitOptions) error {
	ctx := cmd.Context()
	if o.every < time.Second {
		return usage(cmd, fmt.Errorf("--every is %v; allowed: 1s or more", o.every))
	}
	only, err := parseOnly(o.only)
	if err != nil {
		return err
	}
	var own, overrides []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "slurm.") {
			own = append(own, arg)
		} else {
			overrides = append(overrides, arg)
		}
	}
	said, err := sweeps.SlurmOverrides(own)
	if err != nil {
		return err
	}
	if _, err := a.openSweep(sweep, overrides); err != nil {
		return err
	}
	site, err := a.site(ctx, o.dryRun)
	if err != nil {
		return err
	}
	var p planned
	if o.dryRun {
		p, err = a.planWithInputs(ctx, sweep, overrides, only)
	} else {
		p, err = a.planWork(ctx, sweep, overrides, only)
	}
	if err != nil {
		return err
	}
	if _, err := a.alerts(p.sweep.base); err != nil { // tasks would report the fault where nobody looks
		return err
	}
	settings := said.Or(p.sweep.spec.Slurm).Or(sweeps.SlurmDefaults())
	if err := knownPartition(site, settings); err != nil {
		return err
	}
	root, err := filepath.Abs(a.workspaceRoot())
	if err != nil {
		return err
	}
	if err := submit.CheckPath(root); err != nil {
		return err
	}
	if !o.dryRun {
		a.warn(p.todo)
	}
	work := &submission{app: a, planned: p, settings: settings, site: site, root: root,
		again: func() (planned, error) { return a.planWithInputs(ctx, sweep, overrides, only) }}
	if o.dryRun {
		return work.dryRun(ctx)
	}
	return work.run(ctx, o)
}

// site asks the cluster for its settings. A dry run works without them.
func (a *app) site(ctx context.Context, dryRun bool) (slurm.Site, error) {
	site, err := a.slurm().Site(ctx)
	switch {
	case err == nil:
		return site, nil
	case dryRun && ctx.Err() == nil:
		a.note("note: this machine cannot ask Slurm (%v): arrays are taken to have at most %d tasks, and partitions are not checked", err, slurm.DefaultArraySize)
		return slurm.Site{MaxArraySize: slurm.DefaultArraySize}, nil
	case errors.Is(err, slurm.ErrNone):
		return site, fmt.Errorf("submit: %w: give the command on a machine from which jobs are submitted, such as the cluster's login node; `headroom run` runs a sweep on this one, and --dry-run shows what would be submitted", err)
	}
	return site, fmt.Errorf("submit: %w; nothing was submitted", err)
}

func knownPartition(site slurm.Site, s sweeps.Slurm) error {
	var names []string
	for _, p := range site.Partitions {
		names = append(names, p.Name)
	}
	for name := range strings.SplitSeq(s.Partition, ",") {
		if name != "" && len(names) > 0 && !slices.Contains(names, name) {
			return fmt.Errorf("slurm.partition = %q: the cluster has no such partition; it has: %s", s.Partition, strings.Join(names, ", "))
		}
	}
	return nil
}

// submission is one invocation of submit.
type submission struct {
	*app
	planned
	settings sweeps.Slurm
	site     slurm.Site
	root     string
	// again plans once more, after some time has passed.
	again   func() (planned, error)
	skipped []skippedWork
}

// skippedWork is work of a sweep that this submission leaves out.
type skippedWork struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// order returns the work to submit. live is the work in the queue.
func (s *submission) order(live map[string]submit.Standing) (submit.Order, error) {
	digest := strings.ToLower(rand.Text()[:4])
	executable, err := filepath.Abs(s.env.Executable)
	if err != nil {
		return submit.Order{}, fmt.Errorf("find the program: %w", err)
	}
	if real, err := filepath.EvalSymlinks(executable); err == nil {
		executable = real
	}
	now := s.env.Now()
	environment, err := s.environment()
	if err != nil {
		return submit.Order{}, err
	}
	o := submit.Order{Settings: s.settings, Site: s.site, Manifest: submit.Manifest{
		Submission: now.UTC().Format("20060102-150405-") + digest, Sweep: s.sweep.spec.Name,
		Overrides: s.sweep.spec.Overridden(), Created: now.UTC(), Program: executable,
		Requeue: s.settings.Requeue, Signal: s.settings.Signal, Lead: s.settings.Lead, Environment: environment,
	}}
	s.pieces(&o, live)
	return o, nil
}

// environment returns the variables for tasks: the absolute paths of data and caches, and the
// offline switch, since a compute node downloads nothing.
func (s *submission) environment() ([]string, error) {
	resolver, err := s.resolver(s.sweep.base)
	if err != nil {
		return nil, err
	}
	cache, err := filepath.Abs(resolver.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("find the cache: %w", err)
	}
	list := []string{"HEADROOM_CACHE=" + cache, "HEADROOM_OFFLINE=1", "HF_HUB_OFFLINE=1"}
	if table := s.env.Getenv("HEADROOM_COLLECTIONS"); table != "" {
		if table, err = filepath.Abs(table); err != nil {
			return nil, fmt.Errorf("find HEADROOM_COLLECTIONS: %w", err)
		}
		list = append(list, "HEADROOM_COLLECTIONS="+table)
	}
	if resolver.DataRoot != "" {
		list = append(list, "HEADROOM_DATA="+resolver.DataRoot)
	}
	if resolver.HubCache != "" {
		hub, err := filepath.Abs(resolver.HubCache)
		if err != nil {
			return nil, fmt.Errorf("find the hub's cache: %w", err)
		}
		list = append(list, "HF_HUB_CACHE="+hub)
	}
	slices.Sort(list)
	return list, nil
}

// run submits the sweep, or prints a dry run.
func (s *submission) run(ctx context.Context, o submitOptions) error {
	if err := s.test(ctx); err != nil {
		return err
	}
	w, manifest, err := s.keepSweep(s.planned)
	if err != nil {
		return err
	}
	return failedError(s.send(ctx, w, manifest, o))
}

// send builds the submission and submits it. Only one process at a time does so for a sweep.
func (s *submission) send(ctx context.Context, w workspace.Workspace, manifest record.Manifest, o submitOptions) error {
	folder := filepath.Join(submit.Root(w.Root), s.sweep.spec.Name)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	held, err := s.lock(ctx, folder)
	if err != nil {
		return err
	}
	sub, err := s.sendLocked(ctx, w, manifest)
	if err = errors.Join(err, held.Release()); sub == nil {
		return err
	}
	if shown := s.show(*sub); err == nil {
		err = shown
	}
	if err != nil || !o.wait {
		return err
	}
	return s.wait(ctx, w, *sub, o.every)
}

// lockWait is the time that a submit waits for another one of the same sweep.
const lockWait = 10 * time.Minute

// lock takes the lease of a sweep's submissions. Of two submits at the same time the second
// waits, and then finds the work of the first in the queue.
func (s *submission) lock(ctx context.Context, folder string) (*lease.Lease, error) {
	var sighting lease.Sighting
	for said, end := false, s.env.Now().Add(lockWait); ; said = true {
		held, err := lease.Acquire(folder, lease.Options{Sighting: &sighting})
		var other lease.ErrHeld
		if err == nil && said {
			s.planned, err = s.again()
		}
		if err == nil || !errors.As(err, &other) {
			return held, err
		}
		if s.env.Now().After(end) {
			return nil, fmt.Errorf("submit: another submit of this sweep has not ended in %s: %s", lockWait, other.Who())
		}
		if !said {
			s.note("note: another submit of this sweep works (%s): waiting for its end", other.Who())
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
