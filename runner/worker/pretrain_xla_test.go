//go:build xla

package worker_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
	"headroom/internal/xlatest"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// xlaRecipe makes this test binary a worker process for a recipe: workspace, id and backend.
const xlaRecipe = "HEADROOM_XLA_TEST_RECIPE"

func TestXLAPretrainingProcess(t *testing.T) {
	parts := strings.Split(os.Getenv(xlaRecipe), "|")
	if len(parts) != 3 {
		t.Skip("this is the process that TestABackboneOnXLA starts and kills")
	}
	job := worker.Job{Workspace: parts[0], Kind: worker.KindPretrain, ID: parts[1], Backend: parts[2], Resolver: source.New(source.Environment{Getenv: func(string) string { return "" }})}
	if err := worker.Run(t.Context(), hurried(job), os.Stdout); err != nil {
		t.Fatal(err)
	}
}

// A backbone is made in bfloat16 on XLA as on the Go backend: once more, interrupted, and
// killed, it is the same file.
func TestABackboneOnXLA(t *testing.T) {
	backend := "xla:" + xlatest.Plugin(t)
	for _, architecture := range []string{"bert", "modernbert"} {
		t.Run(architecture, func(t *testing.T) {
			edit := func(r *sweeps.Recipe) { r.Train.Precision = "bfloat16" }
			b := newBench(t, architecture)
			want := b.pretrainWhole(t, b.recipe(t, architecture, edit), backend)
			if architecture == "bert" {
				interrupted := newBench(t, architecture)
				got := interrupted.pretrainInterrupted(t, interrupted.recipe(t, architecture, edit), backend, 7)
				if got.from < 7 || got.from == recipeSteps {
					t.Errorf("resumed from step %d", got.from)
				}
				if got.from = 0; got != want {
					t.Errorf("interrupted: %+v, want %+v", got, want)
				}
				return
			}
			killed := newBench(t, architecture)
			id := killed.recipe(t, architecture, edit)
			killed.killPretraining(t, id, backend)
			job := killed.job(worker.KindPretrain, id)
			job.Backend = backend
			if err := worker.Run(t.Context(), job, io.Discard); err != nil {
				t.Fatal(err)
			}
			got := killed.made(t, id, 2)
			if got.from == 0 || got.from == recipeSteps {
				t.Errorf("resumed from step %d", got.from)
			}
			if got.from = 0; got != want {
				t.Errorf("killed: %+v, want %+v", got, want)
			}
		})
	}
}

// killPretraining runs a recipe in a process that is killed once it has a checkpoint.
func (b bench) killPretraining(t *testing.T, id, backend string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run", "^TestXLAPretrainingProcess$")
	child.Env = append(os.Environ(), xlaRecipe+"="+b.files.Root+"|"+id+"|"+backend)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }() // it was killed: that is its state
	for range 6000 {
		if found, err := filepath.Glob(filepath.Join(b.files.Backbone(id)+".work", "checkpoints", "step-*")); err == nil && len(found) > 0 {
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
