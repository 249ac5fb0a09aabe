package safetensors_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/models/safetensors"
)

func TestAFileIsTheOldOrTheNewWhateverFails(t *testing.T) {
	write := func(disk atomic.Disk, dir string, x float32) error {
		return safetensors.WriteOn(disk, filepath.Join(dir, "m"), []safetensors.Tensor{{Name: "w", Shape: []int{1}, Data: []float32{x}}}, nil)
	}
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			if err := write(atomic.Disk{}, dir, 1); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error { return write(disk, dir, 2) },
		Read: func(dir string) (string, error) {
			f, err := safetensors.Open(filepath.Join(dir, "m"))
			if errors.Is(err, os.ErrNotExist) {
				return "none", nil
			}
			if err != nil {
				return "", err
			}
			defer f.Close()
			text, err := os.ReadFile(filepath.Join(dir, "m"))
			return fmt.Sprintf("%x", text), err
		},
	})
}
