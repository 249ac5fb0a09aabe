// Package slurm talks to Slurm through its commands: sbatch, squeue, sacct, scontrol,
// scancel and sinfo.
//
// Each command runs in an environment without the user's SQUEUE_*, SBATCH_*, SACCT_* and
// SLURM_* variables, with an explicit format and a time limit. Pure functions read its
// output. They read text and not JSON, which differs between versions and in some reports
// success for failed jobs. If Slurm does not answer, the error is ErrUnreachable, which
// says nothing about any job.
package slurm

import (
	"bytes"
	"cmp"
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

// Timeout is the time that a command may take. Slurm itself waits 9 to 18 seconds for a
// controller that does not answer, and a busy controller takes as long.
const Timeout = 45 * time.Second

// Client runs Slurm's commands.
type Client struct {
	// Environ is the environment for them; variables that would change their answers are left out.
	Environ []string
	// Timeout of one command; 0 is Timeout.
	Timeout time.Duration
}

// ErrNone is returned if a command of Slurm is not installed.
var ErrNone = errors.New("not in PATH")

// ErrUnreachable is returned when the controller, or the accounting, does not answer. Then
// nothing is known.
var ErrUnreachable = errors.New("the cluster does not answer")

// ErrNoAccounting is returned by Accounting if the cluster keeps no accounting.
var ErrNoAccounting = errors.New("the cluster keeps no accounting")

// ErrLimit is returned by Submit when no more jobs may be submitted at present.
var ErrLimit = errors.New("the cluster takes no more jobs of this user for now")

// Refusal is returned when Slurm refuses a request.
type Refusal struct {
	Command string // "sbatch"
	Message string // its message, one line
}

func (r *Refusal) Error() string { return r.Command + ": " + r.Message }

// unreachable returns parts of the commands' messages while the controller does not answer or is busy.
func unreachable() []string {
	return []string{
		"Unable to contact slurm controller", "Socket timed out", "Connection refused", "Communication connection failure",
		"Zero Bytes were transmitted", "Resource temporarily unavailable", "temporarily unable to", "Transport endpoint",
		"Connection timed out", "Connection reset", "No route to host", "Unable to connect to primary", "Slurm backup controller in standby",
		"slurm_load_jobs error: Unexpected message", "Problem talking to the database", "slurm_persist_conn_open", "DBD_",
	}
}

// limits returns parts of sbatch's messages when a site's limit of jobs is reached.
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
	timeout = cmp.Or(timeout, Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, ErrUnreachable)
	defer cancel()
	command := exec.CommandContext(ctx, path, args...)
	command.Env = append(withoutSlurm(c.Environ), extra...)
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
	return stdout.String(), answerError(name, stderr.String(), err)
}

// answerError makes an error of a command's standard error.
func answerError(name, stderr string, err error) error {
	message := oneLine(stderr)
	message = cmp.Or(message, err.Error())
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

// oneLine returns a message as one line, without the commands' prefixes.
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

// withoutSlurm removes every variable that changes the behaviour or the output of Slurm's
// commands, and those of a job around this process. It keeps the path of the configuration.
func withoutSlurm(environ []string) []string {
	prefixes := []string{"SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SALLOC_", "SRUN_", "SLURMD_"}
	kept := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		return !strings.HasPrefix(entry, "SLURM_CONF=") && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(entry, p) })
	})
	return append(kept, "LC_ALL=C")
}

// formats returns variables that make Slurm print times as seconds since 1970, and ranges of tasks in full.
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
