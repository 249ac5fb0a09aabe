package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

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

// ending is one row of the table from error to message and exit code.
type ending struct {
	code int
	when string // what help prints; "" for a row that only words a code differently
	// matches says whether an error ends the program this way; began is whether
	// work had begun.
	matches func(err error, began bool) bool
	say     string // printed in place of the error's own text; "" prints that
	hint    string // printed after it, unless --quiet
}

// endings is the table. The first row that matches decides.
func endings() []ending {
	is := func(targets ...error) func(error, bool) bool {
		return func(err error, _ bool) bool {
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
			matches: func(err error, _ bool) bool { return err == nil },
		},
		{
			code: exitInterrupted, when: "interrupted (Ctrl-C, SIGTERM)",
			matches: is(pool.ErrInterrupted),
			say:     "interrupted", hint: "the same command again goes on from the last checkpoints",
		},
		{
			code:    exitInterrupted,
			matches: is(context.Canceled, worker.ErrInterrupted),
			say:     "interrupted",
		},
		{
			code: exitSomeFailed, when: "some runs failed; all others are done",
			matches: func(err error, _ bool) bool { return errors.As(err, new(*pool.FailedError)) },
			hint:    "`headroom status` lists them; the same command again tries them again",
		},
		{
			code: exitRefused, when: "refused before any work began: usage, configuration or data; nothing was changed",
			matches: func(_ error, began bool) bool { return !began },
		},
		{
			code: exitFailed, when: "failed after work began",
			matches: func(error, bool) bool { return true },
		},
	}
}

// exit prints the message of an error and returns its code.
func (a *app) exit(ctx context.Context, err error) int {
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Canceled, err) // what fails because it was told to stop
	}
	for _, row := range endings() {
		if !row.matches(err, a.began) {
			continue
		}
		if err != nil {
			text := row.say
			if text == "" {
				text = strings.TrimRight(err.Error(), "\n")
			}
			fmt.Fprintln(a.stderr, "headroom: "+text)
			if row.hint != "" && !a.global.quiet {
				fmt.Fprintln(a.stderr, row.hint)
			}
		}
		return row.code
	}
	return exitFailed
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
