package cli

import (
	"cmp"
	"context"
	"errors"

	"headroom/metrics/record"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// planned is a sweep whose inputs are all here, for a command that runs or submits it.
type planned struct {
	sweep sweepRef
	// file is the plan of the file alone, nil if that is no sweep; todo is the plan to carry out.
	file, todo *plan.Plan
	claims     claimsFile
}

// planWork plans a sweep for a command that runs or submits it. It fetches models of the hub
// and collections that are not here; other missing inputs are an error.
func (a *app) planWork(ctx context.Context, sweep string, overrides []string, only []sweeps.Filter) (planned, error) {
	for {
		p, err := a.planWithInputs(ctx, sweep, overrides, only)
		if err != nil {
			return p, err
		}
		if fetched, err := a.fetchUnresolved(ctx, p.sweep, p.todo); err != nil {
			return p, err
		} else if fetched {
			continue // all the same, with the models there
		}
		if err := refuseUnresolved(p.todo); err != nil {
			return p, err
		}
		p.claims, err = claimsOf(p.sweep)
		return p, err
	}
}

// planWithInputs plans a sweep and refuses it if an input is missing.
func (a *app) planWithInputs(ctx context.Context, sweep string, overrides []string, only []sweeps.Filter) (planned, error) {
	var p planned
	var err error
	if p.sweep, err = a.openSweep(sweep, overrides); err != nil {
		return p, err
	}
	if p.file, err = a.planFile(ctx, sweep, p.sweep); err != nil {
		return p, err
	}
	p.todo = p.file
	if len(overrides)+len(only) > 0 {
		p.todo, err = a.planSweep(ctx, p.sweep, only)
	}
	return p, err
}

// keepSweep writes the sweep's revision into the workspace, and makes the workspace if there
// is none. Its error is a failure once something may have been written.
func (a *app) keepSweep(p planned) (workspace.Workspace, record.Manifest, error) {
	manifest, err := a.newManifest(p.sweep, p.file, p.todo)
	if err != nil {
		return workspace.Workspace{}, manifest, err
	}
	_, err = a.openWorkspace()
	made := errors.Is(err, workspace.ErrNone)
	w, err := workspace.OpenOrCreate(a.workspaceRoot())
	if err != nil {
		return w, manifest, err
	}
	manifest.Revision, err = w.WriteSweep(p.sweep.spec.Text, manifest)
	if err != nil && !made && wroteNothing(err) {
		return w, manifest, err
	}
	if err == nil {
		err = a.recordPredictions(w, p.claims, cmp.Or(p.file, p.todo), manifest)
	}
	return w, manifest, failedError(err)
}
