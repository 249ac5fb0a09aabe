package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"headroom/internal/plain"
	"headroom/runner/pool"
	"headroom/runner/worker"
)

// The exit codes. Scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitRefused     = 2
	exitSomeFailed  = 3
	exitInterrupted = 130
)

// failure is an error of a command's work: something may have been written, and the
// request may be right.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failedError makes a failure of an error, nil of none.
func failedError(err error) error {
	if err == nil {
		return nil
	}
	return failure{err}
}

// ending is one row of the table from error to message and exit code.
type ending struct {
	code int
	when string // the text in help; "" for a row with another message for the same code
	// matches reports whether an error ends the program this way.
	matches func(err error) bool
	say     string // printed in place of the error's own text; "" prints that
	hint    string // printed after it, unless --quiet
}

// endings is the table. The first row that matches decides.
func endings() []ending {
	is := func(targets ...error) func(error) bool {
		return func(err error) bool {
			for _, target := range targets {
				if errors.Is(err, target) {
					return true
				}
			}
			return false
		}
	}
	return []ending{
		{
			code: exitDone, when: "done, collapsed runs included",
			matches: func(err error) bool { return err == nil },
		},
		{
			code:    exitFailed,
			matches: is(errOutput),
		},
		{
			code: exitInterrupted, when: "interrupted (Ctrl-C, SIGTERM, SIGHUP)",
			matches: is(pool.ErrInterrupted),
			say:     "interrupted", hint: "the same command again resumes from the last checkpoints",
		},
		{
			code:    exitInterrupted,
			matches: is(context.Canceled, worker.ErrInterrupted),
			say:     "interrupted",
		},
		{
			code: exitSomeFailed, when: "some runs failed; all others are done",
			matches: func(err error) bool { return errors.As(err, new(*pool.FailedError)) },
			hint:    "`headroom status` lists them; the same command again tries them again",
		},
		{
			code: exitFailed, when: "failed after work began",
			matches: func(err error) bool { return errors.As(err, new(failure)) },
		},
		{
			code: exitRefused, when: "refused before any work began: usage, configuration or data; nothing was changed",
			matches: func(error) bool { return true },
		},
	}
}

// exit prints the message of an error and returns its code.
func (a *app) exit(ctx context.Context, err error) int {
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Canceled, err) // it failed because it was interrupted
	}
	for _, row := range endings() {
		if !row.matches(err) {
			continue
		}
		if err != nil {
			a.printError(ctx, row, err)
		}
		return row.code
	}
	return exitFailed
}

// printError prints an error for people and, with --json if no other document was
// printed, as a JSON document.
func (a *app) printError(ctx context.Context, row ending, err error) {
	text := strings.TrimRight(err.Error(), "\n")
	if a.global.json && !a.answered {
		// Standard output may have failed; the message below is printed all the same.
		_ = a.printLine(errorDocument{schema, errorInfo{row.code, row.word(), text, row.hint}})
	}
	if row.say != "" {
		text = row.say
	}
	if cause := context.Cause(ctx); row.code == exitInterrupted && cause != nil && cause != context.Canceled {
		text += ": " + cause.Error() // the name of the signal
	}
	fmt.Fprintln(a.stderr, "headroom: "+plain.Lines(text))
	if row.hint != "" && !a.global.quiet {
		fmt.Fprintln(a.stderr, row.hint)
	}
}

// errorDocument is the JSON document for an error.
type errorDocument struct {
	Schema int       `json:"schema"`
	Error  errorInfo `json:"error"`
}

type errorInfo struct {
	Code    int    `json:"code"`    // the exit code
	Kind    string `json:"kind"`    // "refused", "failed", "some_failed" or "interrupted"
	Message string `json:"message"` // lines of text, one for each fault
	Hint    string `json:"hint,omitempty"`
}

// word names an exit code for programs.
func (e ending) word() string {
	switch e.code {
	case exitRefused:
		return "refused"
	case exitSomeFailed:
		return "some_failed"
	case exitInterrupted:
		return "interrupted"
	}
	return "failed"
}

// asksForJSON finds --json among arguments that may have faults.
func asksForJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "--json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}

// exitHelp is the table as help prints it.
func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, row := range endings() {
		if row.when == "" {
			continue
		}
		fmt.Fprintf(&b, "  %-4d %s\n", row.code, row.when)
	}
	return b.String()
}
