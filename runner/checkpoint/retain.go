package checkpoint

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"headroom/internal/atomic"
)

// gonePrefix is the first part of the name of a folder that is being removed. A killed process may leave such a folder.
const gonePrefix = ".gone-"

func folderOf(dir string, step int) string { return filepath.Join(dir, prefix+strconv.Itoa(step)) }

// mend restores a checkpoint whose replacement was cut short between two renames.
func mend(dir string) error {
	return leftovers(dir, func(name string) error {
		if path := atomic.ReplacedBy(filepath.Join(dir, name)); path != "" {
			return atomic.Mend(path)
		}
		return nil
	})
}

// removeLeftovers removes folders that a killed attempt left half written or half removed.
func removeLeftovers(dir string) error {
	if err := mend(dir); err != nil {
		return err
	}
	return leftovers(dir, func(name string) error { return os.RemoveAll(filepath.Join(dir, name)) })
}

func leftovers(dir string, do func(name string) error) error {
	names, err := Leftovers(dir)
	for _, name := range names {
		err = errors.Join(err, do(name))
	}
	return err
}

// Leftovers lists the names that killed attempts left in a folder of checkpoints. If a
// replacement was cut short, the old checkpoint is among them, although the next attempt
// restores it.
func Leftovers(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); atomic.Leftover(n) || strings.HasPrefix(n, gonePrefix) {
			names = append(names, n)
		}
	}
	return names, err
}

// Remove removes a checkpoint so that no reader finds a part of it.
func Remove(dir string, step int) error {
	gone := filepath.Join(dir, gonePrefix+strconv.Itoa(step))
	if err := os.RemoveAll(gone); err != nil {
		return err
	}
	if err := os.Rename(folderOf(dir, step), gone); err != nil {
		return err
	}
	return os.RemoveAll(gone)
}

// retain removes superseded checkpoints after current has been written.
func retain(dir string, current State) error {
	steps, err := Steps(dir)
	if err != nil {
		return err
	}
	keep := needed(dir, steps, current)
	for _, s := range steps {
		if !keep[s] {
			err = errors.Join(err, Remove(dir, s))
		}
	}
	return err
}

// needed returns those of the steps, given newest first, that Save promises to keep.
func needed(dir string, steps []int, current State) map[int]bool {
	keep := map[int]bool{current.Step: true, current.best(): true}
	points := 0
	for _, s := range steps {
		if s > current.Step || points == 2 {
			continue
		}
		state, err := peek(folderOf(dir, s))
		if err == nil && state.WeightsOnly {
			continue
		}
		points++
		keep[s] = true
		if err == nil {
			keep[state.best()] = true
		}
	}
	return keep
}

// peek reads a checkpoint's state without checking its digest.
func peek(folder string) (State, error) {
	var s State
	text, err := os.ReadFile(filepath.Join(folder, StateFile))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

// SupersededSteps lists the steps in a folder that are no longer needed. During training
// these are the steps that the next Save would remove. A finished run needs only its final
// checkpoint, and the best one that it names.
func SupersededSteps(dir string) ([]int, error) {
	steps, err := Steps(dir)
	if err != nil || len(steps) == 0 {
		return nil, err
	}
	newest, err := peek(folderOf(dir, steps[0]))
	if err != nil {
		return nil, nil // the newest is damaged: the next attempt decides
	}
	keep := map[int]bool{newest.Step: true, newest.best(): true}
	if !newest.Final {
		keep = needed(dir, steps, newest)
	}
	return slices.DeleteFunc(steps, func(s int) bool { return keep[s] }), nil
}

// KeepFinal removes everything that a finished run does not keep: every checkpoint but the
// newest and, with best, the best one that it names; the optimizer's state of the best one;
// and leftovers of killed attempts.
func KeepFinal(dir string, best bool) error {
	if err := removeLeftovers(dir); err != nil {
		return err
	}
	steps, err := Steps(dir)
	if err != nil || len(steps) == 0 {
		return err
	}
	keep := map[int]bool{steps[0]: true}
	if best {
		state, err := peek(folderOf(dir, steps[0]))
		if err != nil {
			return err
		}
		keep[state.best()] = true
	}
	for _, s := range steps {
		if !keep[s] {
			err = errors.Join(err, Remove(dir, s))
		} else if s != steps[0] {
			err = errors.Join(err, DropOptimizer(dir, s))
		}
	}
	return err
}

// DropOptimizer removes the optimizer's state of a checkpoint, if it has one. After that
// OpenWeights can still open it.
func DropOptimizer(dir string, step int) error {
	err := os.Remove(OptimizerPath(dir, step))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// OptimizerPath is the path of a checkpoint's optimizer state, if it has one.
func OptimizerPath(dir string, step int) string {
	return filepath.Join(folderOf(dir, step), OptimizerFile)
}

// Folder is the folder of the checkpoint of a step.
func Folder(dir string, step int) string { return folderOf(dir, step) }
