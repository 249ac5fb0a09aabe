package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/metrics/record"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

// runRef is a run of the workspace that a user named.
type runRef struct {
	ID    string
	Label string
}

// ambiguousError is returned when a prefix or label matches several runs.
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

// namedRun is a run with all its labels, one per sweep.
type namedRun struct {
	id     string
	labels []string
	begun  bool // it has a folder
}

// label is the first label that equals the text or begins with it, else the first label.
func (r namedRun) label(text string) string {
	for _, fits := range []func(label string) bool{
		func(label string) bool { return label == text },
		func(label string) bool { return strings.HasPrefix(label, text) },
	} {
		if i := slices.IndexFunc(r.labels, fits); i >= 0 {
			return r.labels[i]
		}
	}
	return r.labels[0]
}

// namedRuns lists the workspace's runs and the members of its sweeps. It reads files and
// needs no store. Without all it takes the labels of the last revisions; with all it takes
// those of every revision, and the label from a run's own configuration.
func namedRuns(w workspace.Workspace, all bool) ([]namedRun, error) {
	var runs []namedRun
	at := map[string]int{}
	add := func(id string, labels ...string) {
		i, known := at[id]
		if !known {
			i, at[id] = len(runs), len(runs)
			runs = append(runs, namedRun{id: id})
		}
		for _, label := range labels {
			if !slices.Contains(runs[i].labels, label) {
				runs[i].labels = append(runs[i].labels, label)
			}
		}
	}
	sweepNames, err := w.Sweeps()
	if err != nil {
		return nil, err
	}
	for _, name := range sweepNames {
		manifests, err := manifestsOf(w, name, all)
		if err != nil {
			return nil, err
		}
		for _, m := range manifests {
			for _, run := range m.Runs {
				add(run.Run, run.Label)
			}
		}
	}
	entries, err := os.ReadDir(filepath.Join(w.Root, "runs"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	for _, entry := range entries {
		id := entry.Name()
		if !sweeps.ID(id).Valid() {
			continue
		}
		_, member := at[id]
		add(id)
		runs[at[id]].begun = true
		if member && !all {
			continue
		}
		if config, _, err := w.ReadRun(id); err == nil {
			add(id, sweeps.Label(config, sweeps.ID(id)))
		}
	}
	for i := range runs {
		if len(runs[i].labels) == 0 { // its configuration cannot be read
			runs[i].labels = []string{sweeps.ID(runs[i].id).Short()}
		}
	}
	return runs, nil
}

// manifestsOf returns a sweep's last manifest, or all of them, the last first.
func manifestsOf(w workspace.Workspace, sweep string, all bool) ([]record.Manifest, error) {
	revisions, err := w.Revisions(sweep)
	if err != nil {
		return nil, err
	}
	slices.Reverse(revisions)
	if !all {
		revisions = revisions[:min(1, len(revisions))]
	}
	var manifests []record.Manifest
	for _, revision := range revisions {
		m, err := w.Manifest(sweep, revision)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, m)
	}
	return manifests, nil
}

// findRun finds a run by any label that it ever had, its id, or a unique beginning of either.
func findRun(w workspace.Workspace, text string) (runRef, error) {
	var runs []namedRun
	for _, all := range []bool{false, true} {
		var err error
		if runs, err = namedRuns(w, all); err != nil {
			return runRef{}, err
		}
		var begun, waits []namedRun // a waiting run has nothing to show
		for _, run := range runs {
			if run.begun {
				begun = append(begun, run)
			} else {
				waits = append(waits, run)
			}
		}
		found := matching(begun, text)
		if waiting := matching(waits, text); len(found) == 0 && len(waiting) > 0 {
			return runRef{}, fmt.Errorf("find run %q: %s (%s) has not begun: `headroom run` with its sweep begins it", text, waiting[0].Label, sweeps.ID(waiting[0].ID).Short())
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return runRef{}, &ambiguousError{text, found}
		}
	}
	near := ""
	if len(runs) > 0 {
		var labels []string
		for _, run := range runs {
			labels = append(labels, run.labels...)
		}
		slices.Sort(labels)
		near = "; there are: " + strings.Join(labels[:min(8, len(labels))], ", ")
		if len(labels) > 8 {
			near += ", …"
		}
	}
	return runRef{}, fmt.Errorf("find run %q: %w%s", text, errNoRun, near)
}

// matching returns the runs with the text as id or label or, if there are none, those
// whose id or label begins with it.
func matching(runs []namedRun, text string) []runRef {
	var whole, begin []runRef
	for _, run := range runs {
		ref := runRef{run.id, run.label(text)}
		switch {
		case text == "":
		case run.id == text || ref.Label == text:
			whole = append(whole, ref)
		case strings.HasPrefix(run.id, text) || strings.HasPrefix(ref.Label, text):
			begin = append(begin, ref)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	return begin
}
