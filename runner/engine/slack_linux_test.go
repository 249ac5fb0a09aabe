package engine_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"headroom/runner/engine"
)

// TestMemoryBehindTensorsIsReadable finds the place of a new slice in the process's mappings: far from the end of its
// own mapping.
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

const slackChild = "HEADROOM_TEST_SLACK"

// A process that has freed memory before it opens the backend holds no more for the memory
// behind tensors than one piece: Go once filled all of it with zeros then.
func TestMemoryBehindTensorsIsNotTouched(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run", "TestSlackProcess", "-test.v")
	child.Env = append(os.Environ(), slackChild+"=1")
	output, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	_, text, found := strings.Cut(string(output), "VmHWM:")
	var most int // kB
	if _, err := fmt.Sscan(text, &most); !found || err != nil {
		t.Fatalf("no peak in %q", output)
	}
	if most > 1<<20 {
		t.Errorf("opening the backend took %d MB", most>>10)
	}
}

func TestSlackProcess(t *testing.T) {
	if os.Getenv(slackChild) == "" {
		t.Skip(slackChild + " is not set: this is a process that another test starts")
	}
	used := make([][]byte, 40)
	for i := range used {
		used[i] = make([]byte, 1<<20)
	}
	clear(used[5:])
	runtime.GC() // the top of the heap is free, and not zeros
	e, err := engine.Open("go", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	runtime.KeepAlive(used)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(status))
}
