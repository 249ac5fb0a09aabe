package gc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/runner/checkpoint"
	"headroom/runner/plan"
)

// run finds the files of a run's folder that nothing needs.
func (o Options) run(folder string) ([]Item, error) {
	var items []Item
	finished, err := plan.Finished(folder)
	if err != nil {
		return nil, err
	}
	for _, look := range []func() ([]Item, error){
		func() ([]Item, error) { return checkpoints(filepath.Join(folder, "checkpoints"), finished) },
		func() ([]Item, error) { return o.evaluations(folder) },
		func() ([]Item, error) { return o.runVectors(folder, finished) },
		func() ([]Item, error) { return o.leftovers(folder) },
		func() ([]Item, error) { return o.leases(folder) },
	} {
		found, err := look()
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

// checkpoints finds half-written and superseded checkpoints, and the optimizer's state of a
// finished run.
func checkpoints(dir string, finished bool) ([]Item, error) {
	var items []Item
	names, err := checkpoint.Leftovers(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if onlyCopy(filepath.Join(dir, name)) {
			continue
		}
		items = append(items, item(Leftover, filepath.Join(dir, name), "a checkpoint that a killed attempt was writing or removing"))
	}
	superseded, err := checkpoint.SupersededSteps(dir)
	if err != nil {
		return nil, err
	}
	gone := map[int]bool{}
	for _, step := range superseded {
		gone[step] = true
		i := item(Checkpoint, checkpoint.Folder(dir, step), "superseded: neither the last, nor the one to fall back on, nor the best")
		if finished {
			i.Why = "superseded: the run is finished"
		}
		i.remove = func() error { return checkpoint.Remove(dir, step) }
		items = append(items, i)
	}
	if !finished {
		return items, nil
	}
	steps, err := checkpoint.Steps(dir)
	for _, step := range steps {
		if path := checkpoint.OptimizerPath(dir, step); !gone[step] {
			if _, err := os.Stat(path); err == nil {
				items = append(items, item(Optimizer, path, "the optimizer's state of a finished run"))
			}
		}
	}
	return items, err
}

// evaluations finds evaluations that were never completed. In a folder that is no run it finds
// all evaluations, since it is not known what they measure. They have to be old, because
// `evaluate --run` holds no lease.
func (o Options) evaluations(folder string) ([]Item, error) {
	dir := filepath.Join(folder, "evaluations")
	list, err := entries(dir)
	if err != nil {
		return nil, err
	}
	_, unknown := os.Stat(filepath.Join(folder, "config.toml"))
	var items []Item
	for _, e := range list {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() || !o.isOld(path) {
			continue
		}
		if errors.Is(unknown, fs.ErrNotExist) {
			items = append(items, item(Evaluation, path, "of a run that is not known: its folder has no config.toml"))
			continue
		}
		if _, err := os.Stat(filepath.Join(path, "summary.json")); errors.Is(err, fs.ErrNotExist) {
			items = append(items, item(Evaluation, path, "never completed: it has no summary.json"))
			continue
		}
	}
	return items, nil
}
