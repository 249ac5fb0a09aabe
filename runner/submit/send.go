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

// Cluster lists the functions of Slurm that a submission needs.
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
	// Patience is the time for which a controller that does not answer is asked again.
	Patience time.Duration
	// Notice gets messages for the user.
	Notice func(text string)
}

// settle is the time that a job may need to appear after a call of sbatch that timed out. After
// this time it is searched for again, before another job is submitted.
const settle = 10 * time.Second

// Send submits the arrays of a submission that have no job yet, in their order. An array
// whose submission may have succeeded without an answer is first searched for by its unique
// name. After slurm.ErrLimit or slurm.ErrUnreachable the rest can be sent later.
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
			if err := sub.setPlaced(placed); err != nil {
				return err
			}
		}
		id, err := s.send(ctx, filepath.Join(sub.Folder, a.Name+".sh"), a.JobName, placed.Asked, asked, options)
		if err != nil && !errors.Is(err, slurm.ErrUnreachable) && ctx.Err() == nil {
			placed.Lost = true // Slurm has refused it
			err = errors.Join(err, sub.setPlaced(placed))
		}
		if err != nil {
			return fmt.Errorf("submit %s: %w", a.Name, err)
		}
		placed.Job = id
		if err := sub.setPlaced(placed); err != nil {
			return err
		}
	}
	return nil
}

// options returns the options that are known only when it is submitted: the jobs to wait for.
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

// send submits one script once, with as many calls as necessary.
func (s Sender) send(ctx context.Context, script, name string, since time.Time, asked bool, options []string) (string, error) {
	deadline := s.Now().Add(s.Patience)
	wait := 2 * time.Second
	for said := false; ; {
		if asked {
			id, err := s.find(ctx, name, since)
			if err == nil && id != "" {
				return id, nil
			}
			asked = err != nil // no such job exists, so it may be submitted again
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

// find looks twice before it reports that there is no such job.
func (s Sender) find(ctx context.Context, name string, since time.Time) (string, error) {
	id, err := s.Cluster.Find(ctx, name, since)
	if err != nil || id != "" {
		return id, err
	}
	s.Sleep(ctx, settle)
	return s.Cluster.Find(ctx, name, since)
}

// Reconcile finds the jobs of an earlier submission that was cut off between calling sbatch
// and noting the id. An array without a job is marked as lost; its work is submitted again.
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
		if err := sub.setPlaced(placed); err != nil {
			return err
		}
	}
	return nil
}
