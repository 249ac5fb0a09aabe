// Package pjrtstub builds two PJRT plugins for tests. One computes nothing and shows what
// a real one would be given: tests look at programs too large to run, and see faults that
// no machine at hand has. The other computes with a real plugin and fails when it is told
// to, in the middle of a run.
package pjrtstub

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed plugin/stub.c
var stub []byte

// The environment variables that the plugin of Build reads, at every call anew.
const (
	// Program is the file that the program to compile is written to, as StableHLO text.
	Program = "STUB_PROGRAM"
	// Create and Compile are messages to fail with.
	Create  = "STUB_CREATE"
	Compile = "STUB_COMPILE"
	// Empty, set to anything, leaves the plugin without its interface.
	Empty = "STUB_EMPTY"
)

// Build compiles the plugin that computes nothing into folder, under a name that go-xla
// takes for the given platform, "cpu" or "cuda", and returns its path. It needs a C
// compiler and the go command, which knows where go-xla's header lies.
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
	if compiler == "" {
		compiler = "gcc"
	}
	include := "-I" + filepath.Join(strings.TrimSpace(string(output)), "pjrt")
	if text, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", "-Wall", "-pthread", include, "-o", path, path+".c", "-ldl").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build plugin %q: %w: %s", name, err, text)
	}
	return path, nil
}
