package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"headroom/runner/gc"
)

type gcOptions struct {
	yes, backbones, cache bool
}

func newGC(a *app) *cobra.Command {
	var o gcOptions
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "list files of the workspace that nothing needs any more; --yes frees them",
		Long: `Lists the files of the workspace that nothing needs any more, with their sizes:
half-written files of killed processes, superseded checkpoints, the optimizer's state
of finished runs, evaluations that were never completed or whose run is not known,
documents' vectors that no evaluation needs, and partial downloads without progress
for a day. With --yes it frees them. --backbones and --cache add files that can be
made again.

It never frees results, event logs, exported models, the state of unfinished runs,
or files of a run on which a live process works.`,
		Example: `  headroom gc
  headroom gc --backbones --yes`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.gc(o) },
	}
	cmd.Flags().BoolVar(&o.yes, "yes", false, "free what is listed")
	cmd.Flags().BoolVar(&o.backbones, "backbones", false, "backbones made by recipes that no run uses, too")
	cmd.Flags().BoolVar(&o.cache, "cache", false, "unpacked texts and indexes in the cache, too")
	return cmd
}

// gcDocument is what --json prints.
type gcDocument struct {
	Schema int `json:"schema"`
	// Freed reports whether the items were freed (--yes) or only listed.
	Freed bool `json:"freed"`
	gc.Report
}

func (a *app) gc(o gcOptions) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	resolver, err := a.resolver("")
	if err != nil {
		return err
	}
	options := gc.Options{Workspace: w.Root, CacheDir: resolver.CacheDir, Backbones: o.backbones, Cache: o.cache, Now: a.env.Now}
	visit := gc.Find
	if o.yes {
		visit = gc.Free
	}
	report, fault := visit(options) // also show items that were freed before a fault
	if a.global.json {
		err = a.printJSON(gcDocument{Schema: schema, Freed: o.yes, Report: report})
	} else {
		err = a.printGC(w.Root, report, o.yes)
	}
	if fault != nil {
		return failedError(fault)
	}
	return failedError(err)
}

func (a *app) printGC(root string, r gc.Report, freed bool) error {
	rows := [][]string{}
	for _, i := range joinItems(r.Items) {
		path := i.Path
		if relative, err := filepath.Rel(root, path); err == nil && !strings.HasPrefix(relative, "..") {
			path = relative
		}
		rows = append(rows, []string{bytesText(i.Bytes), i.Kind, path, i.Why})
	}
	if len(rows) > 0 {
		if err := a.table(append([][]string{{"size", "what", "where", "why"}}, rows...)); err != nil {
			return err
		}
	}
	for _, k := range r.Kept {
		a.note("left alone: %s: %s", k.Path, k.Why)
	}
	switch {
	case len(r.Items) == 0:
		fmt.Fprintln(a.stdout, "nothing to free")
	case freed:
		fmt.Fprintf(a.stdout, "freed %s\n", bytesText(r.Bytes))
	default:
		fmt.Fprintf(a.stdout, "%s can be freed; nothing was: `headroom gc --yes` frees it\n", bytesText(r.Bytes))
	}
	return nil
}

// joinItems joins many consecutive items in one folder with the same reason to one.
func joinItems(items []gc.Item) []gc.Item {
	const few = 5
	var list []gc.Item
	for len(items) > 0 {
		first, n, bytes := items[0], 0, int64(0)
		for n < len(items) && items[n].Kind == first.Kind && items[n].Why == first.Why && filepath.Dir(items[n].Path) == filepath.Dir(first.Path) {
			bytes += items[n].Bytes
			n++
		}
		if n > few {
			list = append(list, gc.Item{Kind: first.Kind, Path: filepath.Dir(first.Path), Bytes: bytes, Why: fmt.Sprintf("%s, %d files", first.Why, n)})
		} else {
			list = append(list, items[:n]...)
		}
		items = items[n:]
	}
	return list
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
