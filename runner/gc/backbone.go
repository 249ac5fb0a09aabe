package gc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/internal/glob"
	"headroom/metrics/record"
	"headroom/sweeps"
)

// recipes returns the ids of the recipes to which the files in the folder of backbones belong.
func recipes(list []fs.DirEntry) []string {
	var ids []string
	for _, e := range list {
		id, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), "."), ".")
		if sweeps.ID(id).Valid() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// backbone finds leftovers of making a backbone and, if used is not nil, the backbone
// itself if nothing uses it.
func (o Options) backbone(id string, used map[string]bool) ([]Item, error) {
	folder := filepath.Join(o.Workspace, "backbones", id)
	var items []Item
	halves, err := filepath.Glob(filepath.Join(glob.Literal(filepath.Dir(folder)), "."+id+".tmp-*"))
	if err != nil {
		return nil, err
	}
	_, missing := os.Stat(filepath.Join(folder, "config.json"))
	for _, path := range halves {
		if missing != nil && strings.HasSuffix(path, ".old") {
			continue // the only copy
		}
		items = append(items, item(Leftover, path, "a backbone that a killed process was writing"))
	}
	if used != nil && !used[id] {
		for _, part := range []string{"", ".work", ".toml", ".json"} {
			if _, err := os.Lstat(folder + part); err == nil {
				items = append(items, item(Backbone, folder+part, "no run, baseline or recipe of the workspace uses it"))
			}
		}
		return items, nil
	}
	state := filepath.Join(folder+".work", "checkpoints")
	if _, err := os.Stat(state); missing == nil && err == nil {
		return append(items, item(Checkpoint, state, "superseded: the backbone is made")), nil
	}
	for _, look := range []func() ([]Item, error){
		func() ([]Item, error) { return checkpoints(state, false) },
		func() ([]Item, error) { return o.leftovers(folder + ".work") },
		func() ([]Item, error) { return o.leases(folder + ".work") },
	} {
		found, err := look()
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

// usedBackbones returns the recipes that the inputs of runs, baselines and other recipes
// name. A file that cannot be read might name any recipe, so it is an error, and no backbone
// is freed.
func (o Options) usedBackbones(runs []fs.DirEntry) (map[string]bool, error) {
	used := map[string]bool{}
	read := func(path string, in func(text []byte) (sweeps.Inputs, error)) error {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			var i sweeps.Inputs
			if i, err = in(text); err == nil {
				if id, made := strings.CutPrefix(i.Weights, "recipe:"); made {
					used[id] = true
				}
				return nil
			}
		}
		return fmt.Errorf("read what %s is made from: %w", path, err)
	}
	own := func(text []byte) (i sweeps.Inputs, err error) { return i, json.Unmarshal(text, &i) }
	within := func(text []byte) (sweeps.Inputs, error) {
		var b record.Baseline
		err := json.Unmarshal(text, &b)
		return b.Inputs, err
	}
	var faults error
	for _, e := range runs {
		faults = errors.Join(faults, read(filepath.Join(o.Workspace, "runs", e.Name(), "inputs.json"), own))
	}
	for _, pattern := range []struct {
		glob string
		in   func([]byte) (sweeps.Inputs, error)
	}{{"baselines/*/baseline.json", within}, {"backbones/*.json", own}} {
		paths, err := filepath.Glob(filepath.Join(glob.Literal(o.Workspace), filepath.FromSlash(pattern.glob)))
		faults = errors.Join(faults, err)
		for _, path := range paths {
			faults = errors.Join(faults, read(path, pattern.in))
		}
	}
	if faults != nil {
		return nil, faults // a nil map frees no backbone
	}
	return used, nil
}
