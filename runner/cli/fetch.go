package cli

import (
	"context"
	"errors"
	"slices"

	"headroom/data/source"
	"headroom/runner/plan"
	"headroom/runner/prepare"
	"headroom/sweeps"
)

// fetcher finds a model's folder. If it is a model of the hub that is not in the hub's
// cache, it downloads the files that a command needs.
type fetcher func(ctx context.Context, r *source.Resolver, ref string) (folder string, err error)

// wholeModel fetches configuration, tokenizer and weights.
func (a *app) wholeModel(ctx context.Context, r *source.Resolver, ref string) (string, error) {
	show, end := a.fetching(r)
	defer end()
	return r.Fetch(ctx, ref, show)
}

// onlyTokenizer fetches the tokenizer without weights.
func (a *app) onlyTokenizer(ctx context.Context, r *source.Resolver, ref string) (string, error) {
	show, end := a.fetching(r)
	defer end()
	return r.FetchTokenizer(ctx, ref, show)
}

// fetching shows the progress of a download.
func (a *app) fetching(r *source.Resolver) (show func(source.Progress), end func()) {
	var progress *counter
	show = func(p source.Progress) {
		if p.Failed != "" {
			a.note("fetching %s: %s", p.Model, p.Failed)
			return
		}
		if progress == nil {
			a.note("fetching %s into %s", p.Model, r.HubCache)
			progress = a.newCounter("fetch " + p.Model + ", MB")
		}
		progress.at(int(p.Done/1e6), int(p.Total/1e6))
	}
	return show, func() {
		if progress != nil {
			progress.end()
		}
	}
}

// fetchUnresolved downloads the inputs of a plan's unfinished rows: models of the hub and
// collections that have names. It returns true if it did, and then the plan must be made
// again. It fetches nothing for a plan with inputs that cannot be fetched, or without a
// backend.
func (a *app) fetchUnresolved(ctx context.Context, s sweepRef, p *plan.Plan) (bool, error) {
	resolver, err := a.resolver(s.base)
	if err != nil || resolver.Offline {
		return false, err
	}
	lacking, err := prepare.Unresolved(p).FindLacking(resolver)
	if err != nil || lacking.None() {
		return false, err
	}
	if err := a.checkBackends(ctx, p); err != nil {
		return false, err
	}
	return true, a.bring(ctx, resolver, lacking)
}

// fetchRecipe downloads the inputs of a recipe.
func (a *app) fetchRecipe(ctx context.Context, resolver *source.Resolver, recipe *sweeps.Recipe) (bool, error) {
	return a.fetchAll(ctx, resolver, []string{recipe.Start.Folder}, []string{recipe.Tokenizer}, func() error { return nil })
}

// fetchAll downloads the references that are models of the hub and not here. It calls
// first once before it fetches anything.
func (a *app) fetchAll(ctx context.Context, resolver *source.Resolver, models, tokenizers []string, first func() error) (bool, error) {
	type item struct {
		ref   string
		bring fetcher
	}
	var todo []item
	add := func(refs []string, bring fetcher, find func(string) (string, error)) {
		slices.Sort(refs)
		for _, ref := range slices.Compact(refs) {
			if !resolver.Fetchable(ref) {
				continue
			}
			if _, err := find(ref); errors.Is(err, source.ErrUnresolved) {
				todo = append(todo, item{ref, bring})
			}
		}
	}
	add(models, a.wholeModel, resolver.Model)
	add(tokenizers, a.onlyTokenizer, resolver.Tokenizer)
	if len(todo) == 0 {
		return false, nil
	}
	if err := first(); err != nil {
		return false, err
	}
	for _, it := range todo {
		if _, err := it.bring(ctx, resolver, it.ref); err != nil {
			return false, err
		}
	}
	return true, nil
}
