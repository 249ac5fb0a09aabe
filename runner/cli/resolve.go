package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/data/source"
	"headroom/data/synthetic"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/stability"
	"headroom/runner/plan"
	"headroom/runner/workspace"
)

// workspaceRoot is the folder of runs and results of this invocation.
func (a *app) workspaceRoot() string {
	if a.global.workspace != "" {
		return a.global.workspace
	}
	if root := a.env.Getenv("HEADROOM_WORKSPACE"); root != "" {
		return root
	}
	return "headroom-runs"
}

// openWorkspace opens an existing workspace.
func (a *app) openWorkspace() (workspace.Workspace, error) {
	return workspace.Open(a.workspaceRoot())
}

// resolver returns the resolver of references. base is the folder from which ./path
// starts, "" for the working directory.
func (a *app) resolver(base string) (*source.Resolver, error) {
	userCache := a.env.Getenv("XDG_CACHE_HOME")
	home := a.env.Getenv("HOME")
	if userCache == "" && home != "" {
		userCache = filepath.Join(home, ".cache")
	}
	root, err := filepath.Abs(a.workspaceRoot())
	if err != nil {
		return nil, fmt.Errorf("find workspace: %w", err)
	}
	r := source.New(source.Environment{Getenv: a.env.Getenv, UserCache: userCache, Home: home})
	if r.CacheDir == "" {
		r.CacheDir = filepath.Join(root, "cache") // without a home folder, the cache is in the workspace
	}
	r.Workspace, r.Base, r.Free = root, base, freeBytes
	r.Offline = r.Offline || a.offline
	if r.Own, err = a.ownCollections(base); err != nil {
		return nil, err
	}
	r.Builtin = func(cacheDir string) (source.Builtin, error) {
		demo, err := synthetic.Ensure(cacheDir)
		return source.Builtin(demo), err
	}
	r.RecipeID = (&recipes{root: root}).id
	r.Notice = func(message string) { a.note("%s", message) }
	return r, nil
}

// model is a MODEL of the command line, resolved.
type model struct {
	folder string
	name   string // as on the command line, or the run's label
	run    *runRef
}

// findModel resolves MODEL as a folder, a run of the workspace, or a name on the hub,
// in this order. fetch downloads a model of the hub.
func (a *app) findModel(ctx context.Context, text string, fetch fetcher) (model, error) {
	if info, err := os.Stat(text); err == nil && info.IsDir() {
		return model{folder: text, name: text}, nil
	}
	explicit := strings.ContainsAny(text, `:\`) || strings.HasPrefix(text, ".") || filepath.IsAbs(text)
	var runErr error
	if !explicit && !strings.Contains(text, "/") {
		w, err := a.openWorkspace()
		switch {
		case err == nil:
			run, err := findRun(w, text)
			if err == nil {
				return a.runModel(w, run)
			}
			var ambiguous *ambiguousError
			if errors.As(err, &ambiguous) {
				return model{}, err
			}
			runErr = err
		case !errors.Is(err, workspace.ErrNone):
			return model{}, err
		}
	}
	resolver, err := a.resolver("")
	if err != nil {
		return model{}, err
	}
	folder, err := fetch(ctx, resolver, text)
	if err != nil {
		if runErr != nil {
			return model{}, fmt.Errorf("%w; and %w", err, runErr)
		}
		return model{}, err
	}
	return model{folder: folder, name: text}, nil
}

// runModel returns the exported model of a run, after comparing its files with their digests.
func (a *app) runModel(w workspace.Workspace, run runRef) (model, error) {
	folder := plan.ModelFolder(w.Run(run.ID))
	resolver, err := a.resolver("")
	if err != nil {
		return model{}, err
	}
	resolver.Verify = true
	if err := plan.IntactModel(resolver, w.Run(run.ID)); seal.IsDamage(err) {
		return model{}, fmt.Errorf("find model of run %q: %w; `headroom run` of its sweep exports it again from its checkpoint", run.Label, err)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return model{}, fmt.Errorf("find model of run %q: %w", run.Label, err)
	}
	if _, err := os.Stat(folder); err != nil {
		return model{}, a.noModel(w, run, folder)
	}
	return model{folder: folder, name: run.Label, run: &run}, nil
}

// noModel returns the error for a run without an exported model.
func (a *app) noModel(w workspace.Workspace, run runRef, folder string) error {
	info, err := a.readRun(w, run)
	switch {
	case err != nil:
		return fmt.Errorf("find model of run %q: %w", run.Label, err)
	case info.state != event.StateDone:
		return fmt.Errorf("find model of run %q: it is %s, at step %d of %d: `headroom run` with its sweep finishes it", run.Label, info.state, info.step, info.steps)
	case info.verdict == stability.NonFinite:
		return fmt.Errorf("find model of run %q: it is finished and its weights are not finite (verdict %s), so that there is no model; its log and figures are kept: `headroom show %s`. Another run may hold: a smaller train.lr, a larger model.rescale, more train.warmup", run.Label, info.verdict, run.Label)
	}
	return fmt.Errorf("find model of run %q: no %s", run.Label, folder)
}
