// Command headroom trains and compares SPLADE models under different scales of
// the MLM head. All of it is runner/cli; here it meets the process.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"headroom/runner/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C has its default effect: the process ends
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, cli.SystemEnv()))
}
