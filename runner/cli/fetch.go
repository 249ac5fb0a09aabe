package cli

import (
	"context"
	"errors"
	"slices"

	"headroom/data/source"
	"headroom/runner/plan"
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

// fetchUnresolved brings the hub models that unfinished rows of a plan wait for.
// It tells whether it did, so that the plan must be made again. Nothing is
// fetched for a plan that lacks data or a backend as well.
func (a *app) fetchUnresolved(ctx context.Context, s sweepRef, p *plan.Plan) (bool, error) {
	resolver, err := a.resolver(s.base)
	if err != nil {
		return false, err
	}
	var models, tokenizers []string
	var faults []error
	missing := map[string]bool{}
	for _, r := range p.Runs {
		if r.State != plan.Unresolved {
			continue
		}
		models = append(models, r.Config.Model.Backbone)
		lack := func(ref string, err error) {
			if err != nil && !missing[ref] {
				missing[ref] = true
				faults = append(faults, err)
			}
		}
		_, err := resolver.Training(r.Config.Data.Train)
		lack(r.Config.Data.Train, err)
		for _, ref := range r.Config.Evaluate.Final {
			_, err := resolver.Data(ref)
			lack(ref, err)
		}
	}
	for _, e := range p.Evaluations {
		if e.State == plan.Unresolved {
			models = append(models, e.Backbone)
		}
	}
	for _, r := range p.Recipes {
		if r.State == plan.Unresolved {
			models, tokenizers = append(models, r.Recipe.Start.Folder), append(tokenizers, r.Recipe.Tokenizer)
		}
	}
	return a.fetchAll(ctx, resolver, models, tokenizers, func() error {
		return errors.Join(append(faults, a.checkBackends(ctx, p))...)
	})
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
