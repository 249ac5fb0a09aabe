package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"headroom/metrics/store"
)

func newDB(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "db COMMAND",
		Short: "the store: make it again from the files, or check it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd, errors.New("want rebuild or check"))
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "rebuild", Short: "make the store again from the workspace's files", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return a.dbRebuild(cmd) },
		},
		&cobra.Command{
			Use: "check", Short: "compare the store with the workspace's files", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return a.dbCheck(cmd) },
		},
	)
	return cmd
}

// dbDocument is what both commands print.
type dbDocument struct {
	Schema int      `json:"schema"`
	Path   string   `json:"path"`
	OK     bool     `json:"ok"`
	Faults []string `json:"faults"`
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
	ctx := cmd.Context()
	s, err := store.Recreate(ctx, path, store.WithClock(a.env.Now))
	if err != nil {
		return failed(heldBy(path, err))
	}
	if err := errors.Join(store.Fold(ctx, w.Root, s), s.Close()); err != nil {
		return failed(err)
	}
	return a.printDB(dbDocument{Path: path, OK: true})
}

func (a *app) dbCheck(cmd *cobra.Command) error {
	w, err := a.openWorkspace()
	if err != nil {
		return err
	}
	s, err := a.openStore(cmd.Context(), w)
	if err != nil {
		return err
	}
	defer s.Close()
	err = store.Check(cmd.Context(), w.Root, s)
	document := dbDocument{Path: s.Path(), OK: err == nil}
	if err != nil {
		document.Faults = []string{err.Error()}
	}
	return failed(errors.Join(a.printDB(document), err))
}

func (a *app) printDB(d dbDocument) error {
	d.Schema, d.Faults = schema, append([]string{}, d.Faults...)
	if a.global.json {
		return a.printJSON(d)
	}
	if d.OK {
		fmt.Fprintf(a.stdout, "%s: agrees with the files\n", d.Path)
	}
	return nil
}
