package slurm

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Submit submits a script and returns the job's id. After ErrUnreachable the job may exist
// nevertheless; Find looks for it.
func (c Client) Submit(ctx context.Context, script string, options ...string) (string, error) {
	out, err := c.run(ctx, nil, nil, "sbatch", append(append([]string{"--parsable"}, options...), script)...)
	if err != nil {
		return "", err
	}
	return ParseSubmitted(out)
}

// Test lets Slurm check the text of a script without submitting it. A *Refusal names the fault.
func (c Client) Test(ctx context.Context, text string) error {
	_, err := c.run(ctx, nil, []byte(text), "sbatch", "--test-only")
	return err
}

// Find looks for a job by its unique name, in the queue and in the accounting since a time.
// It returns "" if neither knows it, and an error if the queue does not answer.
func (c Client) Find(ctx context.Context, name string, since time.Time) (string, error) {
	out, err := c.run(ctx, nil, nil, "squeue", "-h", "-t", "all", "--name="+name, "-o", "%F")
	if err != nil {
		return "", err
	}
	if id := firstID(out); id != "" {
		return id, nil
	}
	// A job that ended quickly may be in the accounting alone, which may be late.
	out, err = c.run(ctx, nil, nil, "sacct", "-n", "-X", "-P", "--name="+name, "-S", since.Add(-time.Hour).Format("2006-01-02T15:04:05"), "-o", "JobID")
	var refused *Refusal
	if errors.Is(err, ErrNoAccounting) || errors.Is(err, ErrNone) || errors.Is(err, ErrUnreachable) || errors.As(err, &refused) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return firstID(out), nil
}

// firstID is the array's id in the first row that has one.
func firstID(out string) string {
	for line := range strings.SplitSeq(out, "\n") {
		if id, _, _ := strings.Cut(strings.TrimSpace(line), "_"); isDigits(id) {
			return id
		}
	}
	return ""
}

// Cancel cancels jobs or tasks of arrays. Slurm also accepts the cancellation of jobs that have
// ended, so after nil ask the queue for the result.
func (c Client) Cancel(ctx context.Context, tasks ...string) error {
	if len(tasks) == 0 {
		return nil
	}
	_, err := c.run(ctx, nil, nil, "scancel", tasks...)
	var refused *Refusal
	if errors.As(err, &refused) && strings.Contains(refused.Message, "Invalid job id") {
		return nil
	}
	return err
}

// Requeue makes a running task begin again later.
func (c Client) Requeue(ctx context.Context, task Task) error {
	_, err := c.run(ctx, nil, nil, "scontrol", "requeue", task.String())
	return err
}

// Site holds settings of a cluster.
type Site struct {
	// MaxArraySize is one more than the largest index of an array.
	MaxArraySize int
	Partitions   []Partition
}

// Partition is a partition of the cluster.
type Partition struct {
	Name    string
	Default bool
	// Limit is the longest time of a job; 0 if there is none.
	Limit time.Duration
}

// DefaultArraySize is Slurm's own MaxArraySize.
const DefaultArraySize = 1001

// Site asks for the settings.
func (c Client) Site(ctx context.Context) (Site, error) {
	config, err := c.run(ctx, nil, nil, "scontrol", "show", "config")
	if err != nil {
		return Site{}, err
	}
	partitions, err := c.run(ctx, nil, nil, "sinfo", "-h", "-o", "%P|%l")
	if err != nil {
		return Site{}, err
	}
	return ParseSite(config, partitions), nil
}

// ParseSite reads the output of scontrol show config and sinfo -o '%P|%l'.
func ParseSite(config, partitions string) Site {
	site := Site{MaxArraySize: DefaultArraySize}
	for line := range strings.SplitSeq(config, "\n") {
		key, value, _ := strings.Cut(line, "=")
		if n, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && n > 0 && strings.TrimSpace(key) == "MaxArraySize" {
			site.MaxArraySize = n
		}
	}
	for line := range strings.SplitSeq(partitions, "\n") {
		name, limit, ok := strings.Cut(strings.TrimSpace(line), "|")
		if !ok {
			continue
		}
		p := Partition{Limit: parseLimit(limit)}
		p.Name, p.Default = strings.CutSuffix(name, "*")
		site.Partitions = append(site.Partitions, p)
	}
	return site
}

// parseLimit reads D-HH:MM:SS, HH:MM:SS or MM:SS; "infinite" and any other text give 0.
func parseLimit(text string) time.Duration {
	days, clock, hasDays := strings.Cut(text, "-")
	if !hasDays {
		days, clock = "0", text
	}
	d, err := strconv.Atoi(days)
	if err != nil {
		return 0
	}
	limit := time.Duration(0)
	for part := range strings.SplitSeq(clock, ":") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0
		}
		limit = limit*60 + time.Duration(n)*time.Second
	}
	return limit + time.Duration(d)*24*time.Hour
}
