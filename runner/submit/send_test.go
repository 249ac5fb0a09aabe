package submit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/runner/slurm"
	"headroom/runner/submit"
)

// cluster is a Slurm with prepared answers.
type cluster struct {
	jobs    map[string]string // by name
	options map[string][]string
	// answers of sbatch, in order; none left is success. "made" makes the job and says that
	// there was no answer.
	answers []string
	// away is how many more questions find no controller.
	away    int
	calls   int
	counter int
}

func (c *cluster) Submit(_ context.Context, script string, options ...string) (string, error) {
	c.calls++
	answer := ""
	if len(c.answers) > 0 {
		answer, c.answers = c.answers[0], c.answers[1:]
	}
	switch answer {
	case "away":
		return "", fmt.Errorf("%w: Unable to contact slurm controller", slurm.ErrUnreachable)
	case "limit":
		return "", fmt.Errorf("%w: AssocMaxSubmitJobLimit", slurm.ErrLimit)
	case "no":
		return "", &slurm.Refusal{Command: "sbatch", Message: "Invalid account"}
	}
	c.counter++
	id := fmt.Sprint(100 + c.counter)
	name := script[strings.LastIndexByte(script, '/')+1:]
	c.jobs[strings.TrimSuffix(name, ".sh")] = id
	c.options[id] = options
	if answer == "made" {
		return "", fmt.Errorf("%w: Socket timed out", slurm.ErrUnreachable)
	}
	return id, nil
}

func (c *cluster) Find(_ context.Context, name string, _ time.Time) (string, error) {
	if c.away > 0 {
		c.away--
		return "", slurm.ErrUnreachable
	}
	return c.jobs[name[strings.LastIndexByte(name, '-')+1:]], nil
}

// sender has a clock that only waiting moves.
func sender(c *cluster) (submit.Sender, *time.Duration) {
	c.jobs, c.options = map[string]string{}, map[string][]string{}
	waited := new(time.Duration)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return submit.Sender{
		Cluster: c, Patience: 2 * time.Minute, Notice: func(string) {},
		Now:   func() time.Time { return start.Add(*waited) },
		Sleep: func(_ context.Context, d time.Duration) { *waited += d },
	}, waited
}

// created is a submission of a backbone, two runs that need it, and the report.
func created(t *testing.T) submit.Submission {
	t.Helper()
	o := order("bundle = 1")
	o.Backbones = []submit.Piece{piece("b", 0, "")}
	o.Runs = []submit.Piece{piece("r1", 0, "b"), piece("r2", 0, "b")}
	m := built(t, o)
	workspace := t.TempDir()
	sub, err := submit.Create(submit.Folder(workspace, m.Sweep, m.Submission), m, map[string]string{"runs0": "#!/bin/sh\n"})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// placed lists the jobs as they are on disk.
func placed(t *testing.T, sub submit.Submission) string {
	t.Helper()
	read, err := submit.Open(sub.Folder)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, p := range read.Jobs.Arrays {
		word := p.Job
		if p.Lost {
			word = "lost"
		}
		parts = append(parts, p.Array+"="+word)
	}
	return strings.Join(parts, " ")
}

func TestArraysAreSubmittedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		cluster cluster
		want    string // on disk
		calls   int    // of sbatch
		err     error
	}{
		"all goes well":                                        {cluster{}, "backbones0=101 runs0=102 report0=103", 3, nil},
		"a job is made and its answer is lost":                 {cluster{answers: []string{"", "made"}}, "backbones0=101 runs0=102 report0=103", 3, nil},
		"and then nobody can be asked for a while":             {cluster{answers: []string{"made"}, away: 2}, "backbones0=101 runs0=102 report0=103", 3, nil},
		"the controller was away and comes back":               {cluster{answers: []string{"away", "away", ""}}, "backbones0=101 runs0=102 report0=103", 5, nil},
		"the controller stays away":                            {cluster{answers: slices.Repeat([]string{"away"}, 99), away: 99}, "backbones0=", 1, slurm.ErrUnreachable},
		"the second array is more than the cluster takes":      {cluster{answers: []string{"", "limit"}}, "backbones0=101 runs0=lost", 2, slurm.ErrLimit},
		"the cluster says no, and that is no reason to search": {cluster{answers: []string{"no"}}, "backbones0=lost", 1, new(slurm.Refusal)},
	} {
		t.Run(name, func(t *testing.T) {
			sub := created(t)
			s, _ := sender(&c.cluster)
			err := s.Send(t.Context(), &sub)
			_, refusal := c.err.(*slurm.Refusal)
			if refusal && !errors.As(err, new(*slurm.Refusal)) || !refusal && !errors.Is(err, c.err) {
				t.Errorf("error is %v, want %v", err, c.err)
			}
			if got := placed(t, sub); got != c.want || c.cluster.calls != c.calls {
				t.Errorf("jobs are %q after %d calls of sbatch; want %q after %d", got, c.cluster.calls, c.want, c.calls)
			}
			if err == nil && (fmt.Sprint(c.cluster.options["102"]) != "[--dependency=afterany:101]" || fmt.Sprint(c.cluster.options["103"]) != "[--dependency=afterany:101:102]") {
				t.Errorf("dependencies are %v", c.cluster.options)
			}
		})
	}
}

// TestWhatWasCutOffIsFoundAgain kills a submission between sbatch and noting the id.
func TestWhatWasCutOffIsFoundAgain(t *testing.T) {
	sub := created(t)
	c := &cluster{answers: []string{"", "away"}, away: 99}
	s, _ := sender(c)
	if err := s.Send(t.Context(), &sub); !errors.Is(err, slurm.ErrUnreachable) {
		t.Fatal(err)
	}
	c.away, c.jobs["runs0"] = 0, "555" // it had been made after all
	again, err := submit.Open(sub.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reconcile(t.Context(), &again); err != nil {
		t.Fatal(err)
	}
	if got := placed(t, sub); got != "backbones0=101 runs0=555 report0=lost" {
		t.Errorf("jobs are %q", got)
	}
	if c.calls != 2 {
		t.Errorf("%d calls of sbatch", c.calls)
	}
	c.away = 99
	other := created(t)
	if err := s.Reconcile(t.Context(), &other); err != nil { // nothing of it was ever asked for
		t.Fatal(err)
	}
	if got := placed(t, other); got != "backbones0=lost runs0=lost report0=lost" {
		t.Errorf("jobs are %q", got)
	}
}
