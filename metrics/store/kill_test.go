package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"headroom/metrics/store"
)

// childWorkspace, if set, makes this test binary a process that folds that
// workspace again and again.
const childWorkspace = "HEADROOM_TEST_FOLD_WORKSPACE"

// childDatabase, if set, makes this test binary a process that has that database open until its
// input ends.
const childDatabase = "HEADROOM_TEST_OPEN_DATABASE"

func TestMain(m *testing.M) {
	root, path := os.Getenv(childWorkspace), os.Getenv(childDatabase)
	switch {
	case root == "" && path == "":
		os.Exit(m.Run())
	case path != "":
		s, err := store.Open(path)
		fmt.Println("opened", err)
		io.Copy(io.Discard, os.Stdin)
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	var err error
	for err == nil {
		fmt.Println("folding")
		err = store.Rebuild(context.Background(), root, filepath.Join(root, store.FileName))
	}
	fmt.Println(err)
	os.Exit(1)
}

func TestAFoldKilledAnywhereHarmsNothing(t *testing.T) {
	w := demo(t)
	for i := range 4 {
		w.steps(w.attempt(string(rune('m'+i)), 0), 0, 60)
	}
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childWorkspace+"="+w.Root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(round*7) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); errors.As(err, new(*exec.ExitError)) && cmd.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
		s := w.open()
		if err := store.Check(context.Background(), w.Root, s); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		w.sameAsNew(s)
		s.Close()
	}
}
