// Package gc finds the files of a workspace that nothing needs any more, and frees them.
//
// It never frees results, event logs, exported models, the state of unfinished runs, or
// files of a run or backbone that a live process holds. It holds the lease of a folder while
// it works there. In places without a lease it frees nothing that is younger than an hour,
// since a process may be about to rename it.
package gc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"headroom/runner/lease"
)

// The kinds of items.
const (
	Leftover   = "leftover"   // of a process that was killed while it wrote
	Checkpoint = "checkpoint" // superseded by another
	Optimizer  = "optimizer"  // the optimizer's state of a finished run
	Evaluation = "evaluation" // of an unknown run, or not complete
	Vectors    = "vectors"    // of documents, that no evaluation needs or has kept
	Backbone   = "backbone"   // that no run uses; only when asked
	Cache      = "cache"      // made again when needed; only when asked
)

// settled is the age from which on a file in a place without a lease may be a leftover.
const settled = time.Hour

// Options say which files are considered.
type Options struct {
	// Workspace is the root of the workspace.
	Workspace string
	// CacheDir is the folder of files that can be made again; "" for none.
	CacheDir string
	// Backbones and Cache ask for kinds that are not freed by default.
	Backbones, Cache bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Item is one file or folder to free.
type Item struct {
	Kind string `json:"kind"`
	// Path is absolute.
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
	Why   string `json:"why"`

	remove func() error // nil removes the path and everything below it
}

// Kept is a place that was left alone although something in it may be free.
type Kept struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// Report lists the items that were found, or freed.
type Report struct {
	Items []Item `json:"items"`
	Kept  []Kept `json:"kept"`
	// Bytes is the size of the items.
	Bytes int64 `json:"bytes"`
}

// place is a part of the workspace with one lease.
type place struct {
	// lease is the folder whose lease guards it; "" for none.
	lease string
	look  func() ([]Item, error)
}

// Find returns what Free would free. It writes nothing.
func Find(o Options) (Report, error) { return o.visit(false) }

// Free frees what Find finds, and reports what it freed. One item that cannot be
// freed stops no other.
func Free(o Options) (Report, error) { return o.visit(true) }

func (o Options) visit(free bool) (Report, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	report := Report{Items: []Item{}, Kept: []Kept{}}
	places, err := o.places()
	for _, p := range places {
		items, kept, fault := p.visit(free)
		err = errors.Join(err, fault)
		report.Items = append(report.Items, items...)
		if kept != "" {
			report.Kept = append(report.Kept, Kept{Path: p.lease, Why: kept})
		}
	}
	if o.Cache && o.CacheDir != "" {
		items, kept, fault := o.cache(free)
		err = errors.Join(err, fault)
		report.Items, report.Kept = append(report.Items, items...), append(report.Kept, kept...)
	}
	for _, i := range report.Items {
		report.Bytes += i.Bytes
	}
	if err != nil {
		return report, fmt.Errorf("collect garbage: %w", err)
	}
	return report, nil
}

// visit finds the items of a place and, with free, frees them. If it must not do so, kept gives the reason.
func (p place) visit(free bool) (items []Item, kept string, err error) {
	if p.lease != "" {
		if who := holder(p.lease); who != "" {
			return nil, who, nil
		}
	}
	if items, err = p.look(); err != nil || len(items) == 0 || !free {
		return items, "", err
	}
	if p.lease != "" {
		held, err := lease.Acquire(p.lease, lease.Options{})
		var by lease.ErrHeld
		if errors.As(err, &by) {
			return nil, by.Error(), nil
		}
		if err != nil {
			return nil, "", err
		}
		defer func() {
			fault := held.Release()
			if existing(p.lease) != "" { // else the lease was removed with its folder
				err = errors.Join(err, fault)
			}
		}()
		if items, err = p.look(); err != nil { // nobody can change it any more
			return nil, "", err
		}
	}
	return remove(items)
}

func remove(items []Item) (freed []Item, kept string, err error) {
	for _, i := range items {
		do := i.remove
		if do == nil {
			do = func() error { return os.RemoveAll(i.Path) }
		}
		if fault := do(); fault != nil {
			err = errors.Join(err, fmt.Errorf("free %s: %w", i.Path, fault))
			continue
		}
		freed = append(freed, i)
	}
	return freed, "", err
}

// holder names the process that works in a folder, "" for none.
func holder(folder string) string {
	info, err := lease.Inspect(folder, lease.Options{})
	switch {
	case err != nil:
		return fmt.Sprintf("its lease cannot be read: %v", err)
	case info.State == lease.Held:
		return fmt.Sprintf("held by process %d on %s", info.PID, info.Host)
	}
	return ""
}

// places returns all parts of the workspace.
func (o Options) places() ([]place, error) {
	runs, err := entries(filepath.Join(o.Workspace, "runs"))
	backbones, fault := entries(filepath.Join(o.Workspace, "backbones"))
	err = errors.Join(err, fault)
	var places []place
	for _, e := range runs {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folder := filepath.Join(o.Workspace, "runs", e.Name())
			places = append(places, place{lease: folder, look: func() ([]Item, error) { return o.run(folder) }})
		}
	}
	var used map[string]bool
	if o.Backbones {
		used, fault = o.usedBackbones(runs)
		err = errors.Join(err, fault)
	}
	for _, id := range recipes(backbones) {
		work := filepath.Join(o.Workspace, "backbones", id+".work")
		places = append(places, place{lease: existing(work), look: func() ([]Item, error) { return o.backbone(id, used) }})
	}
	baselines, fault := entries(filepath.Join(o.Workspace, "baselines"))
	err = errors.Join(err, fault)
	for _, e := range baselines {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			folder := filepath.Join(o.Workspace, "baselines", e.Name())
			places = append(places, place{lease: folder, look: func() ([]Item, error) { return o.baselineVectors(folder) }})
		}
	}
	for _, folder := range []string{"", "runs", "backbones"} { // the folders inside them are places of their own
		places = append(places, place{look: func() ([]Item, error) { return o.leftoversIn(filepath.Join(o.Workspace, folder)) }})
	}
	for _, folder := range []string{"sweeps", "baselines", "report"} {
		places = append(places, place{look: func() ([]Item, error) { return o.leftovers(filepath.Join(o.Workspace, folder)) }})
	}
	if o.CacheDir != "" {
		places = append(places, place{look: func() ([]Item, error) { return o.cacheLeftovers() }})
	}
	return places, err
}

// existing returns the folder, or "" if it does not exist and so has no lease.
func existing(folder string) string {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return ""
	}
	return folder
}

// entries lists a folder, which need not exist.
func entries(folder string) ([]fs.DirEntry, error) {
	list, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// isOld reports whether nothing in a path has changed for an hour.
func (o Options) isOld(path string) bool { return o.unchanged(path, settled) }

// unchanged reports whether nothing in a path has changed for so long.
func (o Options) unchanged(path string, long time.Duration) bool {
	info, err := os.Lstat(path)
	return err == nil && o.Now().Sub(newest(path, info)) >= long
}

func newest(path string, info fs.FileInfo) time.Time {
	latest := info.ModTime()
	_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error { // a file that vanishes meanwhile is not old
		if err == nil {
			if info, err := e.Info(); err == nil && info.ModTime().After(latest) {
				latest = info.ModTime()
			}
		}
		return nil
	})
	return latest
}

func item(kind, path, why string) Item {
	return Item{Kind: kind, Path: path, Bytes: size(path), Why: why}
}

// size adds up the files of a path. Links do not count, nor do leases, because taking a lease
// adds one.
func size(path string) int64 {
	total := int64(0)
	_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error { // a file that cannot be read counts as empty
		if err == nil && e.IsDir() && e.Name() == "lease" {
			return fs.SkipDir
		}
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
