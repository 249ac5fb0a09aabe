package hf_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/models/hf"
)

func TestAModelIsTheOldOrTheNewWhateverFails(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-tanh"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	save := func(disk atomic.Disk, dir, card string) error {
		m := fromCheckpoint(t, ck, true)
		m.Card = card
		return hf.SaveOn(disk, filepath.Join(dir, "model"), m)
	}
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			if err := save(atomic.Disk{}, dir, "old"); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error { return save(disk, dir, "new") },
		Read: func(dir string) (string, error) {
			folder := filepath.Join(dir, "model")
			if err := atomic.Mend(folder); err != nil {
				return "", err
			}
			if _, err := hf.Load(folder, hf.Options{}); err != nil {
				return "", err
			}
			card, err := os.ReadFile(filepath.Join(folder, "README.md"))
			pooling, other := os.ReadFile(filepath.Join(folder, "1_SpladePooling", "config.json"))
			return fmt.Sprintf("%s %d", card, len(pooling)), errors.Join(err, other)
		},
	})
}
