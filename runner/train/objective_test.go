package train_test

import (
	"testing"

	"headroom/runner/train"
	"headroom/sweeps"
)

// Every kind that may be written is known to training, and no other.
func TestUnknownKindsAreErrors(t *testing.T) {
	for name, edit := range map[string]func(*sweeps.RunConfig){
		"loss":        func(c *sweeps.RunConfig) { c.Loss.Kind = "triplet" },
		"regularizer": func(c *sweeps.RunConfig) { c.Regularizer.Kind = "l2" },
	} {
		cfg := sweeps.Defaults()
		edit(&cfg)
		if _, err := train.NewObjective(cfg); err == nil {
			t.Errorf("an unknown %s is taken", name)
		}
	}
	for name, edit := range map[string]func(*sweeps.RunConfig){
		"schedule": func(c *sweeps.RunConfig) { c.Train.Schedule = "polynomial" },
		"ramp":     func(c *sweeps.RunConfig) { c.Regularizer.RampKind = "cubic" },
	} {
		cfg := sweeps.Defaults()
		edit(&cfg)
		if _, _, _, err := train.Schedules(cfg); err == nil {
			t.Errorf("an unknown %s is taken", name)
		}
	}
	recipe := sweeps.RecipeDefaults()
	recipe.Train.Schedule = "polynomial"
	if _, _, err := train.RecipeOptimizer(recipe); err == nil {
		t.Error("a recipe's unknown schedule is taken")
	}
}
