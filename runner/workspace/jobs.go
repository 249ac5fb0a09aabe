package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/internal/seal"
	"headroom/metrics/record"
	"headroom/sweeps"
)

// ErrOtherRun is returned for a configuration and inputs that do not have the given id.
var ErrOtherRun = errors.New("the id stands for another configuration or other inputs")

// WriteRun writes a run's configuration and inputs into its folder, before any compute.
// What is not in the id (where it computes, on what it is evaluated) may change from one
// call to the next. The rest follows from the id, so files with another content are
// replaced.
func (w Workspace) WriteRun(id string, config sweeps.RunConfig, in sweeps.Inputs) error {
	if !hasID(id, config, in) {
		return fmt.Errorf("write run %q: %w", id, ErrOtherRun)
	}
	inputs, err := seal.JSON(in)
	if err == nil {
		err = replaceFile(w.disk, filepath.Join(w.Run(id), "inputs.json"), inputs)
	}
	if err == nil {
		err = replaceFile(w.disk, filepath.Join(w.Run(id), "config.toml"), seal.TOML(config.TOML()))
	}
	if err != nil {
		return fmt.Errorf("write run %q: %w", id, err)
	}
	return nil
}

// hasID reports whether a configuration and inputs have an id.
func hasID(id string, config sweeps.RunConfig, in sweeps.Inputs) bool {
	for _, semantics := range append(sweeps.EarlierSemantics(), sweeps.CurrentSemantics()) {
		if string(semantics.RunID(config, in)) == id {
			return true
		}
	}
	return false
}

// ReadRun returns a run's configuration and inputs. Its error is *seal.Damage if a file is not
// what was written, or if the two do not have the run's id. Running the sweep makes them again.
func (w Workspace) ReadRun(id string) (sweeps.RunConfig, sweeps.Inputs, error) {
	var in sweeps.Inputs
	config, err := readConfig(filepath.Join(w.Run(id), "config.toml"))
	if err == nil {
		err = seal.ReadJSON(filepath.Join(w.Run(id), "inputs.json"), &in)
	}
	// Thresholds that stop a run are in its id, also those of former detectors, which are no longer read. The id of
	// such a run is not checked.
	if err == nil && !config.Stability.Stop && !hasID(id, config, in) {
		err = &seal.Damage{Path: filepath.Join(w.Run(id), "config.toml"),
			What: "with inputs.json beside it, it is not what the run's id stands for: one of the two was changed after they were written"}
	}
	if err != nil {
		return sweeps.RunConfig{}, sweeps.Inputs{}, fmt.Errorf("read run %q: %w", id, err)
	}
	return config, in, nil
}

// readConfig reads a config.toml. One that cannot be parsed is damaged.
func readConfig(path string) (sweeps.RunConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return sweeps.RunConfig{}, err
	}
	if err := seal.CheckTOML(path, text); err != nil && !errors.Is(err, seal.ErrNone) {
		return sweeps.RunConfig{}, err
	}
	config, err := sweeps.ParseRun(text)
	if err != nil {
		return sweeps.RunConfig{}, &seal.Damage{Path: path, What: err.Error()}
	}
	return config, nil
}

// WriteProvenance records the program and machine of a run's attempt, in one file per
// attempt: the first is provenance.json, later ones are numbered. A damaged file is put
// aside.
func (w Workspace) WriteProvenance(id string, p record.Provenance) error {
	text, err := seal.IndentedJSON(p)
	if err != nil {
		return fmt.Errorf("write provenance of %q: %w", id, err)
	}
	for n := 1; ; n++ {
		path := w.provenanceFile(id, n)
		if old, err := os.ReadFile(path); err == nil {
			if bytes.Equal(old, text) {
				return nil
			}
			if !seal.IsDamage(seal.CheckJSON(path, old)) {
				continue
			}
			if err := w.disk.Rename(path, path+".damaged"); err != nil {
				return fmt.Errorf("write provenance of %q: %w", id, err)
			}
		}
		if err := createFile(w.disk, path, text); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("write provenance of %q: %w", id, err)
		} else if err == nil {
			return nil
		}
	}
}

func (w Workspace) provenanceFile(id string, n int) string {
	name := "provenance.json"
	if n > 1 {
		name = fmt.Sprintf("provenance-%d.json", n)
	}
	return filepath.Join(w.Run(id), name)
}

// CheckProvenance compares every provenance file of a run with its checksum. The first
// must be there.
func (w Workspace) CheckProvenance(id string) error {
	for n := 1; ; n++ {
		var p record.Provenance
		err := seal.ReadJSON(w.provenanceFile(id, n), &p)
		if errors.Is(err, fs.ErrNotExist) && n > 1 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read provenance of %q: %w", id, err)
		}
	}
}

// ReadProvenance returns the provenance of a run's first attempt.
func (w Workspace) ReadProvenance(id string) (record.Provenance, error) {
	var p record.Provenance
	if err := seal.ReadJSON(filepath.Join(w.Run(id), "provenance.json"), &p); err != nil {
		return record.Provenance{}, fmt.Errorf("read provenance of %q: %w", id, err)
	}
	return p, nil
}

// WriteBaseline writes a baseline and its configuration into its folder.
func (w Workspace) WriteBaseline(b record.Baseline, config sweeps.RunConfig) error {
	b.Schema = 1
	text, err := seal.JSON(b)
	if err == nil {
		err = replaceFile(w.disk, filepath.Join(w.Baseline(b.ID), "config.toml"), seal.TOML(config.TOML()))
	}
	if err == nil {
		err = replaceFile(w.disk, filepath.Join(w.Baseline(b.ID), "baseline.json"), text)
	}
	if err != nil {
		return fmt.Errorf("write baseline %q: %w", b.ID, err)
	}
	return nil
}

// ReadBaseline returns what WriteBaseline wrote.
func (w Workspace) ReadBaseline(id string) (b record.Baseline, config sweeps.RunConfig, err error) {
	config, err = readConfig(filepath.Join(w.Baseline(id), "config.toml"))
	if err == nil {
		err = seal.ReadJSON(filepath.Join(w.Baseline(id), "baseline.json"), &b)
	}
	if err != nil {
		return record.Baseline{}, sweeps.RunConfig{}, fmt.Errorf("read baseline %q: %w", id, err)
	}
	return b, config, nil
}

// WriteRecipe writes a recipe for the worker that makes its backbone. Its references are
// absolute.
func (w Workspace) WriteRecipe(id string, recipe sweeps.Recipe, in sweeps.Inputs) error {
	text, err := seal.JSON(in)
	if err == nil {
		err = replaceFile(w.disk, w.recipeFile(id, ".json"), text)
	}
	if err == nil {
		err = replaceFile(w.disk, w.recipeFile(id, ".toml"), seal.TOML(recipe.TOML()))
	}
	if err != nil {
		return fmt.Errorf("write recipe %q: %w", recipe.Name, err)
	}
	return nil
}

// ReadRecipe returns a recipe that WriteRecipe wrote.
func (w Workspace) ReadRecipe(id string) (sweeps.Recipe, sweeps.Inputs, error) {
	fail := func(err error) (sweeps.Recipe, sweeps.Inputs, error) {
		return sweeps.Recipe{}, sweeps.Inputs{}, fmt.Errorf("read recipe %q: %w", id, err)
	}
	path := w.recipeFile(id, ".toml")
	text, err := os.ReadFile(path)
	if err != nil {
		return fail(err)
	}
	if err := seal.CheckTOML(path, text); err != nil && !errors.Is(err, seal.ErrNone) {
		return fail(err)
	}
	recipe, err := sweeps.ParseRecipe(path, text)
	if err != nil {
		return fail(&seal.Damage{Path: path, What: err.Error()})
	}
	var in sweeps.Inputs
	if err := seal.ReadJSON(w.recipeFile(id, ".json"), &in); err != nil {
		return fail(err)
	}
	return *recipe, in, nil
}

func (w Workspace) recipeFile(id, extension string) string {
	return filepath.Join(w.Root, "backbones", id+extension)
}

// Recipes lists the ids of the recipes that WriteRecipe wrote, also those without a
// backbone yet.
func (w Workspace) Recipes() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(w.Root, "backbones"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list recipes: %w", err)
	}
	var ids []string
	for _, entry := range entries {
		if id, ok := strings.CutSuffix(entry.Name(), ".toml"); ok && sweeps.ID(id).Valid() {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
