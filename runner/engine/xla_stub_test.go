//go:build xla

package engine_test

import (
	"errors"
	"os"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/runner/engine"
)

// Faults that a device reports when it is opened and when a program is built reach the
// caller with their meaning, through the whole way that a real plugin's take.
func TestXLAFaultsOfADevice(t *testing.T) {
	path, err := pjrtstub.Build(t.TempDir(), "cuda")
	if err != nil {
		t.Fatal(err)
	}
	empty, err := pjrtstub.Build(t.TempDir(), "empty")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(pjrtstub.Empty, "1")
	if _, err := engine.Open("xla:"+empty, 1); !errors.Is(err, engine.ErrPluginVersion) {
		t.Errorf("a plugin without an interface: %v", err)
	}
	t.Setenv(pjrtstub.Empty, "")
	flags := os.Getenv("XLA_FLAGS")
	t.Setenv("XLA_FLAGS", flags) // opening a CUDA plugin adds to it
	t.Setenv("GOPJRT_CUDA_CHECKS", "0")
	for message, want := range map[string]error{
		"INTERNAL: no supported devices found for platform CUDA: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected":   engine.ErrNoGPU,
		"INTERNAL: CUDA driver version is insufficient for CUDA runtime version":                                             engine.ErrDriver,
		"INVALID_ARGUMENT: Unexpected PJRT_Client_Create_Args size: expected 96, got 64. Check installed software versions.": engine.ErrPluginVersion,
	} {
		t.Setenv(pjrtstub.Create, message)
		if _, err := engine.Open("xla:"+path, 1); !errors.Is(err, want) || !errors.Is(err, engine.ErrBackend) {
			t.Errorf("%s: %v", message, err)
		}
	}
	t.Setenv(pjrtstub.Create, "")
	e, err := engine.Open("xla:"+path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r := openReference(t, "bert-untied")
	m, err := engine.NewModel(e, r.checkpoint, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(pjrtstub.Compile, "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.")
	if err := m.Build(4, 16); !errors.Is(err, engine.ErrDeviceMemory) {
		t.Errorf("out of memory: %v", err)
	}
}
