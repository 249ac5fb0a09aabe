package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"headroom/runner/engine"
	"headroom/runner/lease"
	"headroom/runner/pool"
	"headroom/runner/worker"
	"headroom/runner/workspace"
)

type workerOptions struct {
	kind, id, backend string
	precision         string // of check
	threads, parent   int
	remat             bool // of pretrain
	succession        string
	turn              int
}

// newWorker is the command that the pool starts, one process per job. It prints the
// pool's messages on standard output.
func newWorker(a *app) *cobra.Command {
	var o workerOptions
	cmd := &cobra.Command{
		Use:    "worker --kind KIND --id ID",
		Short:  "one job of a workspace, in this process",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.worker(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.kind, "kind", "", "run, pretrain, baseline, evaluate, or check to open the backend only")
	f.StringVar(&o.id, "id", "", "of the run, recipe or evaluation")
	f.StringVar(&o.backend, "backend", "auto", "auto, go, xla or xla:/path")
	f.StringVar(&o.precision, "precision", "float32", "with check: what the backend must be able to train in")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 is all cores")
	f.BoolVar(&o.remat, "remat", false, "with pretrain: compute layers again in the backward pass")
	f.StringVar(&o.succession, "succession", "", "what a scheduler starts again and again; a later turn takes the lease from an earlier one")
	f.IntVar(&o.turn, "turn", 0, "of the succession")
	f.IntVar(&o.parent, "parent", 0, "process whose death ends this one; 0 is none")
	return cmd
}

func (a *app) worker(cmd *cobra.Command, o workerOptions) error {
	kinds := []string{kindRun, kindPretrain, kindBaseline, kindEvaluate, kindCheck}
	var faults []error
	if !slices.Contains(kinds, o.kind) {
		faults = append(faults, fmt.Errorf("--kind is %q; allowed: %s", o.kind, strings.Join(kinds, ", ")))
	}
	if o.id == "" && o.kind != kindCheck {
		faults = append(faults, errors.New("--id is missing"))
	}
	if err := usage(cmd, faults...); err != nil {
		return err
	}
	if o.kind == kindCheck {
		backend, err := engine.Open(o.backend, o.threads)
		if err != nil {
			return err
		}
		defer backend.Close()
		_, err = backend.ComputeType(o.precision)
		return err
	}
	w, err := workspace.Open(a.workspaceRoot())
	if err != nil {
		return err
	}
	resolver, err := a.resolver("")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	if o.parent > 0 {
		go pool.WatchParent(ctx, o.parent, time.Second, cancel)
	}
	// When the parent dies, nobody reads standard output any more. A write must not
	// kill the worker in the middle of a step: it stops at a checkpoint.
	signal.Ignore(syscall.SIGPIPE)
	out := &parentPipe{to: a.stdout, gone: cancel}
	job := worker.Job{Workspace: w.Root, Kind: o.kind, ID: o.id, Resolver: resolver, Backend: o.backend, Threads: o.threads, Remat: o.remat, Now: a.env.Now,
		Lease: lease.Options{Sighting: &lease.Sighting{}, Succession: o.succession, Turn: o.turn}}
	return failedError(workWhenFree(ctx, out, func() error { return worker.Run(ctx, job, out) }))
}

// parentPipe is a worker's pipe to its parent. When nobody reads any more, it reports
// that once and discards all output.
type parentPipe struct {
	to   io.Writer
	gone func()
}

func (p *parentPipe) Write(b []byte) (int, error) {
	if n, err := p.to.Write(b); !errors.Is(err, syscall.EPIPE) {
		return n, err
	}
	p.gone()
	return len(b), nil
}

// leasePoll is the interval at which a worker checks whether a job of another live
// process is free.
const leasePoll = time.Second

// workWhenFree runs work. While another live process holds its lease, it waits and
// reports that. If the other process finishes the work, work finds it finished.
func workWhenFree(ctx context.Context, out io.Writer, work func() error) error {
	for {
		err := work()
		var held lease.ErrHeld
		if !errors.As(err, &held) {
			if ctx.Err() != nil && err != nil {
				return fmt.Errorf("%w: %w", context.Canceled, err)
			}
			return err
		}
		waiting := pool.Message{Type: pool.TypeWaiting, Message: held.Holder()}
		if err := waiting.Write(out); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leasePoll):
		}
	}
}
