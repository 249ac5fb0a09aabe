package synthetic_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/synthetic"
	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
)

func TestTheBuiltinCollectionIsThereWholeOrNotAtAllWhateverFails(t *testing.T) {
	faults.Test(t, faults.Case{
		Write: func(disk atomic.Disk, dir string) error {
			return synthetic.InstallText(disk, filepath.Join(dir, "cache", "builtin"), "a text")
		},
		Read: func(dir string) (string, error) {
			home := filepath.Join(dir, "cache", "builtin")
			if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
				return "none", nil
			}
			return "whole", synthetic.Verify(home)
		},
	})
}
