package experiments_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"headroom/experiments"
	"headroom/sweeps"
)

// golden is what each embedded sweep must expand to: runs, and how many
// backbones, factors and seeds they cross.
func golden() map[string][4]int {
	return map[string][4]int{
		"demo":          {36, 2, 3, 3},
		"scifact-small": {8, 1, 2, 2},
		"medquad-small": {8, 1, 2, 2},
		"medquad-k":     {30, 2, 5, 3},
		"rescale":       {54, 3, 6, 3},
		"rescale-mini":  {27, 2, 3, 3},
		"controls":      {72, 1, 3, 3},
		"calibration":   {1080, 6, 7, 3},
		"ramp":          {108, 2, 3, 3},
	}
}

func TestEverySweepExpandsToItsGoldenCounts(t *testing.T) {
	var counted []string
	for name, want := range golden() {
		counted = append(counted, name)
		t.Run(name, func(t *testing.T) {
			runs := expand(t, name)
			backbones, factors, seeds := map[string]bool{}, map[string]bool{}, map[int64]bool{}
			ids := map[sweeps.ID]bool{}
			for _, run := range runs {
				backbones[run.Model.Backbone] = true
				factors[run.Model.Rescale.String()] = true
				seeds[run.Seed] = true
				ids[sweeps.RunID(run, sweeps.Inputs{Weights: run.Model.Backbone})] = true
			}
			if got := [4]int{len(runs), len(backbones), len(factors), len(seeds)}; got != want {
				t.Errorf("expands to runs, backbones, factors, seeds = %v, want %v", got, want)
			}
			if len(ids) != len(runs) {
				t.Errorf("%d runs share %d ids", len(runs), len(ids))
			}
		})
	}
	slices.Sort(counted)
	if embedded := experiments.Sweeps(); !slices.Equal(embedded, counted) {
		t.Errorf("embedded sweeps %v, counted here %v", embedded, counted)
	}
}

func TestEveryRecipeIsSoundAndNamedAsItsFile(t *testing.T) {
	want := []string{"calibration-bert-deep", "calibration-bert-plain", "calibration-bert-wide-init", "calibration-modernbert-fast", "calibration-modernbert-plain", "calibration-modernbert-wide-init",
		"demo-bert", "demo-modernbert", "medquad-bert-mini", "medquad-ettin-17m", "medquad-minilm", "mini-minilm", "mini-splade-tiny"}
	if got := experiments.Recipes(); !slices.Equal(got, want) {
		t.Errorf("embedded recipes %v, want %v", got, want)
	}
	for _, name := range experiments.Recipes() {
		file, text, err := experiments.Recipe(name)
		if err != nil {
			t.Fatal(err)
		}
		recipe, err := sweeps.ParseRecipe(file, text)
		if err != nil {
			t.Errorf("recipe %s:\n%v", name, err)
			continue
		}
		if recipe.Name != name {
			t.Errorf("%s calls itself %q", file, recipe.Name)
		}
	}
}

func TestEveryRecipeThatASweepNamesIsEmbedded(t *testing.T) {
	for _, name := range experiments.Sweeps() {
		for _, run := range expand(t, name) {
			recipe, ok := strings.CutPrefix(run.Model.Backbone, "recipe:")
			if !ok {
				continue
			}
			if _, _, err := experiments.Recipe(recipe); err != nil {
				t.Errorf("sweep %s: %v", name, err)
			}
		}
	}
}

func TestTheDemoIsThePrototypesRecipe(t *testing.T) {
	runs := map[float64]int{}
	for _, run := range expand(t, "demo") {
		got := fmt.Sprintln(run.Train.Batch, run.Train.Steps, run.Train.LR, run.Train.Clip, run.Train.WeightDecay,
			*run.Regularizer.RampSteps, run.Regularizer.RampKind,
			run.Model.Target, run.Model.Tie, run.Compute.Backend, run.Compute.Slots, run.Compute.Threads)
		if want := "32 150 0.002 1 0 50 quadratic decoder untie go 2 1\n"; got != want {
			t.Fatalf("demo settings %swant %s", got, want)
		}
		if run.Regularizer.LambdaQuery != run.Regularizer.LambdaDocument {
			t.Errorf("λ of queries %g, of documents %g", run.Regularizer.LambdaQuery, run.Regularizer.LambdaDocument)
		}
		runs[run.Regularizer.LambdaDocument]++
	}
	if want := map[float64]int{0.01: 18, 0.1: 18}; !maps.Equal(runs, want) {
		t.Errorf("runs by λ %v, want %v", runs, want)
	}
}

func TestAnUnknownNameSaysWhatThereIs(t *testing.T) {
	for _, name := range []string{"dmeo", "../go", "backbones/demo-bert", ""} {
		_, _, err := experiments.Sweep(name)
		if !errors.Is(err, experiments.ErrUnknown) || !strings.Contains(err.Error(), "demo, medquad-k, medquad-small") {
			t.Errorf("Sweep(%q): %v", name, err)
		}
	}
}

func expand(t *testing.T, name string) []sweeps.RunConfig {
	t.Helper()
	file, text, err := experiments.Sweep(name)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := sweeps.Parse(file, text)
	if err != nil {
		t.Fatalf("sweep %s:\n%v", name, err)
	}
	if spec.Name != name {
		t.Errorf("%s calls itself %q", file, spec.Name)
	}
	runs, err := spec.Expand()
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// TestSweepsThatNeedFilesExpand: they are not embedded, because they train on files that a user makes first.
func TestSweepsThatNeedFilesExpand(t *testing.T) {
	for path, want := range map[string]int{"loss/medquad-loss.toml": 16} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := sweeps.Parse(path, text)
		if err != nil {
			t.Fatal(err)
		}
		if runs, err := spec.Expand(); err != nil || len(runs) != want {
			t.Errorf("%s expands to %d runs, %v; want %d", path, len(runs), err, want)
		}
	}
}

// TestEmbeddedSweepsNameNoClaims: they have no folder for a file of claims, and are judged by the paper's.
func TestEmbeddedSweepsNameNoClaims(t *testing.T) {
	for _, name := range experiments.Sweeps() {
		file, text, err := experiments.Sweep(name)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := sweeps.Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Claims != "" {
			t.Errorf("%s names the claims %q", name, spec.Claims)
		}
	}
}
