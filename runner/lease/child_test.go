package lease_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"headroom/runner/lease"
)

// childFolder, if set, makes this test binary a process that acquires the lease
// of that folder, says how it went, and holds on until its input ends.
const childFolder = "HEADROOM_TEST_LEASE_FOLDER"

func TestMain(m *testing.M) {
	dir := os.Getenv(childFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	bufio.NewReader(os.Stdin).ReadString('\n') // the signal to begin
	l, err := lease.Acquire(dir, lease.Options{})
	var held lease.ErrHeld
	switch {
	case err == nil:
		fmt.Println("won")
	case errors.As(err, &held):
		fmt.Println("held", held.PID)
	default:
		fmt.Println("error", err)
	}
	io.Copy(io.Discard, os.Stdin)
	if l != nil {
		if err := l.Release(); err != nil {
			os.Exit(1)
		}
	}
	os.Exit(0)
}

// child is such a process.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, dir string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childFolder+"="+dir)
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.cmd.Process.Kill(); c.cmd.Wait() })
	return c
}

func (c *child) begin() { io.WriteString(c.in, "\n") }

func (c *child) answer(t *testing.T) string {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		t.Fatalf("child said %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}
