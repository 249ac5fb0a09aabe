package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"headroom/internal/nouns"
	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/workspace"
)

func newDB(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db COMMAND",
		Short: "check, repair or rebuild the store, which is made from the workspace's files",
		Args:  knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, errors.New("want rebuild, check or repair"))
		},
	}
	var deep bool
	check := &cobra.Command{
		Use: "check", Short: "compare the store with the workspace's files, and these with their digests", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dbCheck(cmd, deep) },
	}
	check.Flags().BoolVar(&deep, "deep", false, "read every byte, also of files whose path, size and time are as before")
	cmd.AddCommand(
		&cobra.Command{
			Use: "rebuild", Short: "make the store again from the workspace's files", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return a.dbRebuild(cmd) },
		},
		check,
		&cobra.Command{
			Use: "repair", Short: "repair damaged logs and make the store again; list what was done and what is left", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return a.dbRepair(cmd.Context()) },
		},
	)
	return cmd
}

// dbDocument is the JSON document of these commands.
type dbDocument struct {
	Schema int      `json:"schema"`
	Path   string   `json:"path"`
	OK     bool     `json:"ok"`
	Faults []string `json:"faults"`
	// Repaired is what db repair has done.
	Repaired []string `json:"repaired,omitempty"`
	// Unsealed counts folders of an older program, which recorded no digests; for db check --deep.
	Unsealed int `json:"unsealed,omitempty"`
}

func (a *app) dbRebuild(cmd *cobra.Command) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	path, err := a.databasePath(w)
	if err != nil {
		return err
	}
	if err := a.rebuild(cmd.Context(), w, path); err != nil {
		return failedError(err)
	}
	return a.printDB(dbDocument{Path: path, OK: true})
}

// rebuild makes the store again from the workspace's files.
func (a *app) rebuild(ctx context.Context, w workspace.Workspace, path string) error {
	return heldBy(path, a.awaitFolding(func() error { return store.Rebuild(ctx, w.Root, path, store.WithClock(a.env.Now)) }))
}

// awaitFolding calls a function that needs the right to fold, again as long as another process has it.
func (a *app) awaitFolding(work func() error) error {
	for waiting := false; ; waiting = true {
		err := work()
		if !errors.Is(err, store.ErrLocked) {
			return err
		}
		if !waiting {
			a.note("note: %v; this command waits for the end of that", store.ErrLocked)
		}
	}
}

func (a *app) dbCheck(cmd *cobra.Command, deep bool) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	var faults []error
	if _, err := record.ReadCollections(w.Root); err != nil {
		faults = append(faults, err) // opening the store rebuilds it
	}
	s, _, err := a.openFolded(cmd.Context(), w) // the check finds damage again
	if err != nil {
		return err
	}
	defer s.Close()
	err = a.awaitFolding(func() error { return store.Check(cmd.Context(), w.Root, s) })
	var damage *store.Damage
	if errors.As(err, &damage) {
		faults = append(faults, damage.Faults...)
	} else if err != nil {
		faults = append(faults, err)
	}
	found, err := a.examine(cmd.Context(), w, deep)
	if err != nil {
		return failedError(err)
	}
	document := dbDocument{Path: s.Path()}
	if deep {
		document.Unsealed = found.unsealed
	}
	var list []error
	for _, fault := range append(faults, found.faults...) {
		// A fault that both have found is listed once; what examine found may begin with what it did.
		text := fault.Error()
		if !slices.ContainsFunc(document.Faults, func(listed string) bool { return strings.HasSuffix(text, listed) }) {
			document.Faults, list = append(document.Faults, text), append(list, fault)
		}
	}
	document.OK = len(list) == 0
	return failedError(errors.Join(a.printDB(document), errors.Join(list...)))
}

func (a *app) printDB(d dbDocument) error {
	d.Schema, d.Faults = schema, append([]string{}, d.Faults...)
	if a.global.json {
		return a.printJSON(d)
	}
	if d.Unsealed > 0 {
		fmt.Fprintf(a.stdout, "no digest recorded: %s of an older program cannot be compared\n", nouns.Count(d.Unsealed, "folder"))
	}
	if d.OK {
		fmt.Fprintf(a.stdout, "%s: agrees with the files\n", d.Path)
	}
	return nil
}
