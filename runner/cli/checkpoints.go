package cli

import (
	"errors"
	"fmt"
	"strings"

	"headroom/data/source"
	"headroom/models/hf"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// checkCheckpoints loads, as a worker would, each checkpoint from which unfinished
// rows of a plan start. So a tensor that is missing or has a wrong shape is found
// before anything is written, and not by every run.
func checkCheckpoints(resolver *source.Resolver, p *plan.Plan) error {
	var faults []error
	checked := map[string]bool{}
	check := func(key, ref, meant string, headless bool) {
		if ref == "" || checked[meant] {
			return
		}
		checked[meant] = true
		if err := checkCheckpoint(resolver, meant, headless); err != nil {
			faults = append(faults, fmt.Errorf("%s = %q: %w", key, ref, err))
		}
	}
	for _, r := range p.Runs {
		if !r.State.Finished() && r.State != plan.Unresolved {
			check("model.backbone", r.Config.Model.Backbone, backboneOf(r), false)
		}
	}
	needed := neededRecipes(p)
	for _, r := range p.Recipes {
		if needed[r.ID] {
			check("recipe "+r.Name+": start.folder", r.Recipe.Start.Folder, r.Recipe.Start.Folder, startsWithoutHead(r.Recipe))
		}
	}
	return errors.Join(faults...)
}

// backboneOf is the reference to a run's backbone. If a recipe was changed and has made
// several backbones, it is the one in the run's id.
func backboneOf(r plan.Run) string {
	if strings.HasPrefix(r.Inputs.Weights, "recipe:") {
		return r.Inputs.Weights
	}
	return r.Config.Model.Backbone
}

// startsWithoutHead reports whether a recipe makes a new MLM head.
func startsWithoutHead(r sweeps.Recipe) bool { return r.Start.Head == "new" }

func checkCheckpoint(resolver *source.Resolver, ref string, headless bool) error {
	folder, err := resolver.Model(ref)
	if err != nil {
		return err
	}
	checkpoint, err := hf.Load(folder, hf.Options{WithoutHead: headless})
	if err != nil {
		return err
	}
	_, err = evaluate.LoadTokenizer(checkpoint)
	return err
}
