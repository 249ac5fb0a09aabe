package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/data/collection"
	"headroom/data/groups"
	"headroom/internal/atomic"
	"headroom/internal/seal"
	"headroom/metrics/record"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/search"
	"headroom/runner/vectors"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// keepDocuments keeps the documents' vectors of a run's model in the run's folder, and reuses vectors that are there.
func (a *app) keepDocuments(documents *evaluate.Documents, w workspace.Workspace, run runRef, keep bool) error {
	weights, err := vectors.ModelOf(plan.ModelFolder(w.Run(run.ID)))
	if errors.Is(err, seal.ErrNone) && !keep {
		return nil // exported by an older program
	}
	if err != nil {
		return fmt.Errorf("keep vectors of run %q: %w", run.Label, err)
	}
	documents.KeepIn(vectors.Open(vectors.Folder(w.Run(run.ID)), keep), weights, func(text string) { a.note("note: %s", text) })
	return nil
}

// keptIndex makes an index of the documents' vectors that a run has kept for a collection. It is in a folder next to
// the output; done removes it.
func (a *app) keptIndex(ctx context.Context, text string, o vectorsOptions) (index *search.Index, done func() error, err error) {
	if members := groups.Members(o.on); members != nil {
		return nil, nil, fmt.Errorf("--on %s stands for %d collections; allowed: one, as %s", o.on, len(members), members[0])
	}
	w, err := a.openWorkspace()
	if err != nil {
		return nil, nil, err
	}
	run, err := findRun(w, text)
	if err != nil {
		return nil, nil, err
	}
	config, _, err := w.ReadRun(run.ID)
	if err != nil {
		return nil, nil, err
	}
	resolver, err := a.resolver("")
	if err != nil {
		return nil, nil, err
	}
	targets, err := findTargets(resolver, []string{o.on}, o.split)
	if err != nil {
		return nil, nil, err
	}
	if err := nameEvaluations(resolver, targets, run, config, o.split); err != nil {
		return nil, nil, err
	}
	folder := targets[0].of.Folder
	again := fmt.Sprintf("headroom evaluate --run %s --on %s --split %s --keep-vectors", sweeps.ID(run.ID).Short(), o.on, o.split)
	summary, err := record.CheckEvaluation(folder, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, fmt.Errorf("run %q has no evaluation on %s, split %s: `%s` makes it, and keeps the vectors", run.Label, o.on, o.split, again)
	case err != nil:
		return nil, nil, err
	case !summary.KeepsVectors():
		return nil, nil, fmt.Errorf("run %q has kept no vectors on %s, split %s: `%s` encodes the documents again and keeps them; in a sweep evaluate.keep_vectors = true does", run.Label, o.on, o.split, again)
	}
	list, err := vectors.ReadList(filepath.Join(folder, record.VectorsFile))
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	if err := targets[0].data.Walk(func(d collection.Document) error { ids = append(ids, d.ID); return nil }); err != nil {
		return nil, nil, err
	}
	beside := os.TempDir()
	if o.output != "-" {
		beside = filepath.Dir(filepath.Clean(o.output))
	}
	temporary, err := os.MkdirTemp(beside, atomic.Unfinished)
	if err != nil {
		return nil, nil, fmt.Errorf("lay out vectors beside the output: %w", err)
	}
	done = func() error { return os.RemoveAll(temporary) }
	_, err = search.Create(filepath.Join(temporary, "index"), search.Options{}, func(b *search.Builder) (*search.Index, error) {
		at := 0
		for i := range list.Blocks {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			block, err := list.Block(folder, i)
			if errors.Is(err, fs.ErrNotExist) || seal.IsDamage(err) {
				return nil, fmt.Errorf("%w; `%s` encodes what is missing again", err, again)
			}
			if err != nil {
				return nil, err
			}
			for _, v := range block {
				if at < len(ids) {
					err = b.Add(ids[at], v)
				}
				if at++; err != nil {
					return nil, err
				}
			}
		}
		if at != len(ids) || at != list.Documents {
			return nil, &seal.Damage{Path: filepath.Join(folder, record.VectorsFile), What: fmt.Sprintf("its blocks have %d documents, the collection has %d", at, len(ids))}
		}
		return b.Finish()
	})
	if err == nil {
		index, err = search.Load(filepath.Join(temporary, "index"))
	}
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return index, done, nil
}
