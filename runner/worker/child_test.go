package worker_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"headroom/data/source"
	"headroom/runner/worker"
)

// childRun, if set, makes this test binary a worker process for that run of the
// workspace in the working directory. After childFull training steps, if that is
// set, no file can grow beyond childRoom bytes: to the worker it is a full disk.
const (
	childRun  = "HEADROOM_TEST_WORKER_RUN"
	childFull = "HEADROOM_TEST_WORKER_FULL"
	childRoom = 64 << 10
)

func TestMain(m *testing.M) {
	id := os.Getenv(childRun)
	if id == "" {
		os.Exit(m.Run())
	}
	now := time.Unix(0, 0)
	job := worker.Job{
		Workspace: "workspace", Kind: worker.KindRun, ID: id, Resolver: source.New(source.Environment{Getenv: os.Getenv}),
		Now: func() time.Time { now = now.Add(time.Second); return now }, // every step sends progress
	}
	out := io.Writer(os.Stdout)
	if at, err := strconv.Atoi(os.Getenv(childFull)); err == nil {
		out = &filler{at: at}
	}
	if err := worker.Run(context.Background(), job, out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// filler makes the disk full at a training step.
type filler struct{ at int }

func (f *filler) Write(line []byte) (int, error) {
	var m struct {
		Phase string `json:"phase"`
		Step  int    `json:"step"`
	}
	if json.Unmarshal(line, &m) == nil && m.Phase == "train" && m.Step == f.at {
		if err := limitFiles(childRoom); err != nil {
			return 0, err
		}
	}
	return os.Stdout.Write(line)
}

// child starts a worker process on a run.
func (b bench) child(t testing.TB, id string, env ...string) (*exec.Cmd, *bufio.Scanner, *bytes.Buffer) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, stderr := exec.Command(executable), &bytes.Buffer{}
	cmd.Dir, cmd.Stderr = filepath.Dir(b.files.Root), stderr
	cmd.Env = append(append(os.Environ(), childRun+"="+id, "HEADROOM_CACHE="+filepath.Join(cmd.Dir, "cache")), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out), stderr
}

// whole waits for the end of a worker process, and counts its messages.
func (b bench) whole(t testing.TB, id string) (lines int) {
	t.Helper()
	cmd, out, stderr := b.child(t, id)
	for out.Scan() {
		lines++
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the worker ended with %v: %s", err, stderr)
	}
	return lines
}

// killed ends a worker process by SIGKILL a little after its lines-th message. A process that ends before that is not
// harmed.
func (b bench) killed(t testing.TB, id string, lines int, later time.Duration) {
	t.Helper()
	cmd, out, stderr := b.child(t, id)
	for n := 0; n < lines && out.Scan(); n++ {
	}
	time.Sleep(later)
	err := cmd.Process.Kill()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	for out.Scan() {
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("the worker failed by itself: %v: %s", err, stderr)
	}
}
