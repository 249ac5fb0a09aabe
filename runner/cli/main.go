// Package cli is the program: commands, flags, output and the exit code. It connects
// the other packages; no package imports it.
//
// Results go to standard output, progress and notices to standard error. A command
// first checks everything that it can (arguments, configuration, data) and only then
// starts its work. An error of the work is a failure, with exit code 1. Any other error
// is a refusal, with exit code 2; nothing has been changed then. exit.go has the table.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Env holds everything that the program takes from its process; tests pass their own.
type Env struct {
	Stdin   io.Reader
	Getenv  func(string) string
	Environ []string // the environment of worker processes
	Now     func() time.Time
	// Executable is the program that `run` starts for workers.
	Executable string
	// Columns is the width of the terminal w, 0 if w is no terminal.
	Columns func(w io.Writer) int
	// Lines is its height, 0 if w is no terminal; nil stands for no terminal.
	Lines func(w io.Writer) int
}

// SystemEnv is the environment of the running process.
func SystemEnv() Env {
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	return Env{
		Stdin:      os.Stdin,
		Getenv:     os.Getenv,
		Environ:    os.Environ(),
		Now:        time.Now,
		Executable: executable,
		Columns: func(w io.Writer) int {
			width, _ := window(w)
			return width
		},
		Lines: func(w io.Writer) int {
			_, height := window(w)
			return height
		},
	}
}

// window is the size of the terminal w, 0 by 0 if w is no terminal.
func window(w io.Writer) (width, height int) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, 0
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil || width < 20 {
		return 80, 24
	}
	return width, height
}

// app is one invocation of the program.
type app struct {
	env    Env
	stdout io.Writer
	stderr io.Writer
	global globalOptions
	// answered is true after a JSON document was printed, so that an error prints none.
	answered bool
	// damage is what the last note on damaged files said.
	damage string
	// offline forbids every download of this command and of its workers.
	offline bool
}

// Main runs one command and returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer, env Env) int {
	working, stop := context.WithCancel(ctx)
	defer stop()
	out := &output{to: stdout, lost: stop}
	behind := func(size func(io.Writer) int) func(io.Writer) int {
		return func(w io.Writer) int {
			switch {
			case size == nil:
				return 0
			case w == out:
				w = stdout
			}
			return size(w)
		}
	}
	env.Columns, env.Lines = behind(env.Columns), behind(env.Lines)
	a := &app{env: env, stdout: out, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	a.global.json = asksForJSON(args) // even if the rest has faults
	err := execute(working, root, args)
	if fault := out.fault(); fault != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errOutput, fault) // even if the command succeeded
	}
	return a.exit(ctx, err)
}

// patience is the time that an interrupted command has to clean up.
const patience = 2 * time.Second

// execute runs the command. It does not wait for an interrupted command that cannot stop,
// because it waits for a file or is in a computation. It waits for commands that stop at a
// checkpoint.
func execute(ctx context.Context, root *cobra.Command, args []string) error {
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	command, _, err := root.Find(args)
	if err == nil && slices.Contains([]string{"run", "pretrain", "worker", "task"}, command.Name()) {
		return <-done
	}
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return ctx.Err()
	}
}
