package source_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/source"
	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
)

func TestANoteInTheHubsCacheIsTheOldOrTheNewWhateverFails(t *testing.T) {
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "main"), []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error {
			return errors.Join(source.NoteOn(disk, dir, "main", "new"), source.NoteOn(disk, dir, "refs/pr/1", "new"))
		},
		Read: func(dir string) (string, error) {
			all := ""
			for _, name := range []string{"main", "refs/pr/1"} {
				text, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && len(text) != 3 {
					return "", errors.Join(err, errors.New("torn"))
				}
				all = string(text) // of the last, which is written last
			}
			return all, nil
		},
	})
}
