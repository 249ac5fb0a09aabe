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

// fetcher finds a model's folder, and brings what a command needs of it where it
// is a model of the hub that is not in the hub's cache.
type fetcher func(ctx context.Context, r *source.Resolver, ref string) (folder string, err error)

// wholeModel fetches configuration, tokenizer and weights.
func (a *app) wholeModel(ctx context.Context, r *source.Resolver, ref string) (string, error) {
	show, end := a.fetching(r)
	defer end()
	return r.Fetch(ctx, ref, show)
}

// onlyTokenizer fetches no weights.
func (a *app) onlyTokenizer(ctx context.Context, r *source.Resolver, ref string) (string, error) {
	show, end := a.fetching(r)
	defer end()
	return r.FetchTokenizer(ctx, ref, show)
}

// fetching shows a download, where one happens.
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

// fetchUnresolved brings what unfinished rows of a plan wait for: models of the hub and
// collections that have names. It tells whether it did, so that the plan must be made again.
// Nothing is fetched for a plan that lacks what cannot be fetched, or a backend.
func (a *app) fetchUnresolved(ctx context.Context, s sweepRef, p *plan.Plan) (bool, error) {
	resolver, err := a.resolver(s.base)
	if err != nil || resolver.Offline {
		return false, err
	}
	lacking, err := prepare.Unresolved(p).Lacking(resolver)
	if err != nil || lacking.None() {
		return false, err
	}
	if err := a.checkBackends(ctx, p); err != nil {
		return false, err
	}
	return true, a.bring(ctx, resolver, lacking)
}

// fetchRecipe brings what a recipe starts from.
func (a *app) fetchRecipe(ctx context.Context, resolver *source.Resolver, recipe *sweeps.Recipe) (bool, error) {
	return a.fetchAll(ctx, resolver, []string{recipe.Start.Folder}, []string{recipe.Tokenizer}, func() error { return nil })
}

// fetchAll brings those of the references that are models of the hub and not
// there. first is asked once before anything is fetched.
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
