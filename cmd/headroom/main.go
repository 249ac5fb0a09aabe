// Command headroom trains and compares SPLADE models under different scales of
// the MLM head. All of it is runner/cli; here it meets the process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"headroom/internal/stdio"
	"headroom/runner/cli"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
	if signal.Ignored(syscall.SIGHUP) { // nohup
		ends = ends[:2]
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	// The second Ctrl-C ends the process; a terminal that closes may send SIGHUP twice.
	context.AfterFunc(ctx, func() { signal.Ignore(syscall.SIGHUP); stop() })
	signal.Ignore(syscall.SIGPIPE) // an output that nobody reads is then an error of the write
	os.Exit(cli.Main(ctx, os.Args[1:], stdio.Out(), os.Stderr, cli.SystemEnv()))
}
