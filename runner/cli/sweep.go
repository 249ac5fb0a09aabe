package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"headroom/data/source"
	"headroom/experiments"
	"headroom/runner/lease"
	"headroom/runner/plan"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// sweepRef is a SWEEP of the command line, read.
type sweepRef struct {
	spec *sweeps.Spec
	// base is the absolute folder from which ./path in it starts; "" for an embedded
	// experiment, which has none.
	base string
	// recipe reads the pretraining recipes that it may name.
	recipe func(name string) (*sweeps.Recipe, error)
	// verify makes a plan compute every digest again.
	verify bool
}

// openSweep reads SWEEP: a file, the name of a sweep in the workspace, or the name of
// an embedded experiment, in this order.
func (a *app) openSweep(text string, overrides []string) (sweepRef, error) {
	info, err := os.Stat(text)
	if err == nil && info.Mode().IsRegular() {
		spec, err := sweeps.Load(text, overrides...)
		if err != nil {
			return sweepRef{}, err
		}
		base, err := filepath.Abs(filepath.Dir(text))
		if err != nil {
			return sweepRef{}, fmt.Errorf("open sweep %q: %w", text, err)
		}
		return sweepRef{spec: spec, base: base, recipe: plan.Recipes(text, experiments.Recipe)}, a.applySites(spec, base)
	}
	isFile := strings.ContainsAny(text, `/\`) || strings.HasSuffix(text, ".toml")
	switch {
	case isFile && err == nil:
		return sweepRef{}, fmt.Errorf("open sweep %q: it is no regular file; a TOML file is allowed", text)
	case isFile && !errors.Is(err, fs.ErrNotExist):
		return sweepRef{}, fmt.Errorf("open sweep: %w", err)
	case isFile:
		return sweepRef{}, fmt.Errorf("open sweep %q: no such file", text)
	}
	kept, found, err := a.keptSweep(text, overrides)
	if found || err != nil {
		return kept, err
	}
	file, embedded, notThere := experiments.Sweep(text)
	if notThere != nil {
		return sweepRef{}, fmt.Errorf("open sweep %q: %s, no sweep of this name in the workspace, and %w", text, noFile(info), notThere)
	}
	spec, err := sweeps.Parse(file, embedded, overrides...)
	if err != nil {
		return sweepRef{}, err
	}
	return sweepRef{spec: spec, recipe: embeddedRecipe}, a.applySites(spec, "")
}

// noFile says why a name is no file of a sweep or recipe; info is nil if nothing has the name.
func noFile(info fs.FileInfo) string {
	if info != nil && info.IsDir() {
		return "a folder is there and no file"
	}
	return "no such file"
}

// applySites sets the keys that a sweep does not set itself from the site's files: headroom.toml
// in its folder and in the workspace.
func (a *app) applySites(spec *sweeps.Spec, base string) error {
	sites, err := a.sites(base)
	if err != nil {
		return err
	}
	return spec.ApplySites(sites...)
}

// sites reads headroom.toml in a folder, unless that is "", and in the workspace.
func (a *app) sites(base string) ([]*sweeps.Site, error) {
	paths := []string{filepath.Join(a.workspaceRoot(), sweeps.SiteFile)}
	if base != "" && filepath.Clean(base) != filepath.Clean(a.workspaceRoot()) {
		paths = append([]string{filepath.Join(base, sweeps.SiteFile)}, paths...)
	}
	var found []*sweeps.Site
	var faults []error
	for _, path := range paths {
		site, err := sweeps.LoadSite(path)
		switch {
		case err == nil:
			found = append(found, site)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR): // a path that is no workspace is reported elsewhere
			faults = append(faults, err)
		}
	}
	return found, errors.Join(faults...)
}

// ownCollections returns the collections that the site's files name; the first of each name counts.
func (a *app) ownCollections(base string) ([]source.Own, error) {
	sites, err := a.sites(base)
	if err != nil {
		return nil, err
	}
	var list []source.Own
	known := map[string]bool{}
	for _, site := range sites {
		for _, c := range site.Collections {
			if !known[c.Name] {
				known[c.Name] = true
				list = append(list, source.Own(c))
			}
		}
	}
	return list, nil
}

// keptSweep opens the last revision of a sweep that was run from a file in this
// workspace, without the overrides of earlier commands. It does not find a revision of
// an embedded experiment: that name still means the experiment, which may have changed
// with the program.
func (a *app) keptSweep(name string, overrides []string) (s sweepRef, found bool, err error) {
	w, err := a.openWorkspace()
	if errors.Is(err, workspace.ErrNone) {
		return sweepRef{}, false, nil
	}
	if err != nil {
		return sweepRef{}, false, err
	}
	file, text, manifest, err := w.Sweep(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && manifest.Base == "" {
		return sweepRef{}, false, nil
	}
	if err != nil {
		return sweepRef{}, false, err
	}
	spec, err := sweeps.ParseKept(file, text, overrides...)
	if err != nil {
		return sweepRef{}, false, err
	}
	return sweepRef{spec: spec, base: manifest.Base, recipe: plan.Recipes(filepath.Join(manifest.Base, filepath.Base(file)), experiments.Recipe)}, true, a.applySites(spec, manifest.Base)
}

func embeddedRecipe(name string) (*sweeps.Recipe, error) {
	file, text, err := experiments.Recipe(name)
	if err != nil {
		return nil, err
	}
	return sweeps.ParseRecipe(file, text)
}

// planSweep plans a sweep in this invocation's workspace, which may not exist.
func (a *app) planSweep(ctx context.Context, s sweepRef, only []sweeps.Filter) (*plan.Plan, error) {
	if _, err := a.openWorkspace(); err != nil && !errors.Is(err, workspace.ErrNone) {
		return nil, err
	}
	resolver, err := a.resolver(s.base)
	if err != nil {
		return nil, err
	}
	resolver.Verify = s.verify
	if s.base != "" {
		resolver.Also = []string{filepath.Join(s.base, "backbones")} // for recipes in that folder
	}
	p, err := plan.Make(ctx, plan.Options{
		Spec: s.spec, Only: only, Workspace: resolver.Workspace, Resolver: resolver,
		Recipe: s.recipe, Holder: a.holder,
	})
	if err != nil {
		return nil, err
	}
	return p, checkCheckpoints(resolver, p)
}

// holder names the live process that works in a folder, "" for none.
func (a *app) holder(folder string) string {
	info, err := lease.Inspect(folder, lease.Options{Now: a.env.Now})
	if err != nil || info.State != lease.Held {
		return ""
	}
	return fmt.Sprintf("process %d on %s", info.PID, info.Host)
}

// parseOnly reads every --only expression and reports all faults.
func parseOnly(expressions []string) ([]sweeps.Filter, error) {
	var filters []sweeps.Filter
	var faults []error
	for _, expression := range expressions {
		filter, err := sweeps.ParseOnly(expression)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		filters = append(filters, filter)
	}
	return filters, errors.Join(faults...)
}

// recipes finds recipe:NAME of the command line among the backbones that the
// workspace's recipes have made.
type recipes struct{ root string }

func (r *recipes) id(name string) (string, error) {
	w, err := workspace.Open(r.root)
	if err != nil {
		return "", err
	}
	ids, err := w.Recipes()
	if err != nil {
		return "", err
	}
	var made, named []string
	for _, id := range ids {
		recipe, _, err := w.ReadRecipe(id)
		if err != nil || recipe.Name != name {
			continue
		}
		named = append(named, id)
		if _, err := os.Stat(w.Backbone(id)); err == nil {
			made = append(made, id)
		}
	}
	switch {
	case len(made) == 1:
		return made[0], nil
	case len(made) > 1:
		return "", fmt.Errorf("recipe %q was changed and made %d backbones here; name one as recipe:ID: %s", name, len(made), strings.Join(made, ", "))
	case len(named) > 0:
		return named[0], nil
	default:
		return "", fmt.Errorf("%w: no recipe %q has been run in this workspace: `headroom pretrain` does", source.ErrUnresolved, name)
	}
}
