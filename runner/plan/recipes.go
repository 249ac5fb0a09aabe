package plan

import (
	"errors"
	"fmt"
	"path/filepath"

	"headroom/data/source"
	"headroom/sweeps"
)

// recipes adds a row for each recipe that a run of the plan starts from.
func (m *maker) recipes() {
	for _, name := range m.found.order {
		made := m.found.made[name]
		if made.bad {
			continue
		}
		row := Recipe{ID: made.id, Name: name, Recipe: made.recipe, Inputs: made.in}
		if made.id == "" {
			row.State, row.Why = Unresolved, made.why
			m.plan.Recipes = append(m.plan.Recipes, row)
			continue
		}
		row.Folder = m.found.resolver.Backbone(string(made.id))
		switch _, err := m.found.resolver.Model("recipe:" + string(made.id)); {
		case err == nil:
			row.State, row.Why = Done, "finished"
		case !errors.Is(err, source.ErrUnresolved):
			row.State, row.Why = Failed, err.Error()
		case m.Holder != nil && m.Holder(row.Folder) != "":
			row.State, row.Why = Running, "held by "+m.Holder(row.Folder)
		default:
			row.State, row.Why = New, "not in the workspace"
		}
		m.plan.Recipes = append(m.plan.Recipes, row)
	}
}

// Recipes returns a reader of recipes by name: the file backbones/NAME.toml, or
// NAME.toml, beside the sweep file, else the embedded one. embedded may be nil.
func Recipes(sweepFile string, embedded func(name string) (file string, text []byte, err error)) func(name string) (*sweeps.Recipe, error) {
	return func(name string) (*sweeps.Recipe, error) {
		folder := filepath.Dir(sweepFile)
		looked := []string{filepath.Join(folder, "backbones", name+".toml"), filepath.Join(folder, name+".toml")}
		for _, path := range looked {
			if exists(path) {
				return sweeps.LoadRecipe(path)
			}
		}
		if embedded != nil {
			file, text, err := embedded(name)
			if err == nil {
				return sweeps.ParseRecipe(file, text)
			}
			return nil, fmt.Errorf("looked for %s and %s: %w", looked[0], looked[1], err)
		}
		return nil, fmt.Errorf("no recipe %q: looked for %s and %s", name, looked[0], looked[1])
	}
}
