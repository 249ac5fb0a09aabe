package crash_test

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAnOutputThatIsGoneIsAnError has the program write to what a shell may give it.
func TestAnOutputThatIsGoneIsAnError(t *testing.T) {
	p := newPlace(t, t.TempDir())
	for _, args := range []string{"version", "version --json", "help", "plan small.toml", "plan small.toml --json", "doctor --json"} {
		for name, redirection := range map[string]string{
			"closed": ">&-", "full": ">/dev/full", "a pipe that nobody reads": "",
		} {
			c := exec.Command("bash", "-c", `"$0" `+args+" "+redirection, program)
			c.Dir = p.dir
			c.Env = p.command().Env
			var stderr bytes.Buffer
			c.Stderr = &stderr
			if redirection == "" {
				reader, writer, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				reader.Close()
				c.Stdout = writer
			}
			c.Run()
			if pipe, ok := c.Stdout.(*os.File); ok {
				pipe.Close()
			}
			if code := c.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "write standard output: ") {
				t.Errorf("headroom %s, standard output is %s: exit code %d: %s", args, name, code, stderr.String())
			}
		}
		c := p.command(strings.Fields(args)...)
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // as other programs give it
		if err != nil {
			t.Fatal(err)
		}
		c.Stdout = null
		if err := c.Run(); err != nil {
			t.Errorf("headroom %s >/dev/null: %v", args, err)
		}
		null.Close()
	}
}

// TestAHangupStopsARunAtACheckpoint closes the terminal, twice, as terminals do.
func TestAHangupStopsARunAtACheckpoint(t *testing.T) {
	p := newPlace(t, t.TempDir())
	steps, err := os.ReadFile(p.path("small.toml"))
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Replace(steps, []byte("steps = 120"), []byte("steps = 100000"), 1)
	if err := os.WriteFile(p.path("small.toml"), long, 0o644); err != nil {
		t.Fatal(err)
	}
	checkpoints := func() int {
		found, err := filepath.Glob(p.path("ws", "runs", "*", "checkpoints", "step-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	// Who runs the tests under nohup ignores hangups, and children inherit that unless
	// the parent handles them.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(handled) })
	c := p.command("run", "small.toml", "seed=1")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); checkpoints() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Process.Kill()
			t.Fatalf("no checkpoint: %s", stderr.String())
		}
	}
	c.Process.Signal(syscall.SIGHUP)
	time.Sleep(20 * time.Millisecond)
	c.Process.Signal(syscall.SIGHUP)
	late := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	c.Wait()
	late.Stop()
	if code := c.ProcessState.ExitCode(); code != 130 || !strings.Contains(stderr.String(), "interrupted: hangup") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if out := p.ok("status"); !strings.Contains(out, "interrupted") {
		t.Errorf("the status after a hangup:\n%s", out)
	}
	if out := p.ok("plan", "small.toml", "seed=1"); !strings.Contains(out, "resume") {
		t.Errorf("the plan after a hangup:\n%s", out)
	}
}

// TestNohupKeepsItsMeaning: a hangup that the caller has turned off stays off.
func TestNohupKeepsItsMeaning(t *testing.T) {
	p := newPlace(t, t.TempDir())
	c := exec.Command("bash", "-c", `trap '' HUP; "$0" run small.toml seed=1 & pid=$!; sleep .3; kill -HUP $pid; wait $pid`, program)
	c.Dir, c.Env = p.dir, p.command().Env
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
