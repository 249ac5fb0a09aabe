package engine

import (
	"errors"
	"os"
	"runtime"
	"sync"

	"github.com/gomlx/compute"
)

// Some settings of backends belong to the whole process: the number of its threads, its
// environment, and its standard output. Only this file changes them. When the last engine
// closes, they are restored.

// process holds the settings of this process as they were before the first engine.
var process struct {
	sync.Mutex
	engines int
	threads int // GOMAXPROCS before the first engine
	before  []variable
}

// variable is an environment variable with its former value.
type variable struct {
	name, value string
	set         bool
}

// enterEngine gives this process the number of threads that an engine asks for, and returns
// the former number. leaveEngine must follow.
func enterEngine(threads int) (before int) {
	process.Lock()
	defer process.Unlock()
	before = runtime.GOMAXPROCS(threads)
	if process.engines++; process.engines == 1 {
		process.threads = before
	}
	return before
}

// setEnvironment sets a variable until the last engine has closed.
func setEnvironment(name, value string) error {
	process.Lock()
	defer process.Unlock()
	before, set := os.LookupEnv(name)
	if err := os.Setenv(name, value); err != nil {
		return err
	}
	process.before = append(process.before, variable{name, before, set})
	return nil
}

// leaveEngine restores the settings from before the first engine, once the last one closes.
// While other engines are open it sets the given number of threads; 0 leaves it as it is.
func leaveEngine(threads int) {
	process.Lock()
	defer process.Unlock()
	if process.engines--; process.engines > 0 {
		runtime.GOMAXPROCS(threads)
		return
	}
	runtime.GOMAXPROCS(process.threads)
	for len(process.before) > 0 {
		last := process.before[len(process.before)-1]
		process.before = process.before[:len(process.before)-1]
		if last.set {
			_ = os.Setenv(last.name, last.value) // it was valid before
		} else {
			_ = os.Unsetenv(last.name)
		}
	}
}

// createBackend opens a backend. Setting parallelism makes the Go backend print to standard
// output, which is for results: createBackend discards that.
func createBackend(config string) (backend compute.Backend, err error) {
	process.Lock()
	defer process.Unlock()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	out := os.Stdout
	os.Stdout = null
	defer func() {
		os.Stdout = out
		err = errors.Join(err, null.Close())
	}()
	defer catch(&err)
	return compute.NewWithConfig(config)
}
