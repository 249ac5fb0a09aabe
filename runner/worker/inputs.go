package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headroom/data/examples"
	"headroom/data/source"
	"headroom/runner/plan"
	"headroom/sweeps"
)

// ErrChanged is returned when a job's input files have changed since it was planned: its
// result would not belong to the job's id.
var ErrChanged = errors.New("changed since it was planned")

// compare refuses an input whose digest is not the one in the id. Digests are taken as in a
// plan: they are kept until a file changes in path, size or time.
func compare(key, ref, files, found, expected string) error {
	if found == expected {
		return nil
	}
	return fmt.Errorf("%s = %q: %s: %w: its digest is %s, and the id stands for %s; put back what was there, or run the sweep again: what is there now is planned as another run", key, ref, files, ErrChanged, found, expected)
}

// compareModel refuses a backbone that is not the one in the id.
func (w *worker) compareModel(key, ref string, in sweeps.Inputs) error {
	text := ref
	for _, kind := range []string{"recipe:", "hub:"} {
		if name, ok := strings.CutPrefix(in.Weights, kind); ok {
			if text = name; kind == "recipe:" {
				text = in.Weights
			}
		}
	}
	found, err := w.resolver.Checkpoint(text)
	if err != nil {
		return fmt.Errorf("%s = %q: %w", key, ref, err)
	}
	return errors.Join(
		compare(key, ref, found.Folder+" (config.json, *.safetensors)", found.Weights, in.Weights),
		compare(key, ref, found.Folder+" (tokenizer.json and the files beside it)", found.Tokenizer, in.Tokenizer),
	)
}

// compareData refuses training data that are not those in the id. opened has the digest of
// files; that of a collection is taken here.
func (a *attempt) compareData(ctx context.Context, set examples.Set, opened examples.Survey) error {
	ref, survey := a.cfg.Data.Train, opened
	if set.Folder != "" {
		var err error
		if survey, err = a.resolver.Survey(ctx, set); err != nil {
			return fmt.Errorf("data.train = %q: %w", ref, err)
		}
	}
	files := strings.Join(set.Files, ", ")
	if set.Folder != "" {
		files = set.Folder + " (corpus, queries, qrels/train)"
	} else if !strings.HasPrefix(survey.Columns, "query, positive") {
		files += ", or the documents and queries of its ids"
	}
	return compare("data.train", ref, files, survey.Digest, a.in.Data)
}

// compareDev refuses dev data that are not those in the id, if they choose the run's
// result.
func (a *attempt) compareDev(d *development) error {
	if !a.cfg.Selects() {
		return nil
	}
	var digests []string
	for _, c := range d.collections {
		digests = append(digests, c.digest)
	}
	refs := strings.Join(a.cfg.Evaluate.During, `", "`)
	return compare("evaluate.during", refs, "corpus, queries or qrels/"+plan.DuringSplit, strings.Join(digests, "+"), a.in.During)
}

// compareSplit refuses a baseline's data that are not those in its id. It returns the
// evaluation.
func (w *worker) compareSplit(ref, folder, split, id string, again func(digest string) plan.Evaluation) (plan.Evaluation, error) {
	digest, err := w.resolver.DigestCollection(folder, split)
	if err != nil {
		return plan.Evaluation{}, err
	}
	e := again(digest)
	if e.ID == id {
		return e, nil
	}
	return e, fmt.Errorf("evaluate.final = %q: %s (corpus, queries, qrels/%s): %w: its digest is %s, which the id %.8s does not stand for; put back what was there, or run the sweep again: what is there now is planned as another evaluation", ref, folder, split, ErrChanged, digest, id)
}

// compareInputs refuses a recipe's inputs if they are not those in its id.
func (b *backboneJob) compareInputs(in sweeps.Inputs) error {
	r := b.recipe
	if r.Start.Folder != "" {
		start, err := b.resolver.Checkpoint(b.startModel())
		if err == nil {
			err = compare("start.folder", r.Start.Folder, start.Folder+" (config.json, *.safetensors)", start.Weights, in.Weights)
		}
		if err == nil && r.Tokenizer == "" {
			err = compare("start.folder", r.Start.Folder, start.Folder+" (tokenizer.json and the files beside it)", start.Tokenizer, in.Tokenizer)
		}
		if err != nil {
			return err
		}
	}
	if r.Tokenizer != "" {
		path, err := b.resolver.Tokenizer(r.Tokenizer)
		digest := ""
		if err == nil {
			var tokens source.Tokens
			tokens, err = b.resolver.Tokens(path)
			digest = tokens.Digest
		}
		if err == nil {
			err = compare("tokenizer", r.Tokenizer, path, digest, in.Tokenizer)
		}
		if err != nil {
			return err
		}
	}
	var digests, folders []string
	for _, ref := range r.Data.Text {
		folder, err := b.resolver.Data(ref)
		digest := ""
		if err == nil {
			digest, err = b.resolver.DigestCorpus(folder)
		}
		if err != nil {
			return err
		}
		digests, folders = append(digests, digest), append(folders, folder)
	}
	return compare("data.text", strings.Join(r.Data.Text, `", "`), "the corpus of "+strings.Join(folders, " or "), strings.Join(digests, "+"), in.Data)
}
