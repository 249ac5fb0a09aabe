package gc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"headroom/internal/atomic"
	"headroom/runner/lease"
)

// leftovers finds half-written files of killed processes in a folder and below it that are old
// enough. It leaves out checkpoints, which function run finds.
func (o Options) leftovers(folder string) ([]Item, error) {
	var items []Item
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path != folder && isLeftover(path):
			if o.isOld(path) && !onlyCopy(path) {
				items = append(items, item(Leftover, path, "left half written by a process that was killed"))
			}
			if e.IsDir() {
				return fs.SkipDir
			}
		case e.IsDir() && e.Name() == "checkpoints":
			return fs.SkipDir
		}
		return nil
	})
	return items, err
}

// leftoversIn finds the leftovers in a folder itself.
func (o Options) leftoversIn(folder string) ([]Item, error) {
	list, err := entries(folder)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, e := range list {
		if path := filepath.Join(folder, e.Name()); isLeftover(path) && o.isOld(path) && !onlyCopy(path) {
			items = append(items, item(Leftover, path, "left half written by a process that was killed"))
		}
	}
	return items, nil
}

// isLeftover reports, by its name, whether a file is unfinished. It knows the names of
// internal/atomic, those of earlier versions, and the file with which a program tests whether
// it may write to a folder.
func isLeftover(path string) bool {
	name, folder := filepath.Base(path), filepath.Base(filepath.Dir(path))
	return atomic.Leftover(name) || strings.HasPrefix(name, ".writable-") ||
		strings.HasPrefix(name, ".model.tmp-") || folder == "lease" && strings.HasSuffix(name, ".tmp") ||
		strings.HasPrefix(name, "new-") && (folder == "digests" || isSpool(folder))
}

// onlyCopy is true for a folder whose replacement was cut short before the new folder had its
// name. The next writer moves the old one back.
func onlyCopy(path string) bool {
	replaced := atomic.ReplacedBy(path)
	if name, found := strings.CutSuffix(filepath.Base(path), ".old"); found && strings.HasPrefix(name, ".model.tmp-") {
		replaced = filepath.Join(filepath.Dir(path), "model")
	}
	if replaced == "" {
		return false
	}
	_, err := os.Stat(replaced)
	return err != nil
}

// leases finds the files of leases that were released or taken over long ago.
func (o Options) leases(folder string) ([]Item, error) {
	old, err := lease.SupersededFiles(folder, o.Now().Add(-settled))
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, path := range old {
		items = append(items, item(Leftover, path, "a lease that later ones have replaced"))
	}
	return items, nil
}
