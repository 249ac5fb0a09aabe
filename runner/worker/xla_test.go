//go:build xla

package worker_test

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
	"headroom/internal/xlatest"
	"headroom/metrics/event"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// xlaChild makes this test binary a worker process: the workspace and the id of its run.
const xlaChild = "HEADROOM_XLA_TEST_RUN"

func TestXLAWorkerProcess(t *testing.T) {
	root, id, found := strings.Cut(os.Getenv(xlaChild), "|")
	if !found {
		t.Skip("this is the process that TestARunOnXLA starts and kills")
	}
	resolver := source.New(source.Environment{Getenv: func(string) string { return "" }})
	if err := worker.Run(t.Context(), worker.Job{Workspace: root, Kind: worker.KindRun, ID: id, Resolver: resolver}, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

// killed runs a job in a process that is killed once it has a checkpoint.
func killed(t *testing.T, b bench, id string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run", "^TestXLAWorkerProcess$")
	child.Env = append(os.Environ(), xlaChild+"="+b.files.Root+"|"+id)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }() // it was killed: that is its state
	for range 6000 {
		if found, err := filepath.Glob(filepath.Join(b.files.Run(id), "checkpoints", "step-*")); err == nil && len(found) > 0 {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = child.Process.Kill()
	t.Fatal("the worker wrote no checkpoint in two minutes")
}

// A run on XLA is trained, interrupted or killed, resumed, evaluated and exported like one on the
// Go backend, and an interruption leaves no trace in its weights.
func TestARunOnXLA(t *testing.T) {
	plugin := xlatest.Plugin(t)
	for _, c := range []struct {
		architecture, precision string
		micro                   int
		kill                    bool
	}{{"bert", "float32", 4, false}, {"modernbert", "bfloat16", 0, true}} {
		t.Run(c.architecture+" "+c.precision, func(t *testing.T) {
			edit := func(cfg *sweeps.RunConfig) {
				every(3)(cfg)
				cfg.Compute.Backend, cfg.Train.Precision, cfg.Train.MicroBatch = "xla:"+plugin, c.precision, c.micro
				cfg.Compute.Remat = c.micro == 0
				cfg.Data.MaxDocument = 16 // one length, so that each program is compiled once
			}
			whole := newBench(t, c.architecture)
			id := whole.prepare(t, whole.config(edit))
			if err := whole.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			records := whole.events(t, id, 1)
			want, evaluated := last[event.Ended](t, records), last[event.Evaluated](t, records)
			if want.State != event.StateDone || want.Step != 14 {
				t.Fatalf("ended as %+v", want)
			}

			b := newBench(t, c.architecture)
			id = b.prepare(t, b.config(edit))
			if c.kill {
				killed(t, b, id)
			} else {
				ctx, cancel := context.WithCancel(t.Context())
				err := worker.Run(ctx, b.job(worker.KindRun, id), &interrupter{step: 1, cancel: cancel})
				if !errors.Is(err, worker.ErrInterrupted) {
					t.Fatalf("interrupted run ended with %v", err)
				}
			}
			if err := b.run(t, id, io.Discard); err != nil {
				t.Fatal(err)
			}
			resumed := b.events(t, id, 2)
			if from := last[event.Started](t, resumed).FromStep; from == 0 || from >= 14 {
				t.Fatalf("resumed from step %d", from)
			}
			if got := last[event.Ended](t, resumed).Weights; got != want.Weights {
				t.Errorf("weights %s, undisturbed %s", got, want.Weights)
			}
			for name, v := range last[event.Step](t, resumed).Values {
				if !event.DependsOnMachine(name) && v != last[event.Step](t, records).Values[name] {
					t.Errorf("last step's %s is %v, undisturbed %v", name, v, last[event.Step](t, records).Values[name])
				}
			}
			if got := last[event.Evaluated](t, resumed).Measures["nDCG@10"]; got != evaluated.Measures["nDCG@10"] || !(got > 0) {
				t.Errorf("nDCG@10 is %v, undisturbed %v", got, evaluated.Measures["nDCG@10"])
			}
			exportedAlike(t, filepath.Join(b.files.Run(id), "model"), plugin)
		})
	}
}

// A checkpoint is the same on every backend: a run can resume on another one, and its result differs by their
// rounding alone.
func TestXLAGoesOnWhereTheGoBackendStopped(t *testing.T) {
	plugin := xlatest.Plugin(t)
	edit := func(cfg *sweeps.RunConfig) {
		every(3)(cfg)
		none := 0.0 // each backend draws its own random numbers
		cfg.Model.Dropout, cfg.Data.MaxDocument = &none, 16
	}
	whole := newBench(t, "bert")
	id := whole.prepare(t, whole.config(edit))
	if err := whole.run(t, id, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := last[event.Step](t, whole.events(t, id, 1)).Values
	b := newBench(t, "bert")
	id = b.prepare(t, b.config(edit))
	ctx, cancel := context.WithCancel(t.Context())
	if err := worker.Run(ctx, b.job(worker.KindRun, id), &interrupter{step: 1, cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
		t.Fatalf("interrupted run ended with %v", err)
	}
	job := b.job(worker.KindRun, id)
	job.Backend = "xla:" + plugin
	if err := worker.Run(t.Context(), job, io.Discard); err != nil {
		t.Fatal(err)
	}
	got := last[event.Step](t, b.events(t, id, 2)).Values
	for _, name := range []string{"loss", "score/mean", "flops/document"} {
		if x, y := float64(got[name]), float64(want[name]); !(math.Abs(x-y) <= 1e-3*math.Abs(y)) || x == y {
			t.Errorf("last step's %s is %v, on the Go backend all along %v", name, x, y)
		}
	}
}

// exportedAlike checks that an exported folder gives the same logits on both backends.
func exportedAlike(t *testing.T, folder, plugin string) {
	t.Helper()
	ck, err := hf.Load(folder, hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	texts := [][]int32{{2, 9, 17, 3}, {2, 5, 3}, {2, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 3}}
	var pooled [2][]float32
	for i, backend := range []string{"go", "xla:" + plugin} {
		e, err := engine.Open(backend, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		m, err := engine.NewModel(e, ck, ck.Tied)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if pooled[i], err = m.Pool(texts); err != nil {
			t.Fatal(err)
		}
	}
	size := 0.0
	for _, z := range pooled[0] {
		size = math.Max(size, math.Abs(float64(z)))
	}
	for i, z := range pooled[0] {
		if !(math.Abs(float64(z-pooled[1][i])) <= 1e-5*size) {
			t.Fatalf("pooled logit %d is %g on XLA, %g on the Go backend", i, pooled[1][i], z)
		}
	}
}
