package worker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/runner/worker"
	"headroom/sweeps"
)

const recipeSteps = 24

// recipe writes a pretraining recipe over the bench's own texts into the workspace.
func (b bench) recipe(t *testing.T, architecture string, edit func(*sweeps.Recipe)) string {
	t.Helper()
	r := sweeps.RecipeDefaults()
	r.Name, r.Tokenizer, r.Data.Text, r.Data.MaxLength = "bench", filepath.Join(b.backbone, "tokenizer.json"), sweeps.References{b.data}, 24
	r.Model.Architecture, r.Model.Hidden, r.Model.Layers, r.Model.Heads, r.Model.Intermediate = architecture, 16, 2, 2, 24
	r.Model.Positions, r.Model.LocalAttention, r.Model.Dropout = 32, 16, .1
	r.Mask.Share, r.Train.Steps, r.Train.Batch, r.Train.LR = .3, recipeSteps, 8, 5e-3
	if edit != nil {
		edit(&r)
	}
	in := b.recipeInputs(t, r)
	id := string(sweeps.RecipeID(r, in))
	if err := b.files.WriteRecipe(id, r, in); err != nil {
		t.Fatal(err)
	}
	return id
}

// recipeInputs are the digests of what a recipe without a start reads, as a plan takes them.
func (b bench) recipeInputs(t *testing.T, r sweeps.Recipe) (in sweeps.Inputs) {
	t.Helper()
	var err error
	if in.Tokenizer, err = b.resolver.DigestFile(r.Tokenizer); err != nil {
		t.Fatal(err)
	}
	if in.Data, err = b.resolver.DigestCorpus(r.Data.Text[0]); err != nil {
		t.Fatal(err)
	}
	return in
}

// hurried is a job whose clock advances by 40 seconds at each reading: a checkpoint is due every few steps.
func hurried(job worker.Job) worker.Job {
	now := time.Unix(0, 0)
	job.Now = func() time.Time { now = now.Add(40 * time.Second); return now }
	return job
}

// made is what a recipe's work left: the digest of its weights, that of the backbone's own
// file, the last loss and the step that the attempt began from.
type made struct {
	weights, file string
	loss          event.Value
	from          int
}

func (b bench) made(t *testing.T, id string, attempt int) made {
	t.Helper()
	records, err := event.Read(event.Path(b.files.Backbone(id)+".work", attempt))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(b.files.Backbone(id), "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	ended, step := last[event.Ended](t, records), last[event.Step](t, records)
	if ended.State != event.StateDone || step.Step != recipeSteps-1 {
		t.Fatalf("ended as %+v at step %d", ended, step.Step)
	}
	return made{ended.Weights, hex.EncodeToString(sum[:]), step.Values["loss"], last[event.Started](t, records).FromStep}
}

// pretrainWhole makes a backbone without a disturbance.
func (b bench) pretrainWhole(t *testing.T, id, backend string) made {
	t.Helper()
	job := b.job(worker.KindPretrain, id)
	job.Backend = backend
	if err := worker.Run(t.Context(), job, io.Discard); err != nil {
		t.Fatal(err)
	}
	return b.made(t, id, 1)
}

// pretrainInterrupted makes a backbone whose worker is stopped at a step and started again.
func (b bench) pretrainInterrupted(t *testing.T, id, backend string, step int) made {
	t.Helper()
	job := hurried(b.job(worker.KindPretrain, id))
	job.Backend = backend
	ctx, cancel := context.WithCancel(t.Context())
	if err := worker.Run(ctx, job, &interrupter{phase: "pretrain", step: step, cancel: cancel}); !errors.Is(err, worker.ErrInterrupted) {
		t.Fatalf("the interrupted worker ended with %v", err)
	}
	if err := worker.Run(t.Context(), job, io.Discard); err != nil {
		t.Fatal(err)
	}
	return b.made(t, id, 2)
}

// A recipe's backbone is the same file whether it was made at once, twice, or with an
// interruption; another seed's is another.
func TestABackboneIsMadeTheSameAgainAndAfterAnInterruption(t *testing.T) {
	for _, architecture := range []string{"bert", "modernbert"} {
		t.Run(architecture, func(t *testing.T) {
			b := newBench(t, architecture)
			want := b.pretrainWhole(t, b.recipe(t, architecture, nil), "go")
			twice := newBench(t, architecture)
			if got := twice.pretrainWhole(t, twice.recipe(t, architecture, nil), "go"); got != want {
				t.Errorf("made twice: %+v, want %+v", got, want)
			}
			resumed := newBench(t, architecture)
			got := resumed.pretrainInterrupted(t, resumed.recipe(t, architecture, nil), "go", 7)
			if got.from < 7 || got.from == recipeSteps {
				t.Errorf("resumed from step %d", got.from)
			}
			if got.from = 0; got != want {
				t.Errorf("resumed: %+v, want %+v", got, want)
			}
			other := b.pretrainWhole(t, b.recipe(t, architecture, func(r *sweeps.Recipe) { r.Seed = 2 }), "go")
			if other.weights == want.weights {
				t.Error("another seed gives the same weights")
			}
		})
	}
}

func TestABackboneInBFloat16IsNotMadeInFloat32(t *testing.T) {
	b := newBench(t, "bert")
	id := b.recipe(t, "bert", func(r *sweeps.Recipe) { r.Train.Precision = "bfloat16" })
	job := b.job(worker.KindPretrain, id)
	job.Backend = "go"
	if err := worker.Run(t.Context(), job, io.Discard); err == nil || !strings.Contains(err.Error(), `precision "bfloat16" needs XLA`) {
		t.Errorf("on the Go backend: %v", err)
	}
}
