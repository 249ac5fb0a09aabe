package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"headroom/metrics/record"
	"headroom/metrics/store"
	"headroom/runner/workspace"
)

// openStore opens the workspace's database after folding everything in the files. If another
// process is folding, it reads the database as it is and prints its age; it waits for the first
// fold of a workspace, before whose end the database has any part of the files.
func (a *app) openStore(ctx context.Context, w workspace.Workspace) (*store.Store, error) {
	s, damage, err := a.openFolded(ctx, w)
	if damage != nil {
		if text := damage.Error(); text != a.damage { // a command may open the store several times
			a.damage = text
			a.note("note: %s", text)
		}
	}
	return s, err
}

// openFolded is openStore that returns damage of the workspace's files, nil if there is none. All
// else has been folded then.
func (a *app) openFolded(ctx context.Context, w workspace.Workspace) (*store.Store, *store.Damage, error) {
	path, err := a.databasePath(w)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(path, store.WithClock(a.env.Now))
	if err != nil {
		return nil, nil, heldBy(path, err)
	}
	if err := a.recordCollections(w); err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	err = a.fold(ctx, w, s)
	var damage *store.Damage
	if err != nil && !errors.As(err, &damage) {
		return nil, nil, errors.Join(heldBy(path, err), s.Close())
	}
	return s, damage, nil
}

// fold folds everything in the files, as far as no other process is folding them.
func (a *app) fold(ctx context.Context, w workspace.Workspace, s *store.Store) error {
	for waiting := false; ; waiting = true {
		err := store.Fold(ctx, w.Root, s) // waits for a moment
		if !errors.Is(err, store.ErrLocked) {
			return err
		}
		at, err := s.FoldedAt()
		switch {
		case err != nil:
			return err
		case !at.IsZero():
			a.note("note: %v; figures are %s old", store.ErrLocked, a.env.Now().Sub(at).Round(time.Second))
			return nil
		case !waiting:
			a.note("note: %v for the first time; this command waits for the end of that", store.ErrLocked)
		}
	}
}

// openOwnStore opens the database of the command's workspace as openStore does.
func (a *app) openOwnStore(ctx context.Context) (*store.Store, error) {
	w, err := a.openWorkspace()
	if err != nil {
		return nil, err
	}
	return a.openStore(ctx, w)
}

// heldBy adds to the error of a locked database who holds it and what to do.
func heldBy(path string, err error) error {
	if !errors.Is(err, store.ErrBusy) {
		return err
	}
	who := "it is not known which"
	if holders := store.Holders(path); len(holders) > 0 {
		who = "it is open in " + strings.Join(holders, ", ")
	}
	return fmt.Errorf("%w; %s: end that program or wait for it, then give the command again", err, who)
}

// lookAtCollections records the present digests of the collections of the workspace's results,
// so that readers of the results know of changed files.
func (a *app) recordCollections(w workspace.Workspace, more ...record.Reference) error {
	resolver, err := a.resolver("")
	if err != nil {
		return err
	}
	note, err := w.RecordCollections(func(reference, split string) (string, error) {
		folder, err := resolver.Data(reference)
		if err != nil {
			return "", err
		}
		return resolver.DigestCollection(folder, split)
	}, more...)
	if note != "" {
		a.note("note: %s", note)
	}
	return err
}

func (a *app) databasePath(w workspace.Workspace) (string, error) {
	resolver, err := a.resolver("")
	if err != nil {
		return "", err
	}
	return store.Locate(w.Root, resolver.CacheDir)
}
