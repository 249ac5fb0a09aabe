package kept_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/kept"
	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
)

func TestWhatIsKeptIsThereWholeOrNotAtAllWhateverFails(t *testing.T) {
	faults.Test(t, faults.Case{
		Write: func(disk atomic.Disk, dir string) error {
			s := kept.On(disk, filepath.Join(dir, "cache"))
			return s.WriteFile(filepath.Join(s.Dir, "indexes", "x"), func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err })
		},
		Read: func(dir string) (string, error) {
			text, err := os.ReadFile(filepath.Join(dir, "cache", "indexes", "x"))
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			} else if len(text) != 3+4 { // with its checksum
				err = errors.Join(err, errors.New("torn"))
			}
			return string(text), err
		},
	})
}
