package collection_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/collection"
	"headroom/data/trec"
	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
)

func TestACollectionIsThereWholeOrNotAtAllWhateverFails(t *testing.T) {
	faults.Test(t, faults.Case{
		Write: func(disk atomic.Disk, dir string) error {
			err := collection.WriteOn(disk, filepath.Join(dir, "new", "c"), []collection.Document{{ID: "d", Text: "a text"}},
				[]collection.Query{{ID: "q", Text: "a query"}}, map[string]trec.Qrels{"test": {"q": {"d": 1}}})
			if errors.Is(err, fs.ErrExist) {
				return nil
			}
			return err
		},
		Read: func(dir string) (string, error) {
			folder := filepath.Join(dir, "new", "c")
			if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
				return "none", nil
			}
			c, err := collection.Open(folder)
			if err != nil {
				return "", err
			}
			_, err = c.Judgments("test")
			digest, other := c.Digest()
			return digest, errors.Join(err, other)
		},
	})
}
