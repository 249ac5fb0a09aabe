package cli_test

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/runner/workspace"
)

var (
	largeRuns   = flag.Int("runs", 100, "runs of the large workspace that is measured")
	largeSteps  = flag.Int("steps", 1000, "steps of each of its runs")
	largePoints = flag.Int("points", 10_000, "points of the large sweep that is planned")
	largeFolder = flag.String("folder", "", "keep the large workspace in `FOLDER`, and use the one that is there")
)

// usedSeconds is this process's processor time, user and system.
func usedSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// timed runs a command and says what it took: seconds that passed, and of processors.
func (p *place) timed(b *testing.B, name string, args ...string) (seconds float64) {
	b.Helper()
	used, start := usedSeconds(b), time.Now()
	p.ok(args...)
	seconds = time.Since(start).Seconds()
	b.ReportMetric(seconds, name+"-s")
	b.ReportMetric(usedSeconds(b)-used, name+"-cpu-s")
	return seconds
}

func BenchmarkPlan(b *testing.B) {
	p := newPlace(b)
	sweep := p.sample()
	seeds := make([]string, (*largePoints+99)/100)
	for i := range seeds {
		seeds[i] = fmt.Sprint(i + 1)
	}
	rates := make([]string, 50)
	for i := range rates {
		rates[i] = fmt.Sprintf("%de-6", i+1)
	}
	for b.Loop() {
		p.timed(b, "plan", "plan", sweep, "seed=["+strings.Join(seeds, ",")+"]", "train.lr=["+strings.Join(rates, ",")+"]")
	}
}

// BenchmarkLargeWorkspace folds and reads a workspace of generated runs with 20 series.
func BenchmarkLargeWorkspace(b *testing.B) {
	p := newPlace(b)
	if *largeFolder != "" {
		p.dir = *largeFolder
	}
	sweep := filepath.Join(p.dir, "small.toml")
	if _, err := os.Stat(sweep); err != nil {
		if err := os.MkdirAll(p.dir, 0o777); err != nil {
			b.Fatal(err)
		}
		sweep = p.sample()
		p.fill(b, sweep)
	}
	database := filepath.Join(p.dir, "ws", "headroom.db")
	for b.Loop() {
		for _, end := range []string{"", "-wal", "-shm"} {
			os.Remove(database + end)
		}
		points := float64(*largeRuns * *largeSteps * len(largeSeries()))
		fold := p.timed(b, "fold", "query", "SELECT 1")
		b.ReportMetric(points/fold/1e6, "Mpoints/s")
		info, err := os.Stat(database)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/points, "B/point")
		p.timed(b, "first-status", "status", "small")
		p.timed(b, "status", "status", "small")
		p.timed(b, "report", "report", "small", "-o", filepath.Join(p.dir, "report"))
		p.timed(b, "runs", "query", "SELECT label, state, verdict, step FROM runs ORDER BY label")
		p.timed(b, "first", "query", "SELECT label, s.step, s.value FROM series s JOIN runs USING (run) WHERE s.name = 'loss' AND s.step < 5 ORDER BY label, s.step")
		p.timed(b, "last", "query", "SELECT label, value FROM runs JOIN series USING (run, step) WHERE name = 'loss' ORDER BY label")
	}
}

func largeSeries() []string {
	return []string{"loss", "loss/contrastive", "loss/reg_query", "loss/reg_document", "flops/query", "flops/document", "lr", "lambda/query", "lambda/document", "grad_norm",
		"active/query", "active/document", "seconds", "accuracy", "score/mean", "score/sd", "cosine/query", "cosine/document", "empty/query", "empty/document"}
}

// fill makes the runs: the first by the command, the others beside it.
func (p *place) fill(b *testing.B, sweep string) {
	var seeds []string
	for i := range (*largeRuns + 1) / 2 {
		seeds = append(seeds, fmt.Sprint(i+1))
	}
	text, err := os.ReadFile(sweep)
	if err != nil {
		b.Fatal(err)
	}
	p.write("small.toml", strings.NewReplacer(`"seed" = [1, 2]`, `"seed" = [`+strings.Join(seeds, ", ")+"]", "steps = 6", fmt.Sprintf("steps = %d", *largeSteps)).Replace(string(text)))
	p.ok("run", sweep, "--only", "seed=1", "--only", "model.rescale=1")
	type planned struct{ Runs []struct{ ID, State string } }
	w, err := workspace.Open(filepath.Join(p.dir, "ws"))
	if err != nil {
		b.Fatal(err)
	}
	// What evaluations ask for is where the place's commands look, too.
	for _, name := range []string{"HEADROOM_CACHE", "HEADROOM_DATA"} {
		b.Setenv(name, p.environment()[name])
	}
	runs := decode[planned](b, p.ok("plan", sweep, "--json")).Runs
	// The files of a run are written before its worker starts, which is not there.
	p.extra = append(p.extra, "FAKE_FAIL=")
	first := ""
	for _, run := range runs {
		if run.State == "done" {
			first = run.ID
		}
	}
	_, inputs, err := w.ReadRun(first)
	if err != nil {
		b.Fatal(err)
	}
	base, _, err := w.ReadRun(first)
	if err != nil {
		b.Fatal(err)
	}
	provenance, err := w.ReadProvenance(first)
	if err != nil {
		b.Fatal(err)
	}
	seed := rand.New(rand.NewPCG(1, 2))
	for i, run := range runs {
		config := base
		config.Seed, config.Model.Rescale.K = int64(i%len(seeds)+1), []float64{1, 4}[i/len(seeds)]
		if run.ID != first {
			if err := errors.Join(w.WriteRun(run.ID, config, inputs), w.WriteProvenance(run.ID, provenance)); err != nil {
				b.Fatal(err)
			}
		} else if err := os.RemoveAll(filepath.Join(w.Run(first), "attempts")); err != nil {
			b.Fatal(err)
		}
		if err := fillRun(w, run.ID, seed); err != nil {
			b.Fatal(err)
		}
	}
}

// fillRun writes the log of a run, as a worker does.
func fillRun(w workspace.Workspace, id string, random *rand.Rand) error {
	log, err := event.Create(w.Run(id))
	if err != nil {
		return err
	}
	if err := log.Append(event.Started{Run: id, Attempt: log.Attempt(), Host: "here", PID: os.Getpid(), Steps: *largeSteps, Facts: event.Facts{Batch: 4, Candidates: 4, Vocab: 10, Loss: "infonce"}}); err != nil {
		return err
	}
	names := largeSeries()
	values := map[string]event.Value{}
	for step := range *largeSteps {
		for i, name := range names {
			values[name] = event.Value(float32(math.Exp(-float64(step)/1000)*float64(i+1) + 0.1*random.Float64()))
		}
		if err := log.Append(event.Step{Step: step, Values: values}); err != nil {
			return err
		}
	}
	if err := log.Append(event.Judged{Verdict: "healthy"}); err != nil {
		return err
	}
	if err := fakeModel(filepath.Join(w.Run(id), "model")); err != nil {
		return err
	}
	if err := fakeEvaluations(w, id, log); err != nil {
		return err
	}
	if err := log.Append(event.Ended{State: event.StateDone, Step: *largeSteps, Seconds: 1.5, Weights: "sha256:aa"}); err != nil {
		return err
	}
	return log.Close()
}
