package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/runner/workspace"
	"headroom/sweeps"
)

// runRef is a run of the workspace that a user named.
type runRef struct {
	ID    string
	Label string
}

// ambiguousError is returned when a prefix or label stands for several runs.
type ambiguousError struct {
	text string
	runs []runRef
}

func (e *ambiguousError) Error() string {
	var names []string
	for _, run := range e.runs {
		names = append(names, run.Label+" ("+sweeps.ID(run.ID).Short()+")")
	}
	return fmt.Sprintf("find run %q: it stands for %d runs: %s", e.text, len(e.runs), strings.Join(names, ", "))
}

// errNoRun is returned when no run has such an id or label.
var errNoRun = errors.New("no run has an id or label that begins so")

// allRuns lists the workspace's runs from its files, so that naming one needs
// no store.
func allRuns(w workspace.Workspace) ([]runRef, error) {
	entries, err := os.ReadDir(filepath.Join(w.Root, "runs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	labels := map[string]string{}
	names, err := w.Sweeps()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		_, _, manifest, err := w.Sweep(name)
		if err != nil {
			return nil, err
		}
		for _, run := range manifest.Runs {
			labels[run.Run] = run.Label
		}
	}
	var runs []runRef
	for _, entry := range entries {
		id := entry.Name()
		if !sweeps.ID(id).Valid() {
			continue
		}
		label := labels[id]
		if label == "" { // in no sweep's last revision any more
			if config, _, err := w.ReadRun(id); err == nil {
				label = sweeps.Label(config, sweeps.ID(id))
			}
		}
		runs = append(runs, runRef{ID: id, Label: label})
	}
	return runs, nil
}

// findRun takes a run's label, or a unique prefix of a label or an id.
func findRun(w workspace.Workspace, text string) (runRef, error) {
	runs, err := allRuns(w)
	if err != nil {
		return runRef{}, err
	}
	var found []runRef
	for _, run := range runs {
		if run.Label == text || run.ID == text {
			return run, nil
		}
		if text != "" && (strings.HasPrefix(run.Label, text) || strings.HasPrefix(run.ID, text)) {
			found = append(found, run)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		near := ""
		if len(runs) > 0 {
			labels := make([]string, len(runs))
			for i, run := range runs {
				labels[i] = run.Label
			}
			slices.Sort(labels)
			near = "; there are: " + strings.Join(labels[:min(8, len(labels))], ", ")
			if len(labels) > 8 {
				near += ", …"
			}
		}
		return runRef{}, fmt.Errorf("find run %q: %w%s", text, errNoRun, near)
	default:
		return runRef{}, &ambiguousError{text, found}
	}
}
