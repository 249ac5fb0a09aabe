package sample

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// RunTests runs a package's tests with the built program and returns the exit code. program is
// the path of the program; if it is empty, the program is built first and its path is set.
func RunTests(m interface{ Run() int }, program *string) int {
	if *program != "" {
		return m.Run()
	}
	folder, err := os.MkdirTemp("", "headroom-program-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "headroom")
	if out, err := exec.Command("go", "build", "-o", path, "headroom/cmd/headroom").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s\n", err, out)
		return 1
	}
	*program = path
	return m.Run()
}
