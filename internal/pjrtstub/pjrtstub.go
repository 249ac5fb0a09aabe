// Package pjrtstub builds a PJRT plugin that computes nothing and shows what a real one
// would be given: tests look at programs too large to run, and see faults that no
// machine at hand has.
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
var source []byte

// The environment variables that the plugin reads, at every call anew.
const (
	// Program is the file that the program to compile is written to, as StableHLO text.
	Program = "STUB_PROGRAM"
	// Create and Compile are messages to fail with.
	Create  = "STUB_CREATE"
	Compile = "STUB_COMPILE"
	// Empty, set to anything, leaves the plugin without its interface.
	Empty = "STUB_EMPTY"
)

// Build compiles the plugin into folder under a name that go-xla takes for the given
// platform, "cpu" or "cuda", and returns its path. It needs a C compiler and the go
// command, which knows where go-xla's header lies.
func Build(folder, platform string) (string, error) {
	output, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/gomlx/go-xla").Output()
	if err != nil {
		return "", fmt.Errorf("build stub plugin: find go-xla: %w", err)
	}
	file := filepath.Join(folder, "stub.c")
	if err := os.WriteFile(file, source, 0o644); err != nil {
		return "", fmt.Errorf("build stub plugin: %w", err)
	}
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "gcc"
	}
	path := filepath.Join(folder, "pjrt_c_api_"+platform+"_plugin.so")
	include := "-I" + filepath.Join(strings.TrimSpace(string(output)), "pjrt")
	if text, err := exec.Command(compiler, "-shared", "-fPIC", "-O1", include, "-o", path, file).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build stub plugin: %w: %s", err, text)
	}
	return path, nil
}
