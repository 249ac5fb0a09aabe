// Package cli is the program: commands, flags, what they print and the exit
// code. It wires the other packages together and nothing imports it.
//
// Results go to standard output, progress and notices to standard error. A
// command first checks everything that it can (arguments, configuration, data)
// and only then begins its work. An error of the work is a failure and exit code 1;
// any other refuses what was asked for, is exit code 2 and has changed nothing.
// exit.go holds the table.
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

// Env is what the program takes from its process; tests pass their own.
type Env struct {
	Stdin   io.Reader
	Getenv  func(string) string
	Environ []string // the environment of worker processes
	Now     func() time.Time
	// Executable is the program that `run` starts as workers.
	Executable string
	// Columns is the width of the terminal that w is, 0 where it is none.
	Columns func(w io.Writer) int
	// Lines is its height, 0 where it is none; nil is none.
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

// window is the size of the terminal that w is, 0 by 0 where it is none.
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
	// answered tells that a JSON document has been printed, so that an error prints none.
	answered bool
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
	a.global.json = asksForJSON(args) // also where the rest cannot be read
	err := execute(working, root, args)
	if fault := out.fault(); fault != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errOutput, fault) // whatever came of it
	}
	return a.exit(ctx, err)
}

// patience is how long a command that was told to stop may take to clean up.
const patience = 2 * time.Second

// execute runs the command. One that has been told to stop and does not, because it
// waits for a file or computes what cannot be interrupted, is left behind. Those that
// stop at a checkpoint are waited for.
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
