// Package prepare lists the downloads that a sweep needs, and those that are not on this machine
// yet: models of the hub with their tokenizers, and published collections. It downloads nothing
// itself.
package prepare

import (
	"errors"
	"slices"

	"headroom/data/groups"
	"headroom/data/published"
	"headroom/data/source"
	"headroom/runner/plan"
)

// Needs are references, each once and in the order of their first use.
type Needs struct {
	// Models are needed whole.
	Models []string
	// Tokenizers are models of which only the tokenizer is needed.
	Tokenizers []string
	// Data are collections and examples.
	Data []string
}

// Of lists everything to which a plan's rows refer.
func Of(p *plan.Plan) Needs { return needsOf(p, func(plan.State) bool { return true }) }

// Unresolved lists everything that a plan's unresolved rows refer to.
func Unresolved(p *plan.Plan) Needs {
	return needsOf(p, func(s plan.State) bool { return s == plan.Unresolved })
}

func needsOf(p *plan.Plan, counts func(plan.State) bool) Needs {
	var n Needs
	add := func(list *[]string, references ...string) {
		for _, ref := range references {
			if ref != "" && !slices.Contains(*list, ref) {
				*list = append(*list, ref)
			}
		}
	}
	for _, r := range p.Runs {
		if counts(r.State) {
			add(&n.Models, r.Config.Model.Backbone)
			add(&n.Data, r.Config.Data.Train)
			add(&n.Data, r.Config.Evaluate.Final...)
			add(&n.Data, r.Config.Evaluate.During...)
			add(&n.Data, r.Config.Evaluate.Full...)
		}
	}
	for _, e := range p.Evaluations {
		if counts(e.State) {
			add(&n.Models, e.Backbone)
			add(&n.Data, e.Dataset)
		}
	}
	for _, r := range p.Recipes {
		if counts(r.State) {
			add(&n.Models, r.Recipe.Start.Folder)
			add(&n.Tokenizers, r.Recipe.Tokenizer)
			add(&n.Data, r.Recipe.Data.Text...)
		}
	}
	n.Data = groups.Expand(n.Data)
	return n
}

// Lacking lists the needs that are not on this machine.
type Lacking struct {
	Needs
	// Packages are the missing packages of the data.
	Packages []published.Package
}

// None reports whether nothing is missing.
func (l Lacking) None() bool { return len(l.Models)+len(l.Tokenizers)+len(l.Data) == 0 }

// FindLacking asks a resolver for the needs that are not here. Its error names every reference that
// cannot be downloaded. A reference that can be downloaded is no error, nor is a recipe's
// backbone.
func (n Needs) FindLacking(r *source.Resolver) (Lacking, error) {
	var l Lacking
	var faults []error
	look := func(references []string, find func(string) (string, error), to *[]string) {
		for _, ref := range references {
			if !r.Downloadable(ref) { // a folder or a recipe's backbone, which the plan has checked
				continue
			}
			if _, err := find(ref); errors.Is(err, source.ErrUnresolved) {
				*to = append(*to, ref)
			} else if err != nil {
				faults = append(faults, err)
			}
		}
	}
	look(n.Models, r.Model, &l.Models)
	look(n.Tokenizers, r.Tokenizer, &l.Tokenizers)
	for _, ref := range n.Data {
		packages, err := r.MissingPackages(ref)
		faults = append(faults, err)
		if len(packages) == 0 {
			continue
		}
		l.Data = append(l.Data, ref)
		for _, p := range packages {
			if !slices.ContainsFunc(l.Packages, func(q published.Package) bool { return q.Name == p.Name }) {
				l.Packages = append(l.Packages, p)
			}
		}
	}
	return l, errors.Join(faults...)
}
