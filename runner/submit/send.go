package submit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"headroom/runner/slurm"
)

// Cluster is what of Slurm a submission needs.
type Cluster interface {
	Submit(ctx context.Context, script string, options ...string) (string, error)
	Find(ctx context.Context, name string, since time.Time) (string, error)
}

// Sender submits arrays.
type Sender struct {
	Cluster Cluster
	Now     func() time.Time
	// Sleep waits between two tries; it returns early when the context ends.
	Sleep func(ctx context.Context, d time.Duration)
	// Patience is how long a controller that does not answer is asked again.
	Patience time.Duration
	// Notice says what a person should know meanwhile.
	Notice func(text string)
}

// settle is how long a job may take to be seen after a call of sbatch that timed out: it
// is searched for again after this time before another is made.
const settle = 10 * time.Second

// Send submits the arrays of a submission that have no job yet, in their order. An array
// whose submission may have succeeded unseen is searched for by its unique name first.
// Its error is slurm.ErrLimit, or slurm.ErrUnreachable, where the rest can be sent later.
func (s Sender) Send(ctx context.Context, sub *Submission) error {
	for _, a := range sub.Manifest.Arrays {
		placed, asked := sub.Placed(a.Name)
		if asked && (placed.Job != "" || placed.Lost) {
			continue
		}
		options, err := sub.options(a)
		if err != nil {
			return err
		}
		if !asked {
			placed = Placed{Array: a.Name, Asked: s.Now()}
			if err := sub.place(placed); err != nil {
				return err
			}
		}
		id, err := s.send(ctx, filepath.Join(sub.Folder, a.Name+".sh"), a.JobName, placed.Asked, asked, options)
		if err != nil && !errors.Is(err, slurm.ErrUnreachable) && ctx.Err() == nil {
			placed.Lost = true // Slurm has said no
			err = errors.Join(err, sub.place(placed))
		}
		if err != nil {
			return fmt.Errorf("submit %s: %w", a.Name, err)
		}
		placed.Job = id
		if err := sub.place(placed); err != nil {
			return err
		}
	}
	return nil
}

// options are those that only come with the submission: the jobs to wait for.
func (sub Submission) options(a Array) ([]string, error) {
	ids := append([]string{}, a.AfterJobs...)
	for _, name := range a.After {
		p, _ := sub.Placed(name)
		switch {
		case p.Lost:
		case p.Job == "":
			return nil, fmt.Errorf("submit %s: %s, which it waits for, has no job", a.Name, name)
		default:
			ids = append(ids, p.Job)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return []string{"--dependency=afterany:" + strings.Join(ids, ":")}, nil
}

// send submits one script once, however often that takes.
func (s Sender) send(ctx context.Context, script, name string, since time.Time, asked bool, options []string) (string, error) {
	deadline := s.Now().Add(s.Patience)
	wait := 2 * time.Second
	for said := false; ; {
		if asked {
			id, err := s.find(ctx, name, since)
			if err == nil && id != "" {
				return id, nil
			}
			asked = err != nil // nobody knows it: it may be asked for again
			if err != nil && !errors.Is(err, slurm.ErrUnreachable) {
				return "", err
			}
		} else {
			id, err := s.Cluster.Submit(ctx, script, options...)
			if err == nil {
				return id, nil
			}
			if !errors.Is(err, slurm.ErrUnreachable) {
				return "", err
			}
			asked = true
			if !said {
				s.Notice(fmt.Sprintf("%v; looking for the job %s before it is submitted again", err, name))
				said = true
			}
		}
		if !asked {
			continue
		}
		if s.Now().After(deadline) {
			return "", fmt.Errorf("%w for %s; the same command again looks for the job %s first", slurm.ErrUnreachable, s.Patience, name)
		}
		s.Sleep(ctx, wait)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// find looks twice before it says that there is no such job.
func (s Sender) find(ctx context.Context, name string, since time.Time) (string, error) {
	id, err := s.Cluster.Find(ctx, name, since)
	if err != nil || id != "" {
		return id, err
	}
	s.Sleep(ctx, settle)
	return s.Cluster.Find(ctx, name, since)
}

// Reconcile finds the jobs of an earlier submission that was cut off between asking for
// an array and noting its id. An array that nobody knows is marked as lost: its work is
// submitted anew.
func (s Sender) Reconcile(ctx context.Context, sub *Submission) error {
	for _, a := range sub.Manifest.Arrays {
		placed, asked := sub.Placed(a.Name)
		if asked && (placed.Job != "" || placed.Lost) {
			continue
		}
		if !asked {
			placed = Placed{Array: a.Name, Asked: s.Now(), Lost: true}
		} else {
			id, err := s.find(ctx, a.JobName, placed.Asked)
			if err != nil {
				return fmt.Errorf("look for %s of submission %s: %w", a.Name, sub.Manifest.Submission, err)
			}
			placed.Job, placed.Lost = id, id == ""
		}
		if err := sub.place(placed); err != nil {
			return err
		}
	}
	return nil
}
