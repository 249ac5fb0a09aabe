package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/source"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/store"
	"headroom/runner/checkpoint"
	"headroom/runner/lease"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// runDamage returns the damage of a finished run, nil for none.
func runDamage(resolver *source.Resolver, w workspace.Workspace, id string) error {
	if err := plan.Intact(resolver, w.Root, id); err != nil {
		return err
	}
	faults, _ := plan.Evaluations(resolver, filepath.Join(w.Run(id), "evaluations"))
	return errors.Join(faults...)
}

// examined is the result of the examination of a workspace's files.
type examined struct {
	faults []error
	// unsealed counts model folders and evaluations of an older program, which have no
	// digests.
	unsealed int
}

func (e *examined) add(err error) {
	if err != nil {
		e.faults = append(e.faults, err)
	}
}

// examine compares every file of a workspace with the checksums recorded when it was made.
// With deep every byte is read; else the last digest of a large file is used again if its
// path, size and time have not changed.
func (a *app) examine(ctx context.Context, w workspace.Workspace, deep bool) (examined, error) {
	var found examined
	resolver, err := a.resolver("")
	if err != nil {
		return found, err
	}
	resolver.Verify = deep
	names, err := w.Sweeps()
	if err != nil {
		return found, err
	}
	for _, name := range names {
		revisions, err := w.Revisions(name)
		if err != nil {
			return found, err
		}
		for _, revision := range revisions {
			_, _, err := w.ReadRevision(name, revision)
			found.add(err)
		}
	}
	runs, err := idsIn(filepath.Join(w.Root, "runs"))
	if err != nil {
		return found, err
	}
	for _, id := range runs {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		if a.holder(w.Run(id)) == "" { // a run on which a process works is not finished
			found.add(plan.Intact(resolver, w.Root, id))
			found.add(plan.ResultsHaveLog(w.Run(id)))
			if deep {
				found.faults = append(found.faults, checkpoint.Check(filepath.Join(w.Run(id), "checkpoints"), id)...)
			}
		}
		found.folder(plan.ModelFolder(w.Run(id)))
		found.evaluations(resolver, filepath.Join(w.Run(id), "evaluations"))
	}
	found.evaluations(resolver, filepath.Join(w.Root, "baselines"))
	baselines, err := idsIn(filepath.Join(w.Root, "baselines"))
	if err != nil {
		return found, err
	}
	for _, id := range baselines {
		_, _, err := w.ReadBaseline(id)
		found.add(err)
	}
	backbones, err := idsIn(filepath.Join(w.Root, "backbones"))
	if err != nil {
		return found, err
	}
	for _, id := range backbones {
		found.add(resolver.Intact(w.Backbone(id)))
		found.folder(w.Backbone(id))
	}
	recipes, err := w.Recipes()
	if err != nil {
		return found, err
	}
	for _, id := range recipes {
		_, _, err := w.ReadRecipe(id)
		found.add(err)
	}
	return found, ctx.Err()
}

func (e *examined) folder(path string) {
	if _, err := os.Stat(path); err != nil {
		return
	}
	if _, err := os.Stat(filepath.Join(path, seal.ManifestFile)); err != nil {
		e.unsealed++
	}
}

func (e *examined) evaluations(resolver *source.Resolver, folder string) {
	faults, unsealed := plan.Evaluations(resolver, folder)
	e.faults = append(e.faults, faults...)
	e.unsealed += unsealed
}

// idsIn lists the folders inside a folder whose names are ids.
func idsIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		if entry.IsDir() && sweeps.ID(entry.Name()).Valid() {
			ids = append(ids, entry.Name())
		}
	}
	return ids, nil
}

// repair repairs everything that needs no computation: damaged lines of event logs, and
// damaged revisions of sweeps that later ones replace. It returns descriptions of the repairs.
func (a *app) repair(w workspace.Workspace) (done []string, err error) {
	runs, err := idsIn(filepath.Join(w.Root, "runs"))
	if err != nil {
		return nil, err
	}
	for _, id := range runs {
		if event.CheckAll(w.Run(id)) == nil {
			continue
		}
		held, err := lease.Acquire(w.Run(id), lease.Options{})
		if err != nil {
			return done, fmt.Errorf("repair run %q: %w", id, err)
		}
		lost, err := event.RepairAll(w.Run(id))
		done = append(done, lost...)
		if err := errors.Join(err, held.Release()); err != nil {
			return done, fmt.Errorf("repair run %q: %w", id, err)
		}
	}
	names, err := w.Sweeps()
	if err != nil {
		return done, err
	}
	for _, name := range names {
		aside, err := w.PutDamagedRevisionsAside(name)
		done = append(done, aside...)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (a *app) dbRepair(ctx context.Context) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	path, err := a.databasePath(w)
	if err != nil {
		return err
	}
	done, err := a.repair(w)
	if err != nil {
		return failedError(err)
	}
	if err := a.rebuild(ctx, w, path); err != nil && !errors.As(err, new(*store.Damage)) {
		return failedError(err)
	}
	done = append(done, path+": made again from the files")
	left, err := a.examine(ctx, w, true)
	if err != nil {
		return failedError(err)
	}
	d := dbDocument{Path: path, OK: len(left.faults) == 0, Repaired: done}
	for _, fault := range left.faults {
		text := fault.Error()
		if !strings.Contains(text, "`headroom ") { // else the message itself says what to do
			text += ": `headroom run` of its sweep makes it again"
		}
		d.Faults = append(d.Faults, text)
	}
	for _, line := range done {
		if !a.global.json {
			fmt.Fprintln(a.stdout, line)
		}
	}
	return failedError(errors.Join(a.printDB(d), errors.Join(left.faults...)))
}
