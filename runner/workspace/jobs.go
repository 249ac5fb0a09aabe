package workspace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/sweeps"
)

// ErrChanged is returned when a run's folder was begun under another
// configuration than the one that its id is asked for with now.
var ErrChanged = errors.New("its folder holds another configuration")

// WriteRun puts what a run is made from into its folder, before any compute.
// What does not enter the id (where it computes, on what it is evaluated) may
// change from one time to the next; the rest never does.
func (w Workspace) WriteRun(id string, config sweeps.RunConfig, in sweeps.Inputs) error {
	if old, oldIn, err := w.ReadRun(id); err == nil {
		if oldIn != in {
			return fmt.Errorf("write run %q: %w: inputs.json says %v, now they are %v", id, ErrChanged, oldIn, in)
		}
		for _, change := range sweeps.Diff(old, config) {
			if change.Semantic && !isReference(change.Key) {
				return fmt.Errorf("write run %q: %w: %s is %s, now %s", id, ErrChanged, change.Key, change.A, change.B)
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	inputs, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write run %q: %w", id, err)
	}
	if err := replaceFile(w.disk, filepath.Join(w.Run(id), "inputs.json"), append(inputs, '\n')); err != nil {
		return fmt.Errorf("write run %q: %w", id, err)
	}
	if err := replaceFile(w.disk, filepath.Join(w.Run(id), "config.toml"), config.TOML()); err != nil {
		return fmt.Errorf("write run %q: %w", id, err)
	}
	return nil
}

// isReference tells whether a key enters the id by a digest and not by its text.
func isReference(key string) bool {
	return key == "model.backbone" || key == "data.train" || key == "evaluate.during"
}

// ReadRun returns what a run is made from.
func (w Workspace) ReadRun(id string) (sweeps.RunConfig, sweeps.Inputs, error) {
	fail := func(err error) (sweeps.RunConfig, sweeps.Inputs, error) {
		return sweeps.RunConfig{}, sweeps.Inputs{}, fmt.Errorf("read run %q: %w", id, err)
	}
	text, err := os.ReadFile(filepath.Join(w.Run(id), "config.toml"))
	if err != nil {
		return fail(err)
	}
	config, err := sweeps.ParseRun(text)
	if err != nil {
		return fail(err)
	}
	var in sweeps.Inputs
	if err := readJSON(filepath.Join(w.Run(id), "inputs.json"), &in); err != nil {
		return fail(err)
	}
	return config, in, nil
}

// WriteProvenance keeps under which program and machine a run was begun, one
// file an attempt at it: the first is provenance.json, later ones are numbered.
func (w Workspace) WriteProvenance(id string, p Provenance) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("write provenance of %q: %w", id, err)
	}
	text = append(text, '\n')
	for n := 1; ; n++ {
		name := "provenance.json"
		if n > 1 {
			name = fmt.Sprintf("provenance-%d.json", n)
		}
		path := filepath.Join(w.Run(id), name)
		if old, err := os.ReadFile(path); err == nil {
			if bytes.Equal(old, text) {
				return nil
			}
			continue
		}
		if err := createFile(w.disk, path, text); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("write provenance of %q: %w", id, err)
		} else if err == nil {
			return nil
		}
	}
}

// Provenance is what a result rests on besides its configuration and inputs.
type Provenance struct {
	Schema     int               `json:"schema"`
	Overrides  []string          `json:"overrides"`  // of the sweep, as given
	Executable string            `json:"executable"` // digest of the program's file
	Commit     string            `json:"commit"`     // "" where the build recorded none
	Dirty      bool              `json:"dirty"`
	Go         string            `json:"go"`
	SIMD       bool              `json:"simd"`
	System     string            `json:"system"`
	Modules    map[string]string `json:"modules"`
	Backend    string            `json:"backend"` // as configured
	Devices    []string          `json:"devices"` // GPUs given to the pool
	Driver     string            `json:"driver"`  // of the GPUs; "" without
	CPU        string            `json:"cpu"`
	Threads    int               `json:"threads"` // of a worker
	Host       string            `json:"host"`
	Sweep      string            `json:"sweep"`
	Revision   string            `json:"revision"`
}

// ReadProvenance returns the provenance of a run's first attempt.
func (w Workspace) ReadProvenance(id string) (Provenance, error) {
	var p Provenance
	if err := readJSON(filepath.Join(w.Run(id), "provenance.json"), &p); err != nil {
		return Provenance{}, fmt.Errorf("read provenance of %q: %w", id, err)
	}
	return p, nil
}

// Baseline says what to evaluate without training: BM25, or a backbone as it
// is. The lengths, measures and compute settings are in the configuration
// beside it.
type Baseline struct {
	Schema   int           `json:"schema"`
	ID       string        `json:"id"`       // its evaluation's id
	Name     string        `json:"name"`     // "bm25", "untrained"
	Dataset  string        `json:"dataset"`  // reference
	Split    string        `json:"split"`    // of its qrels
	Backbone string        `json:"backbone"` // reference; "" for BM25
	Inputs   sweeps.Inputs `json:"inputs"`   // of the backbone; empty for BM25
}

// WriteBaseline puts the request into the baseline's folder.
func (w Workspace) WriteBaseline(b Baseline, config sweeps.RunConfig) error {
	b.Schema = 1
	text, err := json.Marshal(b)
	if err == nil {
		err = replaceFile(w.disk, filepath.Join(w.Baseline(b.ID), "config.toml"), config.TOML())
	}
	if err == nil {
		err = replaceFile(w.disk, filepath.Join(w.Baseline(b.ID), "baseline.json"), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write baseline %q: %w", b.ID, err)
	}
	return nil
}

// ReadBaseline returns the request.
func (w Workspace) ReadBaseline(id string) (b Baseline, config sweeps.RunConfig, err error) {
	text, err := os.ReadFile(filepath.Join(w.Baseline(id), "config.toml"))
	if err == nil {
		config, err = sweeps.ParseRun(text)
	}
	if err == nil {
		err = readJSON(filepath.Join(w.Baseline(id), "baseline.json"), &b)
	}
	if err != nil {
		return Baseline{}, sweeps.RunConfig{}, fmt.Errorf("read baseline %q: %w", id, err)
	}
	return b, config, nil
}

// WriteRecipe puts a recipe, whose references are absolute, where the worker
// that makes its backbone reads it.
func (w Workspace) WriteRecipe(id string, recipe sweeps.Recipe, in sweeps.Inputs) error {
	text, err := json.Marshal(in)
	if err == nil {
		err = replaceFile(w.disk, w.recipeFile(id, ".json"), append(text, '\n'))
	}
	if err == nil {
		err = replaceFile(w.disk, w.recipeFile(id, ".toml"), recipe.TOML())
	}
	if err != nil {
		return fmt.Errorf("write recipe %q: %w", recipe.Name, err)
	}
	return nil
}

// ReadRecipe returns a recipe that WriteRecipe wrote.
func (w Workspace) ReadRecipe(id string) (sweeps.Recipe, sweeps.Inputs, error) {
	var in sweeps.Inputs
	recipe, err := sweeps.LoadRecipe(w.recipeFile(id, ".toml"))
	if err == nil {
		err = readJSON(w.recipeFile(id, ".json"), &in)
	}
	if err != nil {
		return sweeps.Recipe{}, sweeps.Inputs{}, fmt.Errorf("read recipe %q: %w", id, err)
	}
	return *recipe, in, nil
}

func (w Workspace) recipeFile(id, extension string) string {
	return filepath.Join(w.Root, "backbones", id+extension)
}

// Recipes lists the ids of the recipes that WriteRecipe wrote, their backbones
// made or not.
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

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
