package workspace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"headroom/internal/seal"
	"headroom/metrics/record"
)

// RecordCollections records the present digests of the workspace's collections: those that
// the last revisions of its sweeps ask for, those recorded before, and those in more. find
// returns a collection's digest; if it fails, as in a workspace that was copied without its
// data, the recorded digest stays. A read-only workspace is left as it is.
//
// A damaged record is put aside, and a new one is made. note then says so; it is "" if
// nothing was damaged.
func (w Workspace) RecordCollections(find func(reference, split string) (digest string, err error), more ...record.Reference) (note string, err error) {
	seen, err := record.ReadCollections(w.Root)
	if seal.IsDamage(err) {
		path := filepath.Join(w.Root, record.CollectionsFile)
		note = fmt.Sprintf("%v; it was put aside as %s.damaged and made again from what the collections hold now", err, filepath.Base(path))
		if err = w.disk.Rename(path, path+".damaged"); unwritable(err) {
			return "", nil // its reader reports the damage
		}
		seen = record.Collections{}
	}
	if err != nil {
		return "", err
	}
	return note, w.recordCollections(seen, find, more)
}

// unwritable reports whether an error says that a workspace cannot be written.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

func (w Workspace) recordCollections(seen record.Collections, find func(reference, split string) (digest string, err error), more []record.Reference) error {
	asked, err := w.askedReferences()
	if err != nil {
		return err
	}
	type key struct{ name, split string }
	digests, wanted := map[key]string{}, map[key]bool{}
	for _, r := range seen.References {
		digests[key{r.Reference, r.Split}] = r.Collection
	}
	for _, r := range asked {
		wanted[key{r.Reference, r.Split}] = true
	}
	held := map[key]bool{} // digests that were found now, with their splits
	gone := map[key]bool{}
	for _, r := range slices.Concat(seen.References, asked, more) {
		at := key{r.Reference, r.Split}
		digest, err := find(r.Reference, r.Split)
		if err != nil {
			gone[at] = true
			continue
		}
		digests[at], held[key{digest, r.Split}] = digest, true
	}
	// The old name of a renamed folder loses its digest, unless a sweep still asks for it.
	for at := range gone {
		if digest, known := digests[at]; known && held[key{digest, at.split}] && !wanted[at] {
			digests[at] = ""
		}
	}
	now := record.Collections{Schema: 1, References: []record.Reference{}}
	for at, digest := range digests {
		now.References = append(now.References, record.Reference{Reference: at.name, Split: at.split, Collection: digest})
	}
	slices.SortFunc(now.References, func(a, b record.Reference) int {
		return strings.Compare(a.Reference+"\x00"+a.Split, b.Reference+"\x00"+b.Split)
	})
	if slices.Equal(now.References, seen.References) {
		return nil
	}
	text, err := seal.IndentedJSON(now)
	if err != nil {
		return fmt.Errorf("record collections: %w", err)
	}
	err = w.disk.WriteFile(filepath.Join(w.Root, record.CollectionsFile), func(out io.Writer) error {
		_, err := out.Write(text)
		return err
	})
	if err != nil && !unwritable(err) {
		return fmt.Errorf("record collections: %w", err)
	}
	return nil
}

// askedReferences lists the collections that the last revisions of all sweeps ask for, with
// repetitions.
func (w Workspace) askedReferences() ([]record.Reference, error) {
	names, err := w.Sweeps()
	if err != nil {
		return nil, err
	}
	var list []record.Reference
	known := map[record.Reference]bool{}
	for _, name := range names {
		_, _, manifest, err := w.Sweep(name)
		if err != nil {
			continue // the fold reports the damage
		}
		for _, run := range manifest.Runs {
			wanted, err := record.AskedReferences(run.Config)
			if err != nil {
				continue
			}
			for _, r := range wanted {
				if !known[r] {
					known[r] = true
					list = append(list, r)
				}
			}
		}
	}
	return list, nil
}
