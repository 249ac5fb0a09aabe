// Package xlatest gives tests XLA's CPU client, with which they run the code for GPUs.
package xlatest

import (
	"os"
	"testing"

	"headroom/runner/engine"
)

// Plugin returns the path of the plugin that make test-xla fetches; without it the test is skipped.
func Plugin(t testing.TB) string {
	t.Helper()
	plugin := os.Getenv("HEADROOM_XLA_PLUGIN")
	if plugin == "" {
		t.Skip("HEADROOM_XLA_PLUGIN is not set: no XLA plugin to test with (make test-xla gets one)")
	}
	return plugin
}

// Open opens the plugin with two threads and closes it when the test ends.
func Open(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.Open("xla:"+Plugin(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}
