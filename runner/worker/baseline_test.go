package worker_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/worker"
	"headroom/sweeps"
)

// A run that learns nothing is the untrained model: at a learning rate of 1e-12 both have
// the same figures, in every form.
func TestTheUntrainedModelHasTheFormOfTheRun(t *testing.T) {
	b := newBench(t, "bert")
	digest, err := b.resolver.DigestCollection(b.data, plan.FinalSplit)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{} // rankings with their scores
	for name, change := range map[string]func(*sweeps.RunConfig){
		"max":   func(*sweeps.RunConfig) {},
		"top k": func(c *sweeps.RunConfig) { c.Model.TopK = 5 },
		"top m": func(c *sweeps.RunConfig) { c.Model.TokenTopM = 3 },
		"sum":   func(c *sweeps.RunConfig) { c.Model.Pooling = "sum" },
		"twice": func(c *sweeps.RunConfig) { c.Model.Activation = "log1p_log1p_relu" },
		"short": func(c *sweeps.RunConfig) { c.Data.MaxDocument = 4 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := b.config(func(c *sweeps.RunConfig) {
				c.Train.LR, c.Train.Steps, c.Evaluate.Final, c.Model.Rescale = 1e-12, 2, []string{b.data}, sweeps.Rescale{K: 1}
				change(c)
			})
			in := b.inputs(t, cfg)
			id := b.prepare(t, cfg)
			if err := worker.Run(t.Context(), b.job(worker.KindRun, id), io.Discard); err != nil {
				t.Fatal(err)
			}
			e := plan.UntrainedEvaluation(b.files.Root, cfg, in, b.data, plan.FinalSplit, digest)
			request := record.Baseline{ID: e.ID, Name: e.Name, Dataset: e.Dataset, Split: e.Split, Backbone: e.Backbone, Inputs: e.Inputs}
			if err := b.files.WriteBaseline(request, e.Config); err != nil {
				t.Fatal(err)
			}
			if err := worker.Run(t.Context(), b.job(worker.KindBaseline, e.ID), io.Discard); err != nil {
				t.Fatal(err)
			}
			run, err := record.ReadEvaluation(plan.RunEvaluation(b.files.Root, sweeps.ID(id), cfg, b.data, plan.FinalSplit, digest).Folder)
			if err != nil {
				t.Fatal(err)
			}
			untrained, err := record.ReadEvaluation(filepath.Join(b.files.Root, "baselines", e.ID))
			if err != nil {
				t.Fatal(err)
			}
			for measure, value := range run.Measures {
				if other := untrained.Measures[measure]; other != value {
					t.Errorf("%s: the run has %v, the untrained model %v", measure, value, other)
				}
			}
			if *run.ActiveDocument != *untrained.ActiveDocument || *run.Flops != *untrained.Flops {
				t.Errorf("active dims %v and %v", *run.ActiveDocument, *untrained.ActiveDocument)
			}
			if *untrained.Encoding != *run.Encoding || untrained.Collection != digest || run.Collection != digest || untrained.MeasuresVersion != plan.MeasuresVersion {
				t.Errorf("recorded as %+v and %+v", run, untrained)
			}
			ranking, err := os.ReadFile(filepath.Join(b.files.Root, "baselines", e.ID, record.RunFile))
			if err != nil {
				t.Fatal(err)
			}
			if twin := seen[string(ranking)]; twin != "" {
				t.Errorf("%s has the scores of %s: the form made no difference", name, twin)
			}
			seen[string(ranking)] = name
		})
	}
}
