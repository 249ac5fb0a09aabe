package engine_test

import (
	"bufio"
	"fmt"
	"os"
	"testing"
	"unsafe"

	"headroom/runner/engine"
)

// TestMemoryBehindTensorsIsReadable looks where a new slice lies in the
// process's mappings: far from the end of its own.
func TestMemoryBehindTensorsIsReadable(t *testing.T) {
	e, err := engine.Open("go", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tensor := make([]float32, 1<<20)
	address := uintptr(unsafe.Pointer(&tensor[0]))
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uintptr
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatal(err)
		}
		if from <= address && address < to {
			if behind := to - address; behind < 128<<20 || mode[0] != 'r' {
				t.Errorf("only %d MB of %s memory from a new tensor on", behind>>20, mode)
			}
			return
		}
	}
	t.Errorf("no mapping holds %x", address)
}
