package engine_test

import (
	"os"
	"runtime"
	"testing"

	"headroom/runner/engine"
)

// TestAClosedEngineLeavesTheProcessAsItWas: threads and standard output are the process's,
// not the backend's.
func TestAClosedEngineLeavesTheProcessAsItWas(t *testing.T) {
	out := os.Stdout
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(5))
	first, err := engine.Open("go", 2)
	if err != nil {
		t.Fatal(err)
	}
	second, err := engine.Open("go", 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open("xla:/nowhere", 4); err == nil {
		t.Error("a plugin that is not there opens")
	}
	for step, close := range []func(){func() {}, first.Close, first.Close} {
		close()
		if threads := runtime.GOMAXPROCS(0); threads != 3 {
			t.Errorf("step %d, while an engine is open: %d threads, want 3", step, threads)
		}
	}
	second.Close()
	if threads := runtime.GOMAXPROCS(0); threads != 5 {
		t.Errorf("after the last engine: %d threads, want 5", threads)
	}
	if os.Stdout != out {
		t.Error("standard output is another")
	}
}
