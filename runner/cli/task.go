package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"headroom/runner/lease"
	"headroom/runner/pool"
	"headroom/runner/slurm"
	"headroom/runner/submit"
	"headroom/runner/task"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

type taskOptions struct {
	submission, array string
}

// newTask is the command in the scripts of submit, for a node of the cluster.
func newTask(a *app) *cobra.Command {
	var o taskOptions
	cmd := &cobra.Command{
		Use:    "task --submission SWEEP/SUBMISSION --array ARRAY",
		Short:  "one task of a job array, on the node that Slurm gave it",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return a.task(cmd, o) },
	}
	cmd.Flags().StringVar(&o.submission, "submission", "", "sweep and submission, as below slurm/ of the workspace")
	cmd.Flags().StringVar(&o.array, "array", "", "name of the array in the submission's manifest")
	return cmd
}

func (a *app) task(cmd *cobra.Command, o taskOptions) error {
	// Slurm's signals are handled here from the first moment on. The first signal ends the
	// command's own context, which must not end the task's work.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGUSR2)
	ctx := context.WithoutCancel(cmd.Context())

	var faults []error
	if o.submission == "" {
		faults = append(faults, errors.New("--submission is missing"))
	}
	if o.array == "" {
		faults = append(faults, errors.New("--array is missing"))
	}
	number := func(name string, otherwise int) int {
		text := a.env.Getenv(name)
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			if text != "" || otherwise < 0 {
				faults = append(faults, fmt.Errorf("%s is %q; this command is started by Slurm, in a job array that `headroom submit` made", name, text))
			}
			return otherwise
		}
		return n
	}
	index := number("SLURM_ARRAY_TASK_ID", -1)
	restart := number("SLURM_RESTART_COUNT", 0) // not set the first time
	if err := usage(cmd, faults...); err != nil {
		return err
	}
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	sub, err := submit.Open(filepath.Join(submit.Root(w.Root), filepath.FromSlash(o.submission)))
	if err != nil {
		return err
	}
	job := slurm.Task{Array: a.env.Getenv("SLURM_ARRAY_JOB_ID"), Index: index}
	tell := a.taskAlerter(w, sub.Manifest)
	client := a.slurm()
	t := nodeTask{app: a, workspace: w, submission: sub, turn: int(sub.Manifest.Created.Unix())*1000 + restart, threads: a.taskThreads()}
	record, err := task.Run(ctx, task.Options{
		Submission: sub, Array: o.array, Index: index, Job: job, Restart: restart, Node: a.node(), GPUs: a.taskGPUs(),
		EndTime: func(ctx context.Context) (time.Time, error) { return client.EndTime(ctx, job) },
		Requeue: func(ctx context.Context) error { return client.Requeue(ctx, job) },
		Needs:   t.missingFor, Command: t.command, Render: tell.watch,
		Executable: a.env.Executable, Environ: a.env.Environ, Signals: signals, Log: a.stdout, Now: a.env.Now,
		Patience: lease.Timeout + time.Minute, Poll: 5 * time.Second,
	})
	if array, ok := sub.Manifest.Array(o.array); err == nil && ok && array.Kind == submit.Report && record.State != submit.Interrupted {
		a.sendSubmissionOver(ctx, w, sub.Manifest.Sweep, tell)
	}
	tell.close(record.State != submit.Done && record.State != submit.Failed)
	if err != nil {
		return failedError(err)
	}
	switch task.ExitCode(record.State) {
	case exitDone:
		return nil
	case exitInterrupted:
		return pool.ErrInterrupted
	}
	return failedError(fmt.Errorf("task %s is not done: %s", job, record.Why))
}

// taskAlerter returns the alerter of a task. A fault of its settings is printed and does not stop
// the task; submit has reported it before.
func (a *app) taskAlerter(w workspace.Workspace, m submit.Manifest) *alerter {
	note := func(text string) { fmt.Fprintln(a.stdout, "headroom: "+text) }
	base := ""
	if _, _, manifest, err := w.Sweep(m.Sweep); err == nil {
		base = manifest.Base
	}
	settings, err := a.alerts(base)
	if err == nil {
		var tell *alerter
		if tell, err = a.newAlerter(settings, w, m.Sweep, note); err == nil {
			return tell
		}
	}
	note("no alerts are sent from here:  " + err.Error())
	return nil
}

// tellSubmissionOver sends the alert that a sweep is over, after its report, the submission's
// last task.
func (a *app) sendSubmissionOver(ctx context.Context, w workspace.Workspace, sweep string, tell *alerter) {
	if tell == nil {
		return
	}
	d, err := a.readStatus(ctx, w, []string{sweep}, members{}, false, nil)
	if err != nil {
		fmt.Fprintf(a.stdout, "headroom: no alert says that %s is over: %v\n", sweep, err)
		return
	}
	tell.sendOver(d.Runs, nil)
}

// node is Slurm's name of this machine.
func (a *app) node() string {
	if name := a.env.Getenv("SLURMD_NODENAME"); name != "" {
		return name
	}
	host, err := os.Hostname()
	if err != nil {
		return "a node without a name"
	}
	return host
}

// taskThreads is the number of CPUs that Slurm gave the task; 0 if it does not say.
func (a *app) taskThreads() int {
	for _, name := range []string{"SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"} {
		if n, err := strconv.Atoi(a.env.Getenv(name)); err == nil && n > 0 {
			return n
		}
	}
	return 0
}

// taskGPUs counts the GPUs that Slurm gave the task.
func (a *app) taskGPUs() int {
	if n, err := strconv.Atoi(a.env.Getenv("SLURM_GPUS_ON_NODE")); err == nil && n > 0 {
		return n
	}
	for _, name := range []string{"SLURM_JOB_GPUS", "SLURM_STEP_GPUS"} {
		if list := a.env.Getenv(name); list != "" {
			return strings.Count(list, ",") + 1
		}
	}
	return 0
}

// nodeTask holds what a task needs of the program.
type nodeTask struct {
	*app
	workspace     workspace.Workspace
	submission    submit.Submission
	turn, threads int
}

// missingFor names what a job lacks, and writes the provenance of its run.
func (t nodeTask) missingFor(job submit.Job) (string, error) {
	if job.Needs != "" {
		if _, err := os.Stat(t.workspace.Backbone(job.Needs)); err != nil {
			return fmt.Sprintf("its backbone is not made: the task of recipe %s was not done", job.Needs[:min(8, len(job.Needs))]), nil
		}
	}
	if job.Kind != kindRun {
		return "", nil
	}
	m := t.submission.Manifest
	devices := machine{slots: 1, threads: cmp.Or(job.Threads, t.threads), gpus: visibleGPUs(t.env.Environ)}
	if job.Backend == "go" {
		devices.gpus = nil
	}
	p, err := t.provenance(m.Overrides, m.Sweep, devices, m.Revision)
	if err != nil {
		return "", err
	}
	p.Backend = job.Backend
	return "", t.workspace.WriteProvenance(job.ID, p)
}

// command returns the process for a job.
func (t nodeTask) command(job submit.Job) pool.Job {
	if job.Kind == submit.Report {
		to := filepath.Join(t.submission.Folder, "report")
		return pool.Job{ID: job.ID, Kind: job.Kind, Label: job.Label, Args: []string{"report", t.submission.Manifest.Sweep, "--workspace", t.workspace.Root, "-o", to}}
	}
	threads := machine{threads: cmp.Or(job.Threads, t.threads)}
	p := t.job(t.workspace, job.Kind, job.ID, job.Label, sweeps.ComputeConfig{Backend: job.Backend, Remat: job.Remat}, threads, 0)
	p.Args = append(p.Args, "--succession", "slurm", "--turn", strconv.Itoa(t.turn))
	return p
}
