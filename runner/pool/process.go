package pool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// interruptedCode is the exit code of a worker that stopped at a checkpoint.
const interruptedCode = 130

// process is one running worker.
type process struct {
	job    Job
	slot   int
	answer *Answer // its run's result, after the worker has reported it

	mu          sync.Mutex
	command     *exec.Cmd // nil until started and after it ended
	interrupted bool
}

// interrupt asks the worker to checkpoint and stop. A worker that has not started
// yet gets the signal as soon as it has.
func (p *process) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.interrupted = true
	if p.command != nil {
		p.command.Process.Signal(os.Interrupt) // an error means that it has ended already
	}
}

// run starts the worker, passes its messages to report and waits for its end.
//
// The calling goroutine keeps its operating-system thread until then: the kernel
// sends the signal for a parent's death when the thread that started the process
// ends, and Go could end that thread earlier.
func (p *process) run(opt Options, report func(Message)) Outcome {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	start := opt.Now()
	outcome := Outcome{Job: p.job, Code: -1}
	fail := func(err error) Outcome {
		outcome.State, outcome.Reason = Failed, err.Error()
		outcome.Took = opt.Now().Sub(start)
		return outcome
	}
	log, err := openLog(p.job.Log)
	if err != nil {
		return fail(err)
	}
	defer log.close()

	command := exec.Command(opt.Executable, p.job.Args...)
	command.Env = workerEnv(opt, p.slot)
	command.Stderr = log.file // the file itself, so that it also gets what a worker prints after its parent's death
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

	readMessages(stdout, log.file, report)
	err = command.Wait()
	p.mu.Lock()
	p.command = nil
	asked := p.interrupted
	p.mu.Unlock()

	outcome.Took, outcome.Tail = opt.Now().Sub(start), log.tail()
	outcome.Code = command.ProcessState.ExitCode()
	outcome.State, outcome.Reason = classify(err, command.ProcessState, asked)
	return outcome
}

// classify tells how a worker ended. Exit code 130 is an interruption, whoever sent
// the signal. Death by a signal is an interruption only if the pool had asked the
// worker to stop.
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

// readMessages calls report with each line that is a message. It writes all other
// lines, which libraries print, to other, with the standard error.
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

// workerEnv is the pool's environment with the worker's share of the machine.
func workerEnv(opt Options, slot int) []string {
	env := opt.Env
	if opt.Threads > 0 {
		env = append(withoutVariable(env, "GOMAXPROCS"), fmt.Sprintf("GOMAXPROCS=%d", opt.Threads))
	}
	if len(opt.GPUs) > 0 {
		env = append(withoutVariable(env, "CUDA_VISIBLE_DEVICES"), "CUDA_VISIBLE_DEVICES="+opt.GPUs[slot%len(opt.GPUs)])
	}
	return env
}

func withoutVariable(env []string, name string) []string {
	kept := make([]string, 0, len(env)+1)
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// workerLog is the file for a worker's standard error, and for its other output that
// is no message.
type workerLog struct {
	file  *os.File
	start int64 // where this worker's part begins
	drop  bool  // a temporary file, of which only the tail is used
}

// openLog opens the file for appending, or a temporary one for "".
func openLog(path string) (*workerLog, error) {
	if path == "" {
		file, err := os.CreateTemp("", "headroom-worker-*.log")
		if err != nil {
			return nil, fmt.Errorf("open worker log: %w", err)
		}
		return &workerLog{file: file, drop: true}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open worker log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open worker log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open worker log: %w", err), file.Close())
	}
	return &workerLog{file: file, start: info.Size()}, nil
}

func (l *workerLog) close() {
	l.file.Close()
	if l.drop {
		os.Remove(l.file.Name())
	}
}

// The largest numbers of bytes that tail reads of a log, and of lines that it returns.
const (
	tailBytes = 1 << 20
	tailLines = 12
)

// crashes matches the first line of a crash of Go, or of a failed check of XLA.
var crashes = regexp.MustCompile(`^(panic: |fatal error: |SIG[A-Z]+: |(F[0-9]{4}|[0-9-]+ [0-9:.]+: F) .*\.cc:[0-9]+\])`)

// tail returns the worker's last lines, or the first lines of a crash, which prints its
// cause first and then pages of stacks.
func (l *workerLog) tail() string {
	info, err := l.file.Stat()
	if err != nil {
		return ""
	}
	from := max(l.start, info.Size()-tailBytes)
	text := make([]byte, info.Size()-from)
	n, err := l.file.ReadAt(text, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	lines := strings.Split(strings.TrimRight(string(text[:n]), "\n"), "\n")
	if from > l.start && len(lines) > 1 {
		lines = lines[1:] // the first is cut off
	}
	if crash := slices.IndexFunc(lines, crashes.MatchString); crash >= 0 {
		if strings.HasPrefix(lines[crash], "SIG") { // a library printed its reason before it ended the process
			crash = max(0, crash-3)
		}
		return strings.Join(lines[crash:min(len(lines), crash+tailLines)], "\n")
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
