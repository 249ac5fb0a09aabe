package plan

import (
	"errors"
	"fmt"
	"path/filepath"

	"headroom/data/source"
	"headroom/internal/seal"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// recipes adds a row for each recipe whose backbone a run of the plan needs.
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
		m.settleRecipe(&row)
		m.plan.Recipes = append(m.plan.Recipes, row)
	}
}

// WorkSuffix is the end of the name of the folder in which a backbone is made, with
// its log and checkpoints. It is next to the backbone's own folder.
const WorkSuffix = ".work"

// settleRecipe decides a recipe's state. The backbone's folder is there whole or not
// at all.
func (m *maker) settleRecipe(row *Recipe) {
	_, err := m.found.resolver.Model("recipe:" + string(row.ID))
	switch {
	case err == nil:
		row.State, row.Why = Done, "finished"
		if _, _, err := (workspace.Workspace{Root: m.Workspace}).ReadRecipe(string(row.ID)); seal.IsDamage(err) {
			row.State, row.Why = Damaged, fmt.Sprintf("it is written again: %v", err)
		}
		return
	case seal.IsDamage(err):
		row.State, row.Why = Damaged, fmt.Sprintf("it is made again: %v", err)
		return
	case !errors.Is(err, source.ErrUnresolved):
		row.State, row.Why = Failed, err.Error()
		return
	}
	if row.State, row.Why, _ = m.state(row.Folder+WorkSuffix, row.Recipe.Train.Steps); row.State.Finished() {
		row.State, row.Why = New, "it was made, and its folder has been removed since"
	}
}

// Recipes returns a reader of recipes by name: the file backbones/NAME.toml, or
// NAME.toml, in the folder of the sweep file, else the embedded one. embedded may be nil.
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
