package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"headroom/internal/plain"
)

// program starts a command. The message is on its standard input, and in its environment for
// commands that read no JSON.
type program struct {
	args []string
	form // turns a message into what is sent
}

func (p program) name() string {
	if len(p.args) == 3 && p.args[1] == "-c" {
		return "command of the shell"
	}
	return "command " + filepath.Base(p.args[0])
}

// saidBytes is how much of a command's output is kept.
const saidBytes = 2000

func (p program) deliver(ctx context.Context, m Message) error {
	body, err := p.body(m)
	if err != nil {
		return final{err}
	}
	command := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	command.Stdin = bytes.NewReader(body)
	command.Env = append(os.Environ(), "HEADROOM_ALERT="+m.Kind, "HEADROOM_ALERT_ID="+m.ID, "HEADROOM_SWEEP="+m.Sweep, "HEADROOM_RUN="+m.Run,
		"HEADROOM_LABEL="+m.Label, "HEADROOM_TITLE="+m.Title, "HEADROOM_TEXT="+m.Text, "HEADROOM_VERDICT="+m.Verdict, "HEADROOM_STEP="+strconv.Itoa(m.Step))
	said := &tail{}
	command.Stdout, command.Stderr = said, said
	ownGroup(command)
	command.WaitDelay = time.Second // a child that holds its output is not waited for
	err = command.Run()
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		return errors.New("it did not end in time and was killed")
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return final{fmt.Errorf("it cannot be started: %w", err)}
	}
	if text := strings.TrimSpace(said.String()); text != "" {
		err = fmt.Errorf("%w: %s", err, plain.Line(text))
	}
	return err
}

// ownGroup puts a command into a process group of its own: its children are killed with it,
// and a Ctrl-C for the runs does not reach it.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - saidBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.text) }
