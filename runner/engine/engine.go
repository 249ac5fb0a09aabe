// Package engine opens a compute backend and runs GoMLX graphs on it. Only here do
// panics of backends and graph builders become errors.
package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	_ "github.com/gomlx/compute/gobackend" // the backend that is always there
)

// Engine is an open backend.
type Engine struct {
	backend compute.Backend
	name    string // "go" or "xla"
	threads int
	device  string
	cuda    bool
	lost    atomic.Bool // the device failed: neither it nor its programs are freed
}

// Open opens the backend that a configuration names: "go", "xla", "xla:/path"
// or "auto", which takes the Go backend only if no GPU is visible. threads
// bounds the CPU threads of the Go backend and, until Close, of this process; 0 is all cores.
func Open(name string, threads int) (*Engine, error) {
	if threads < 1 {
		threads = runtime.NumCPU()
	}
	kind, plugin, err := choose(name)
	if err != nil {
		return nil, err
	}
	before := enterEngine(threads)
	reserveSlack()
	e := &Engine{name: kind, threads: threads, device: "CPU"}
	if kind == "xla" {
		err = e.openXLA(plugin)
	} else {
		e.backend, err = createBackend("go:parallelism=-1")
	}
	if err != nil {
		leaveEngine(before)
		return nil, fmt.Errorf("open backend %q: %w: %w", name, ErrBackend, err)
	}
	return e, nil
}

// openXLA loads a plugin and opens its first device.
func (e *Engine) openXLA(plugin Plugin) error {
	// float32 means float32, not TF32. No memory is shared with any device, so that a run
	// on XLA's CPU client uses the same code as a run on a GPU.
	config := "xla:" + plugin.Path + ",noshared_buffers,tf32=false"
	flags := cpuFlags(os.Getenv)
	if plugin.CUDA {
		config += ",memory_fraction=0.92,visible_devices=0"
		flags = cudaFlags(plugin.Path, os.Getenv)
	}
	err := errors.Join(setEnvironment("XLA_FLAGS", flags), setEnvironment("GOPJRT_CUDA_CHECKS", "0"))
	if err != nil {
		return err
	}
	if e.backend, err = createBackend(config); err != nil {
		var panicked runtime.Error
		if errors.As(err, &panicked) {
			err = fmt.Errorf("%w: its loader failed: %w", ErrPluginVersion, err)
		}
		if err = explain(err); errors.Is(err, ErrDeviceMemory) {
			err = fmt.Errorf("%w: another program may hold it (nvidia-smi)", err)
		}
		return fmt.Errorf("plugin %q: %w", plugin.Path, err)
	}
	if e.backend == nil || e.backend.NumDevices() < 1 {
		return fmt.Errorf("plugin %q: %w: it offers no device", plugin.Path, ErrNoGPU)
	}
	e.device, e.cuda = describe(e.backend), plugin.CUDA
	return nil
}

// describe names a backend's first device, as far as the plugin tells.
func describe(b compute.Backend) (text string) {
	defer func() {
		if recover() != nil {
			text = b.Description()
		}
	}()
	return b.DeviceDescription(0)
}

// Device describes the device that computes.
func (e *Engine) Device() string { return e.device }

// ComputeType is the type in which this backend computes for a precision, "float32" or
// "bfloat16". A precision that the backend does not have is an error.
func (e *Engine) ComputeType(precision string) (dtypes.DType, error) {
	switch {
	case precision == "" || precision == "float32":
		return dtypes.Float32, nil
	case precision != "bfloat16":
		return dtypes.Float32, fmt.Errorf(`precision %q is unknown: "float32" and "bfloat16" are allowed`, precision)
	case e.Shared():
		return dtypes.Float32, fmt.Errorf(`precision "bfloat16" needs XLA: the Go backend computes in float32 only; allowed: float32 (train.precision, --precision), or the backend xla (compute.backend, --backend)`)
	}
	return dtypes.BFloat16, nil
}

// Shared reports whether graphs read and write the program's own memory. Otherwise
// tensors are copied to a device and back.
func (e *Engine) Shared() bool { return e.name == "go" }

// Name is "go" or "xla".
func (e *Engine) Name() string { return e.name }

// Threads is the number of CPU threads for work outside graphs.
func (e *Engine) Threads() int { return e.threads }

// Backend is the open GoMLX backend.
func (e *Engine) Backend() compute.Backend { return e.backend }

// Close frees the backend, unless its device was lost. A second Close does nothing.
func (e *Engine) Close() {
	if e.backend == nil {
		return
	}
	if !e.lost.Load() {
		e.backend.Finalize()
	}
	e.backend = nil
	leaveEngine(0)
}

// catch turns a panic into an error.
func catch(err *error) {
	switch fault := recover().(type) {
	case nil:
	case error:
		*err = fault
	default:
		*err = fmt.Errorf("%v", fault)
	}
}

// visibleGPU returns the device file that shows that a usable NVIDIA GPU is here, or "".
func visibleGPU() string {
	if v, set := os.LookupEnv("CUDA_VISIBLE_DEVICES"); set && (v == "" || v == "-1") {
		return ""
	}
	found, err := filepath.Glob("/dev/nvidia[0-9]*")
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0]
}
