package gc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/metrics/record"
	"headroom/runner/vectors"
)

// runVectors finds the unneeded blocks of a run. An unknown run needs none.
func (o Options) runVectors(folder string, finished bool) ([]Item, error) {
	_, unknown := os.Stat(filepath.Join(folder, "config.toml"))
	if errors.Is(unknown, fs.ErrNotExist) {
		return o.vectors(folder, nil, true)
	}
	evaluations, err := entries(filepath.Join(folder, "evaluations"))
	if err != nil {
		return nil, err
	}
	var lists []string
	for _, e := range evaluations {
		lists = append(lists, filepath.Join(folder, "evaluations", e.Name(), record.VectorsFile))
	}
	return o.vectors(folder, lists, finished)
}

// baselineVectors finds the unneeded blocks of a baseline.
func (o Options) baselineVectors(folder string) ([]Item, error) {
	_, unmeasured := os.Stat(filepath.Join(folder, record.SummaryFile))
	return o.vectors(folder, []string{filepath.Join(folder, record.VectorsFile)}, unmeasured == nil)
}

// vectors finds the blocks of documents' vectors that nothing needs: those that no list names, and, after the last
// evaluation, those of an encoding that was cut short. They have to be old, because `evaluate --run` holds no lease.
func (o Options) vectors(of string, lists []string, measured bool) ([]Item, error) {
	dir := vectors.Folder(of)
	blocks, err := entries(dir)
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	named := map[string]bool{}
	for _, path := range lists {
		list, err := vectors.ReadList(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err // it may name any
		}
		for _, key := range list.Blocks {
			named[key] = true
		}
	}
	var items []Item
	for _, e := range blocks {
		path := filepath.Join(dir, e.Name())
		if !measured || !o.isOld(path) {
			continue
		}
		if key := vectors.Kept(e.Name()); vectors.IsPart(e.Name()) {
			items = append(items, item(Vectors, path, "documents' vectors of an encoding that was cut short"))
		} else if key != "" && !named[key] {
			items = append(items, item(Vectors, path, "documents' vectors of no evaluation"))
		}
	}
	return items, nil
}
