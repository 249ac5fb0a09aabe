package cli

import (
	"errors"

	"headroom/data/collection"
	"headroom/data/groups"
	"headroom/data/source"
	"headroom/metrics/measure"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// target is one collection to evaluate on.
type target struct {
	ref  string
	data *collection.Collection
	// of identifies the evaluation of a run
	of plan.Evaluation
}

// withKept adds the measures and cuts of the evaluation that will be replaced, because a sweep
// or a report may need them. An evaluation that cannot be read has none, and is replaced by a
// good one.
func withKept(measures []measure.Measure, cuts evaluate.Cuts, folder string) ([]measure.Measure, evaluate.Cuts) {
	kept, err := evaluate.ReadSummary(folder)
	if err != nil {
		return measures, cuts
	}
	return evaluate.WithKept(measures, kept.Evaluation), cuts.And(kept.Evaluation)
}

// findTargets resolves and reads every collection, and reports all faults.
func findTargets(resolver *source.Resolver, refs []string, split string) ([]target, error) {
	var targets []target
	var faults []error
	for _, ref := range groups.Expand(refs) {
		folder, err := resolver.Data(ref)
		if err == nil {
			err = resolver.CheckCollection(folder, split)
		}
		var data *collection.Collection
		if err == nil {
			data, err = collection.Open(folder)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		targets = append(targets, target{ref: ref, data: data})
	}
	return targets, errors.Join(faults...)
}

// nameEvaluations gives each evaluation of a run the id under which plan looks for
// it.
func nameEvaluations(resolver *source.Resolver, targets []target, run runRef, config sweeps.RunConfig, split string) error {
	for i := range targets {
		digest, err := resolver.DigestCollection(targets[i].data.Folder, split)
		if err != nil {
			return err
		}
		targets[i].of = plan.RunEvaluation(resolver.Workspace, sweeps.ID(run.ID), config, resolver.Absolute(targets[i].ref), split, digest)
	}
	return nil
}
