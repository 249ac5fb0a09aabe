package engine

import (
	"errors"
	"os"
	"runtime"
	"sync"

	"github.com/gomlx/compute"
)

// Backends are told some things only through the process that they live in: how many
// threads it has, what its environment says, and where its standard output goes. All of
// that is changed here, and what was there before comes back when the last engine closes.

// process is what open engines have changed of this process.
var process struct {
	sync.Mutex
	engines int
	threads int // GOMAXPROCS before the first engine
	before  []variable
}

// variable is one of the environment as it was.
type variable struct {
	name, value string
	set         bool
}

// enter gives this process as many threads as an engine asks for, and returns how many it
// had. leave must follow.
func enter(threads int) (before int) {
	process.Lock()
	defer process.Unlock()
	before = runtime.GOMAXPROCS(threads)
	if process.engines++; process.engines == 1 {
		process.threads = before
	}
	return before
}

// setEnvironment sets a variable until the last engine has left.
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

// leave puts back what was there before the first engine, once the last one leaves. While
// others are open they get as many threads as they had; 0 changes nothing.
func leave(threads int) {
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

// create opens a backend. Setting parallelism makes the Go backend print to standard
// output, where results belong: that is thrown away.
func create(config string) (backend compute.Backend, err error) {
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
