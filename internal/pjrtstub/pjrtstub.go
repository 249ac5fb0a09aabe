// Package pjrtstub builds two PJRT plugins for tests. One computes nothing and writes out
// the programs that a real plugin would get: so tests can look at programs that are too large
// to run, and at faults that the machine does not have. The other computes with a real plugin
// and fails on request, in the middle of a run.
package pjrtstub

import (
	"cmp"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed plugin/stub.c
var stub []byte

// The environment variables that the plugin of Build reads at every call.
const (
	// Program is the file to which the plugin writes the program to compile, as StableHLO text.
	Program = "STUB_PROGRAM"
	// Create and Compile are the messages with which these calls fail.
	Create  = "STUB_CREATE"
	Compile = "STUB_COMPILE"
	// Empty, set to any value, makes the plugin return no interface.
	Empty = "STUB_EMPTY"
)

// Build compiles the plugin that computes nothing into folder and returns its path. go-xla
// takes the plugin's name for the given platform, "cpu" or "cuda". Build needs a C compiler,
// and the go command, which finds go-xla's header.
func Build(folder, platform string) (string, error) {
	return build(folder, "pjrt_c_api_"+platform+"_plugin.so", stub)
}

func build(folder, name string, source []byte) (string, error) {
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		return "", fmt.Errorf("build plugin %q: find go-xla: %w", name, err)
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path+".c", source, 0o644); err != nil {
		return "", fmt.Errorf("build plugin %q: %w", name, err)
	}
	compiler := os.Getenv("CC")
	compiler = cmp.Or(compiler, "gcc")
	include := "-I" + filepath.Join(strings.TrimSpace(string(output)), "pjrt")
	if text, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", "-Wall", "-pthread", include, "-o", path, path+".c", "-ldl").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build plugin %q: %w: %s", name, err, text)
	}
	return path, nil
}
