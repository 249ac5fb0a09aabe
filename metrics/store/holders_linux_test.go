package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"headroom/metrics/store"
)

func TestHoldersAreTheProcessesThatHaveTheFileOpen(t *testing.T) {
	w := newSpace(t)
	path := filepath.Join(w.Root, "headroom.db")
	w.Write("headroom.db", "")
	if got := store.Holders(path); len(got) != 0 {
		t.Errorf("nobody has it open: %q", got)
	}
	cmd := exec.Command("sleep", "60")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdin = file
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	want := []string{fmt.Sprintf("process %d (sleep)", cmd.Process.Pid)}
	var got []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = store.Holders(path); slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("holders %q, want %q", got, want)
}
