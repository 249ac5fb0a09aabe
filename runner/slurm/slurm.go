// Package slurm speaks to Slurm through its commands: sbatch, squeue, sacct, scontrol,
// scancel and sinfo.
//
// Each command runs in an environment without the user's SQUEUE_*, SBATCH_*, SACCT_* and
// SLURM_* variables, with an explicit format and a limit of time, and what it prints is
// read by pure functions. Text is read, not JSON, which differs between versions and on
// some reports success for failed jobs. An answer that cannot be had is ErrUnreachable:
// it says nothing about any job.
package slurm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Timeout is how long a command may take. Slurm's own patience with a controller that
// is away is 9 to 18 seconds, and a busy one takes as long.
const Timeout = 45 * time.Second

// Client runs Slurm's commands.
type Client struct {
	// Environ is the environment that they start from; what would change their answers is left out.
	Environ []string
	// Timeout of one command; 0 is Timeout.
	Timeout time.Duration
}

// ErrNone is returned where a command of Slurm is not installed.
var ErrNone = errors.New("not in PATH")

// ErrUnreachable is returned when the controller, or the accounting, does not answer:
// nothing is known then.
var ErrUnreachable = errors.New("the cluster does not answer")

// ErrNoAccounting is returned by Accounting where the cluster keeps none.
var ErrNoAccounting = errors.New("the cluster keeps no accounting")

// ErrLimit is returned by Submit when no further job may be submitted for now.
var ErrLimit = errors.New("the cluster takes no more jobs of this user for now")

// Refusal is returned when Slurm answers no.
type Refusal struct {
	Command string // "sbatch"
	Message string // what it said, one line
}

func (r *Refusal) Error() string { return r.Command + ": " + r.Message }

// unreachable are parts of what the commands say while the controller is away or busy.
func unreachable() []string {
	return []string{
		"Unable to contact slurm controller", "Socket timed out", "Connection refused", "Communication connection failure",
		"Zero Bytes were transmitted", "Resource temporarily unavailable", "temporarily unable to", "Transport endpoint",
		"Connection timed out", "Connection reset", "No route to host", "Unable to connect to primary", "Slurm backup controller in standby",
		"slurm_load_jobs error: Unexpected message", "Problem talking to the database", "slurm_persist_conn_open", "DBD_",
	}
}

// limits are parts of what sbatch says when a site's number of jobs is reached.
func limits() []string {
	return []string{"submit limit", "MaxSubmitJob", "MaxSubmitPU", "MaxJobs", "Maximum number of jobs", "job count limit", "exceeds the max"}
}

// run runs one command and returns its standard output.
func (c Client) run(ctx context.Context, extra []string, stdin []byte, name string, args ...string) (string, error) {
	path, err := c.find(name)
	if err != nil {
		return "", err
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = Timeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, ErrUnreachable)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	command.Env = append(clean(c.Environ), extra...)
	command.WaitDelay = time.Second
	if stdin != nil {
		command.Stdin = bytes.NewReader(stdin)
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	if err == nil {
		return stdout.String(), nil
	}
	if ctx.Err() != nil {
		if errors.Is(context.Cause(ctx), ErrUnreachable) {
			return stdout.String(), fmt.Errorf("%w: %s took more than %s", ErrUnreachable, name, timeout)
		}
		return stdout.String(), ctx.Err()
	}
	return stdout.String(), answer(name, stderr.String(), err)
}

// answer makes an error of what a command said on standard error.
func answer(name, stderr string, err error) error {
	message := oneLine(stderr)
	if message == "" {
		message = err.Error()
	}
	has := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case strings.Contains(message, "accounting storage is disabled"):
		return ErrNoAccounting
	case slices.ContainsFunc(unreachable(), has):
		return fmt.Errorf("%w: %s: %s", ErrUnreachable, name, message)
	case slices.ContainsFunc(limits(), has):
		return fmt.Errorf("%w: %s", ErrLimit, message)
	}
	return &Refusal{name, message}
}

// oneLine is what was said, without the commands' prefixes.
func oneLine(stderr string) string {
	var lines []string
	for line := range strings.SplitSeq(stderr, "\n") {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"sbatch: ", "squeue: ", "sacct: ", "scontrol: ", "scancel: ", "sinfo: ", "error: "} {
			line = strings.TrimPrefix(line, prefix)
		}
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// clean leaves out every variable that changes what Slurm's commands do or print, and
// those of a job that this process is part of. Where the configuration lies stays.
func clean(environ []string) []string {
	prefixes := []string{"SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SALLOC_", "SRUN_", "SLURMD_"}
	kept := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		return !strings.HasPrefix(entry, "SLURM_CONF=") && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(entry, p) })
	})
	return append(kept, "LC_ALL=C")
}

// formats make times seconds since 1970, and ranges of tasks whole.
func formats() []string { return []string{"SLURM_TIME_FORMAT=%s", "SLURM_BITSTR_LEN=0"} }

// find looks a command up in the PATH of the client's environment.
func (c Client) find(name string) (string, error) {
	for _, entry := range c.Environ {
		list, is := strings.CutPrefix(entry, "PATH=")
		if !is {
			continue
		}
		for _, folder := range filepath.SplitList(list) {
			path := filepath.Join(folder, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&fs.FileMode(0o111) != 0 {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s is %w", name, ErrNone)
}
