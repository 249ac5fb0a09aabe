package plan

import (
	"context"
	"fmt"

	"headroom/data/source"
	"headroom/sweeps"
)

// Backbone plans one recipe alone, without a sweep. It uses the options
// Workspace, Resolver, Recipe and Holder. Its error is sweeps.Faults if the
// recipe or its data are wrong, and source.ErrUnresolved if data are absent.
func Backbone(ctx context.Context, o Options, name string) (Recipe, error) {
	o.Spec = &sweeps.Spec{Path: "recipe " + name}
	m := &maker{Options: o, found: newInputs(ctx, o), plan: &Plan{}}
	m.found.recipe(name)
	m.recipes()
	if len(m.found.faults) > 0 {
		return Recipe{}, m.found.faults
	}
	if len(m.plan.Recipes) != 1 {
		return Recipe{}, fmt.Errorf("plan recipe %q: it cannot be used", name)
	}
	row := m.plan.Recipes[0]
	if row.ID == "" {
		return Recipe{}, fmt.Errorf("plan recipe %q: %w: %s", name, source.ErrUnresolved, row.Why)
	}
	return row, ctx.Err()
}
