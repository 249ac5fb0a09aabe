package slurmtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/internal/sample"
	"headroom/internal/slurmtest"
)

// gate is "short", "long" or, if no test of this package is to run, "".
var gate = os.Getenv("HEADROOM_SLURM")

// program is what HEADROOM_SLURM_PROGRAM names, else built once for all tests.
var program = os.Getenv("HEADROOM_SLURM_PROGRAM")

func TestMain(m *testing.M) {
	if gate == "" || len(slurmtest.MissingPrograms()) > 0 {
		os.Exit(m.Run())
	}
	os.Exit(sample.RunTests(m, &program))
}

// lab starts a cluster, or skips the test and says why.
func lab(t *testing.T, form string, o slurmtest.Options) *slurmtest.Lab {
	t.Helper()
	if missing := slurmtest.MissingPrograms(); gate == "" {
		t.Skip("HEADROOM_SLURM is not set: make test-slurm runs the tests on a real Slurm")
	} else if len(missing) > 0 {
		t.Skipf("%s is not installed", strings.Join(missing, ", "))
	}
	if form == "long" && gate != "long" {
		t.Skip("of the long form: make test-slurm-long")
	}
	l, err := slurmtest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Stop)
	return l
}

// place is a folder with a sweep and a workspace, on a cluster or without one.
type place struct {
	t   *testing.T
	dir string
	lab *slurmtest.Lab
}

// sweepOf is the sample with k × seeds runs of the given number of steps.
func sweepOf(k, seeds string, steps int) string {
	return strings.NewReplacer("steps = 6", fmt.Sprintf("steps = %d", steps), "[1, 4]", k, "[1, 2]", seeds, `baselines = ["bm25", "untrained"]`, `baselines = ["bm25"]`).
		Replace(sample.Sweep) + fmt.Sprintf("[checkpoint]\nevery = %d\n", max(1, steps/20))
}

// longRun are steps that take about 15 seconds here: long enough to be disturbed, and no longer.
func longRun(t *testing.T) int {
	t.Helper()
	p := newPlace(t, nil, sweepOf("[1]", "[1]", 100))
	p.ok("run", "small.toml", "--quiet")
	seconds := decode[struct{ Rows []struct{ Seconds float64 } }](t, p.ok("query", "SELECT seconds FROM runs", "--json")).Rows[0].Seconds
	return int(max(100, min(30_000, 15/max(1e-6, seconds/100))))
}

const site = "[slurm]\ncpus = 1\ntime = \"50\"\nlead = 10\nbundle = 1\n"

func newPlace(t *testing.T, l *slurmtest.Lab, sweep string) *place {
	t.Helper()
	p := &place{t, t.TempDir(), l}
	path, err := sample.Write(p.dir)
	if err == nil {
		err = os.WriteFile(path, []byte(sweep), 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "headroom.toml"), []byte(site), 0o644)
	}
	if err == nil {
		err = writeStages(p.dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// writeStages adds what a sweep of two stages needs: dev queries, and a further collection on the same documents but for one.
func writeStages(dir string) error {
	corpus, err := os.ReadFile(filepath.Join(dir, "data", "corpus.jsonl"))
	if err != nil {
		return err
	}
	queries, err := os.ReadFile(filepath.Join(dir, "data", "queries.jsonl"))
	if err != nil {
		return err
	}
	_, fewer, _ := bytes.Cut(corpus, []byte("\n"))
	const header = "query-id\tcorpus-id\tscore\n"
	for name, text := range map[string]string{
		"data/qrels/dev.tsv": header + "q9\td9\t1\nq10\td10\t1\nq11\td11\t1\n",
		"more/corpus.jsonl":  string(fewer), "more/queries.jsonl": string(queries), "more/qrels/test.tsv": header + "q13\td13\t1\nq15\td15\t1\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// command is the program in the place.
func (p *place) command(args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = p.dir
	c.Env = os.Environ()
	if p.lab != nil {
		c.Env = p.lab.Env()
	}
	c.Env = append(c.Env, "HEADROOM_WORKSPACE="+filepath.Join(p.dir, "ws"), "HEADROOM_CACHE="+filepath.Join(p.dir, "cache"), "CUDA_VISIBLE_DEVICES=-1")
	return c
}

type result struct {
	code           int
	stdout, stderr string
}

func (p *place) run(args ...string) result {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	c := p.command(args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); c.ProcessState == nil {
		p.t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (p *place) ok(args ...string) string {
	p.t.Helper()
	r := p.run(args...)
	if r.code != 0 {
		p.t.Fatalf("headroom %s: exit code %d\n%s%s\n%s", strings.Join(args, " "), r.code, r.stdout, r.stderr, p.logs())
	}
	return r.stdout
}

// logs are what the tasks printed.
func (p *place) logs() string {
	var all strings.Builder
	paths, _ := filepath.Glob(filepath.Join(p.dir, "ws", "slurm", "*", "*", "logs", "*"))
	for _, path := range paths {
		text, _ := os.ReadFile(path)
		fmt.Fprintf(&all, "== %s\n%s", filepath.Base(path), text)
	}
	return all.String()
}

type clusterRun struct {
	Submission, Job, State, Why, Node string
	Restarts                          int
}

type statusRun struct {
	ID, Label, State string
	Step, Steps      int
	Cluster          *clusterRun
}

type statusDocument struct {
	Runs    []statusRun
	Cluster struct {
		Used, Wasted float64
		Silent       string
		Others       []struct{ Label, State, Why string }
	}
}

func (p *place) status() statusDocument {
	p.t.Helper()
	return decode[statusDocument](p.t, p.ok("status", "small", "--json"))
}

type submitDocument struct {
	Submission string
	Jobs       []struct {
		Kind, Job string
		Tasks     int
	}
	Runs    []string
	Skipped []struct{ ID, Why string }
}

func (p *place) submit(args ...string) submitDocument {
	p.t.Helper()
	return decode[submitDocument](p.t, p.ok(append([]string{"submit", "small.toml", "--json"}, args...)...))
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

// until polls until something is so.
func (p *place) until(what string, patience time.Duration, is func() bool) {
	p.t.Helper()
	// A machine that does other work besides may take ten times as long.
	for end := time.Now().Add(10 * patience); !is(); time.Sleep(300 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("after %v it is not so that %s\n%s\n%s", patience, what, p.run("status", "small").stdout, p.logs())
		}
	}
}

// counts are the runs by state.
func (p *place) counts() map[string]int {
	counts := map[string]int{}
	for _, r := range p.status().Runs {
		counts[r.State]++
	}
	return counts
}

// byState are the runs in a state.
func (p *place) byState(state string) []statusRun {
	return slices.DeleteFunc(p.status().Runs, func(r statusRun) bool { return r.State != state })
}

// settle waits until nothing of the sweep is in the queue.
func (p *place) settle(patience time.Duration) {
	p.t.Helper()
	p.until("nothing is in the queue", patience, func() bool { return !p.lives(p.status()) })
}

// lives reports whether something of the sweep is in the queue.
func (p *place) lives(d statusDocument) bool {
	lives := func(state string) bool { return state == "waiting" || state == "running" || state == "unknown" }
	return slices.ContainsFunc(d.Runs, func(r statusRun) bool { return r.Cluster != nil && lives(r.Cluster.State) }) ||
		slices.ContainsFunc(d.Cluster.Others, func(o struct{ Label, State, Why string }) bool { return lives(o.State) })
}

// slurm runs one of Slurm's commands.
func (p *place) slurm(args ...string) string {
	p.t.Helper()
	out, err := p.lab.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		p.t.Logf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

var checksum = regexp.MustCompile(`,"crc":"[0-9a-f]{8}"`)

// results are the digests of weights, rankings and figures, and all points of all series.
func (p *place) results() string {
	p.t.Helper()
	var lines []string
	for _, pattern := range []string{"runs/*/model/model.safetensors", "runs/*/evaluations/*/per_query.tsv", "backbones/*/model.safetensors", "baselines/*/per_query.tsv"} {
		paths, err := filepath.Glob(filepath.Join(p.dir, "ws", filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			p.t.Fatalf("no %s: %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				p.t.Fatal(err)
			}
			name, _ := filepath.Rel(filepath.Join(p.dir, "ws"), path)
			lines = append(lines, fmt.Sprintf("%s %x", name, sha256.Sum256(checksum.ReplaceAll(text, nil))))
		}
	}
	points := p.ok("query", "SELECT run, name, step, value FROM series WHERE name NOT LIKE '%second%' AND name <> 'memory' AND name NOT LIKE 'time%' ORDER BY run, name, step", "--csv")
	lines = append(lines, fmt.Sprintf("points %d %x", strings.Count(points, "\n"), sha256.Sum256([]byte(points))))
	return strings.Join(lines, "\n")
}

// same compares the place's results with those of an undisturbed sweep on this machine.
func (p *place) same(sweep string) {
	p.t.Helper()
	local := newPlace(p.t, nil, sweep)
	local.ok("run", "small.toml", "--quiet")
	want, got := local.results(), p.results()
	if want != got {
		p.t.Errorf("results differ; on Slurm\n%s\nlocal\n%s\n%s", got, want, p.logs())
		return
	}
	p.t.Logf("%d results as those of a local sweep", strings.Count(want, "\n")+1)
}

// onlyOnce checks that each run was brought to its end by one attempt, and that no task
// that was given up has an end of its own that counts.
func (p *place) onlyOnce() {
	p.t.Helper()
	for _, r := range p.status().Runs {
		logs, _ := filepath.Glob(filepath.Join(p.dir, "ws", "runs", r.ID, "attempts", "*", "events.jsonl"))
		done := 0
		for _, path := range logs {
			text, err := os.ReadFile(path)
			if err != nil {
				p.t.Fatal(err)
			}
			if bytes.Contains(text, []byte(`"state":"done"`)) {
				done++
			}
		}
		if done != 1 {
			p.t.Errorf("%s was brought to its end by %d attempts", r.Label, done)
		}
	}
}
