// Package engine opens a compute backend and runs GoMLX graphs on it. It is the
// one boundary where panics of backends and graph builders become errors.
package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the backend that is always there
)

// ErrBackend is returned when a backend cannot be opened: the request, not the
// program, is at fault.
var ErrBackend = errors.New("backend not available")

// Engine is an open backend.
type Engine struct {
	backend compute.Backend
	name    string // "go" or "xla"
	threads int
}

// Open opens the backend that a configuration names: "go", "xla", "xla:/path"
// or "auto", which takes the Go backend only where no GPU is visible. threads
// bounds the CPU threads of the Go backend and of this process; 0 is all cores.
func Open(name string, threads int) (*Engine, error) {
	if threads < 1 {
		threads = runtime.NumCPU()
	}
	runtime.GOMAXPROCS(threads)
	kind, plugin, _ := strings.Cut(name, ":")
	switch kind {
	case "", "auto":
		if gpu := visibleGPU(); gpu != "" {
			if !xlaLinked {
				return nil, fmt.Errorf("open backend %q: %w: a GPU is visible (%s) but this program was built without XLA; "+
					"build with make build-xla, or ask for the CPU with compute.backend = \"go\"", name, ErrBackend, gpu)
			}
			kind = "xla"
			break
		}
		kind = "go"
	case "go", "xla":
	default:
		return nil, fmt.Errorf("open backend %q: %w: allowed are auto, go, xla, xla:/path/to/plugin.so", name, ErrBackend)
	}
	config := "go:parallelism=-1"
	if kind == "xla" {
		if !xlaLinked {
			return nil, fmt.Errorf("open backend %q: %w: this program was built without XLA; build with make build-xla", name, ErrBackend)
		}
		config = "xla"
		if plugin != "" {
			config += ":" + plugin
		}
	}
	reserveSlack()
	backend, err := create(config)
	if err != nil {
		return nil, fmt.Errorf("open backend %q: %w: %w", name, ErrBackend, err)
	}
	return &Engine{backend: backend, name: kind, threads: threads}, nil
}

// Name is "go" or "xla".
func (e *Engine) Name() string { return e.name }

// Threads is the number of CPU threads for work outside graphs.
func (e *Engine) Threads() int { return e.threads }

// Backend is the open GoMLX backend.
func (e *Engine) Backend() compute.Backend { return e.backend }

// Close frees the backend.
func (e *Engine) Close() {
	if e.backend != nil {
		e.backend.Finalize()
		e.backend = nil
	}
}

// stdoutMu guards the moment in which standard output is exchanged.
var stdoutMu sync.Mutex

// create opens a backend. Setting parallelism makes the Go backend print to
// standard output, where results belong, so that is sent to standard error.
func create(config string) (backend compute.Backend, err error) {
	stdoutMu.Lock()
	defer stdoutMu.Unlock()
	out := os.Stdout
	if null, openErr := os.OpenFile(os.DevNull, os.O_WRONLY, 0); openErr == nil {
		os.Stdout = null
		defer null.Close()
	}
	defer func() { os.Stdout = out }()
	defer catch(&err)
	return compute.NewWithConfig(config)
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

// visibleGPU names a device that shows a usable NVIDIA GPU is here, or is "".
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
