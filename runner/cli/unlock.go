package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/runner/lease"
	"headroom/runner/workspace"
)

func newUnlock(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "unlock RUN",
		Short: "free a run whose process has ended without releasing it",
		Long: `Shows who holds the lease of a run, and frees it. RUN is a run's id or label, or the id
of a baseline or of a backbone's recipe, as in messages.

In most cases this is not necessary: a new process takes over the lease of a process that
has died on this machine at once, and of one on another machine after two minutes of
silence. The lease of a live process on this machine is not freed: stop that process
instead. A live process on another machine notices that it has lost the lease, and stops.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.unlock(args[0]) },
	}
}

func (a *app) unlock(text string) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	folder, name, err := findLease(w, text)
	if err != nil {
		return err
	}
	info, err := lease.Unlock(folder, lease.Options{})
	if err != nil {
		return fmt.Errorf("unlock %s: %w", name, err)
	}
	if a.global.json {
		d := struct {
			Schema int         `json:"schema"`
			Name   string      `json:"name"`
			Folder string      `json:"folder"`
			State  lease.State `json:"state"` // before
			Host   string      `json:"host,omitempty"`
			PID    int         `json:"pid,omitempty"`
			Since  *time.Time  `json:"since,omitempty"`
			Silent float64     `json:"silent_seconds"`
			Freed  bool        `json:"freed"`
		}{Schema: schema, Name: name, Folder: folder, State: info.State, Host: info.Host, PID: info.PID, Silent: info.Age.Seconds(), Freed: info.State != lease.Free}
		if !info.Since.IsZero() {
			d.Since = &info.Since
		}
		return failedError(a.printJSON(d))
	}
	if info.State == lease.Free {
		_, err = fmt.Fprintf(a.stdout, "%s: nobody holds it\n", name)
		return failedError(err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s: was held by %s, heard of %s ago; it is free now\n", name, info.Who(), info.Age.Round(time.Second))
	return failedError(err)
}

// findLease finds the folder with the lease of a run, baseline or backbone, by the beginning of
// its id, or of a run by its label.
func findLease(w workspace.Workspace, text string) (folder, name string, err error) {
	var found []string
	for _, kind := range []string{"runs", "baselines", "backbones"} {
		entries, err := os.ReadDir(filepath.Join(w.Root, kind))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
		for _, e := range entries {
			if text != "" && strings.HasPrefix(e.Name(), text) && e.IsDir() && (kind != "backbones" || strings.HasSuffix(e.Name(), ".work")) {
				found = append(found, filepath.Join(w.Root, kind, e.Name()))
			}
		}
	}
	switch len(found) {
	case 0:
		run, err := findRun(w, text)
		if err != nil {
			return "", "", err
		}
		return w.Run(run.ID), run.Label, nil
	case 1:
		return found[0], text, nil
	}
	return "", "", fmt.Errorf("find %q: %d ids begin so: %s", text, len(found), strings.Join(found, ", "))
}
