package gc

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headroom/data/packages"
)

// spools returns the folders of the cache that hold large results about data files: unpacked
// texts and indexes of them.
func spools() []string { return []string{"unpacked", "examples", "texts"} }

func isSpool(folder string) bool { return slices.Contains(spools(), folder) }

// dataFolder is the folder of the cache that collections are brought into.
const dataFolder = "data"

// cacheLeftovers finds half-written files of killed processes in the cache.
func (o Options) cacheLeftovers() ([]Item, error) {
	items, err := o.downloads()
	if err != nil {
		return nil, err
	}
	for _, folder := range append(spools(), "digests", dataFolder) {
		found, err := o.leftovers(filepath.Join(o.CacheDir, folder))
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

// abandoned is the time without new bytes after which a partial download counts as given up.
const abandoned = 24 * time.Hour

// downloads finds partially downloaded packages. The next download would resume them, so they have to be older
// than other leftovers.
func (o Options) downloads() ([]Item, error) {
	incoming := packages.Store{Folder: filepath.Join(o.CacheDir, dataFolder)}.IncomingFolder("")
	list, err := entries(incoming)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, e := range list {
		if path := filepath.Join(incoming, e.Name()); e.IsDir() && o.unchanged(path, abandoned) {
			items = append(items, item(Leftover, path, "a download that was cut short, of which nothing has come for a day; `headroom data get` would resume it"))
		}
	}
	return items, nil
}

// cache frees the cache's results about data files, unless a run of the workspace is at
// work and may read them.
func (o Options) cache(free bool) ([]Item, []Kept, error) {
	runs, err := entries(filepath.Join(o.Workspace, "runs"))
	if err != nil {
		return nil, nil, err
	}
	for _, e := range runs {
		if who := holder(filepath.Join(o.Workspace, "runs", e.Name())); who != "" {
			return nil, []Kept{{Path: o.CacheDir, Why: fmt.Sprintf("run %.8s may read it: %s", e.Name(), who)}}, nil
		}
	}
	var items []Item
	for _, folder := range spools() {
		list, err := entries(filepath.Join(o.CacheDir, folder))
		if err != nil {
			return nil, nil, err
		}
		for _, e := range list {
			if path := filepath.Join(o.CacheDir, folder, e.Name()); e.Type().IsRegular() && !isLeftover(path) {
				items = append(items, item(Cache, path, "made again when it is needed"))
			}
		}
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Path, b.Path) })
	if !free {
		return items, nil, nil
	}
	freed, _, err := remove(items)
	return freed, nil, err
}
