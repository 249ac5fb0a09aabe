package pool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// interruptedCode is the exit code of a worker that stopped at a checkpoint.
const interruptedCode = 130

// process is one running worker.
type process struct {
	job  Job
	slot int

	mu          sync.Mutex
	command     *exec.Cmd // nil until started and after it ended
	interrupted bool
}

// interrupt asks the worker to checkpoint and stop. One that has not started
// yet gets the signal as soon as it has.
func (p *process) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interrupted = true
	if p.command != nil {
		p.command.Process.Signal(os.Interrupt) // an error means it is over already
	}
}

// run starts the worker, hands on what it prints and waits for its end.
//
// The calling goroutine keeps its operating-system thread until then: the
// kernel ties "signal me when my parent dies" to the thread that started the
// process, and Go would otherwise be free to end that thread earlier.
func (p *process) run(opt Options, report func(Message)) Outcome {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	start := opt.Now()
	outcome := Outcome{Job: p.job, Code: -1}
	fail := func(err error) Outcome {
		outcome.State, outcome.Reason = Failed, err.Error()
		outcome.Seconds = opt.Now().Sub(start)
		return outcome
	}
	tail := &tailWriter{limit: 4096}
	stderr, closeLog, err := openLog(p.job.Log, tail)
	if err != nil {
		return fail(err)
	}
	defer closeLog()

	command := exec.Command(opt.Executable, p.job.Args...)
	command.Env = workerEnv(opt, p.slot)
	command.Stderr = stderr
	command.SysProcAttr = processAttributes()
	command.WaitDelay = 5 * time.Second
	stdout, err := command.StdoutPipe()
	if err != nil {
		return fail(fmt.Errorf("start worker for %q: %w", p.job.Label, err))
	}
	if err := command.Start(); err != nil {
		return fail(fmt.Errorf("start worker for %q: %w", p.job.Label, err))
	}
	p.mu.Lock()
	p.command = command
	if p.interrupted {
		command.Process.Signal(os.Interrupt)
	}
	p.mu.Unlock()

	readMessages(stdout, stderr, report)
	err = command.Wait()
	p.mu.Lock()
	p.command = nil
	asked := p.interrupted
	p.mu.Unlock()

	outcome.Seconds, outcome.Tail = opt.Now().Sub(start), tail.String()
	outcome.Code = command.ProcessState.ExitCode()
	outcome.State, outcome.Reason = classify(err, command.ProcessState, asked)
	return outcome
}

// classify says how a worker ended. Exit 130 is an interruption whoever sent
// the signal; a signal that kills is one only where we had asked it to stop.
func classify(err error, state *os.ProcessState, asked bool) (State, string) {
	if err == nil {
		return Done, ""
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return Failed, err.Error()
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case state.ExitCode() == interruptedCode:
		return Interrupted, "stopped at a checkpoint"
	case status.Signaled() && asked:
		return Interrupted, fmt.Sprintf("ended by signal: %v", status.Signal())
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		return Failed, "killed by signal 9 (out of memory, or by hand)"
	case status.Signaled():
		return Failed, fmt.Sprintf("killed by signal %d (%v)", int(status.Signal()), status.Signal())
	default:
		return Failed, fmt.Sprintf("exit code %d", state.ExitCode())
	}
}

// readMessages hands on each line that is a message and keeps all others, which
// libraries print, with the standard error.
func readMessages(r io.Reader, other io.Writer, report func(Message)) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if m, ok := parse(line); ok {
			report(m)
		} else if len(line) > 0 {
			other.Write(line)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// workerEnv is our own environment with the worker's share of the machine.
func workerEnv(opt Options, slot int) []string {
	env := opt.Env
	if opt.Threads > 0 {
		env = append(without(env, "GOMAXPROCS"), fmt.Sprintf("GOMAXPROCS=%d", opt.Threads))
	}
	if len(opt.GPUs) > 0 {
		env = append(without(env, "CUDA_VISIBLE_DEVICES"), "CUDA_VISIBLE_DEVICES="+opt.GPUs[slot%len(opt.GPUs)])
	}
	return env
}

func without(env []string, name string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// openLog opens the file that a worker's standard error is appended to, beside
// the tail that is shown on failure.
func openLog(path string, tail *tailWriter) (io.Writer, func(), error) {
	if path == "" {
		return tail, func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, nil, fmt.Errorf("open worker log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("open worker log: %w", err)
	}
	return io.MultiWriter(file, tail), func() { file.Close() }, nil
}

// tailWriter keeps the last bytes written to it. exec copies standard error on
// a goroutine of its own while the reader of standard output writes as well.
type tailWriter struct {
	mu    sync.Mutex
	limit int
	kept  []byte
}

func (t *tailWriter) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

// String returns the last lines, at most a dozen, without a torn first one.
func (t *tailWriter) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimRight(string(t.kept), "\n")
	lines := strings.Split(text, "\n")
	if len(t.kept) == t.limit && len(lines) > 1 {
		lines = lines[1:]
	}
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	return strings.Join(lines, "\n")
}
