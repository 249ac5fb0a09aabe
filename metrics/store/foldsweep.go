package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/metrics/record"
)

// rescaleOf returns a value for a column without a type: k, or the name of an automatic
// choice of it.
func rescaleOf(text json.RawMessage) (any, error) {
	if len(text) == 0 {
		return 0.0, nil
	}
	if text[0] == '"' {
		var auto string
		err := json.Unmarshal(text, &auto)
		return auto, err
	}
	var k float64
	err := json.Unmarshal(text, &k)
	return k, err
}

const manifestExtension = ".json"

// sweeps folds the manifests that changed and drops sweeps that are gone.
func (f *fold) sweeps(before *state) error {
	names, err := folders(filepath.Join(f.workspace, "sweeps"))
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, name := range names {
		revisions, stamp, err := f.revisions(name)
		if err != nil {
			return err
		}
		if len(revisions) == 0 {
			continue
		}
		there[name] = true
		if before.sweeps[name] == stamp {
			continue
		}
		if err := f.sweep(name, revisions, stamp); err != nil {
			return fmt.Errorf("sweep %q: %w", name, err)
		}
	}
	for name := range before.sweeps {
		if there[name] {
			continue
		}
		if err := f.inTx(func(tx *sql.Tx) error { return f.dropSweep(tx, name) }); err != nil {
			return fmt.Errorf("sweep %q: %w", name, err)
		}
	}
	return nil
}

// revisions lists a sweep's revisions, the last one last, and a stamp that changes
// with any of them.
func (f *fold) revisions(name string) ([]string, string, error) {
	entries, err := os.ReadDir(filepath.Join(f.workspace, "sweeps", name))
	if err != nil {
		return nil, "", err
	}
	var revisions []string
	var stamp strings.Builder
	for _, entry := range entries {
		revision, ok := strings.CutSuffix(entry.Name(), manifestExtension)
		if !ok || strings.HasPrefix(revision, ".") {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		revisions = append(revisions, revision)
		fmt.Fprint(&stamp, revision, " ", info.Size(), " ", info.ModTime().UnixNano(), "\n")
	}
	slices.Sort(revisions)
	return revisions, stamp.String(), nil
}

func (f *fold) dropSweep(tx *sql.Tx, name string) error {
	f.unsettled = true
	for _, table := range []string{"sweep", "member", "baseline_member", "asked"} {
		if _, err := tx.ExecContext(f.ctx, "DELETE FROM "+table+" WHERE sweep = ?", name); err != nil {
			return err
		}
	}
	return nil
}

// sweep folds every revision of a sweep. A sweep with a bad manifest is left out: half of
// it would make wrong tables.
func (f *fold) sweep(name string, revisions []string, stamp string) error {
	manifests := make([]record.Manifest, len(revisions))
	bad := false
	for i, revision := range revisions {
		m, err := record.ReadManifest(filepath.Join(f.workspace, "sweeps", name, revision+manifestExtension))
		if err != nil {
			f.fault(fmt.Errorf("read sweep: %w", err))
			bad = true
		}
		manifests[i] = m
	}
	return f.inTx(func(tx *sql.Tx) error {
		if err := f.dropSweep(tx, name); err != nil || bad {
			return err
		}
		last := len(revisions) - 1
		if _, err := tx.ExecContext(f.ctx, "INSERT INTO sweep (sweep, revision, question, stamp) VALUES (?,?,?,?)",
			name, revisions[last], manifests[last].Question, stamp); err != nil {
			return err
		}
		for i, m := range manifests {
			for position, r := range m.Runs {
				id, err := runID(f.ctx, tx, r.Run)
				if err != nil {
					return err
				}
				k, err := rescaleOf(r.Rescale)
				if err != nil {
					return fmt.Errorf("rescale of run %q: %w", r.Run, err)
				}
				if _, err := tx.ExecContext(f.ctx, `INSERT INTO member (sweep, revision, position, run_id, label, backbone, rescale, seed, config, added)
					VALUES (?,?,?,?,?,?,?,?,?,?)`,
					name, revisions[i], position, id, r.Label, r.Backbone, k, r.Seed, string(r.Config), strings.Join(r.Added, " ")); err != nil {
					return err
				}
			}
		}
		for position, b := range manifests[last].Baselines {
			if _, err := tx.ExecContext(f.ctx, "INSERT INTO baseline_member (sweep, position, evaluation, encoder, name, backbone) VALUES (?,?,?,?,?,?)",
				name, position, b.ID, b.Encoder, b.Name, b.Backbone); err != nil {
				return err
			}
		}
		list, err := askedReferences(manifests[last])
		if err != nil {
			return fmt.Errorf("revision %s: %w", revisions[last], err)
		}
		for position, at := range list {
			if _, err := tx.ExecContext(f.ctx, "INSERT INTO asked (sweep, position, reference, split) VALUES (?,?,?,?)", name, position, at.name, at.split); err != nil {
				return err
			}
		}
		return nil
	})
}

// askedReferences lists the collections that the runs are evaluated on, each once, in the order of
// the first run that asks for it.
func askedReferences(m record.Manifest) ([]reference, error) {
	var list []reference
	known := map[reference]bool{}
	for _, r := range m.Runs {
		wanted, err := record.AskedReferences(r.Config)
		if err != nil {
			return nil, fmt.Errorf("configuration of run %q: %w", r.Run, err)
		}
		for _, w := range wanted {
			if at := (reference{w.Reference, w.Split}); !known[at] {
				known[at] = true
				list = append(list, at)
			}
		}
	}
	return list, nil
}
