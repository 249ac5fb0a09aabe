// Package alternate times processes that take turns on the same cores, so that a
// busy moment of the machine affects all of them. Each is a process of its own,
// because memory can only be measured per process.
//
// A peer writes JSON lines to standard output: a Reply with Ready once it has
// loaded everything, then one Reply for each line that it reads from standard
// input. At the end of its input it exits.
package alternate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Reply is a peer's answer to one turn.
type Reply struct {
	Ready   bool    `json:"ready,omitempty"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`        // of the work itself
	CPU     float64 `json:"cpu,omitempty"`  // seconds of processor time in the work; 0: unknown
	Peak    int64   `json:"peak,omitempty"` // highest resident bytes of the process so far; 0: unknown
	Loss    float64 `json:"loss,omitempty"` // the result, which shows that all peers computed the same
}

// Peer is a running process.
type Peer struct {
	Name string

	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
}

// Start runs a command and waits until it is ready.
func Start(name string, command *exec.Cmd) (*Peer, error) {
	p := &Peer{Name: name, command: command}
	command.Stderr = os.Stderr
	var err error
	if p.input, err = command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start peer %q: %w", name, err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start peer %q: %w", name, err)
	}
	p.output = bufio.NewReader(output)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start peer %q: %w", name, err)
	}
	ready, err := p.read()
	if err == nil && !ready.Ready {
		err = fmt.Errorf("it did not say that it is ready")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start peer %q: %w", name, err), p.Close())
	}
	return p, nil
}

// Turn lets the peer work once.
func (p *Peer) Turn() (Reply, error) {
	if _, err := io.WriteString(p.input, "turn\n"); err != nil {
		return Reply{}, fmt.Errorf("peer %q: %w", p.Name, err)
	}
	r, err := p.read()
	if err != nil {
		return r, fmt.Errorf("peer %q: %w", p.Name, err)
	}
	return r, nil
}

func (p *Peer) read() (Reply, error) {
	var r Reply
	for {
		line, err := p.output.ReadString('\n')
		if err != nil {
			return r, fmt.Errorf("read its answer: %w", err)
		}
		if !strings.HasPrefix(line, "{") {
			continue // a line that a library prints
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return r, fmt.Errorf("read its answer %q: %w", line, err)
		}
		if r.Error != "" {
			return r, errors.New(r.Error)
		}
		return r, nil
	}
}

// Close ends the peer.
func (p *Peer) Close() error {
	p.input.Close()
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("peer %q: %w", p.Name, err)
	}
	return nil
}

// Result describes all turns of a peer but the first, which warms up.
type Result struct {
	Median   float64 // seconds
	Least    float64
	CPU      float64 // median seconds of processor time, which depends less on other load than Median
	LeastCPU float64
	Peak     int64
	Losses   []float64 // of every turn, the first included
}

// Run lets peers take turns: each has one turn to warm up, and then the given number of rounds.
func Run(rounds int, peers ...*Peer) ([]Result, error) {
	results := make([]Result, len(peers))
	seconds, processor := make([][]float64, len(peers)), make([][]float64, len(peers))
	for round := range rounds + 1 {
		for i, p := range peers {
			r, err := p.Turn()
			if err != nil {
				return nil, err
			}
			results[i].Losses = append(results[i].Losses, r.Loss)
			results[i].Peak = max(results[i].Peak, r.Peak)
			if round > 0 {
				seconds[i] = append(seconds[i], r.Seconds)
				processor[i] = append(processor[i], r.CPU)
			}
		}
	}
	for i := range peers {
		results[i].Median, results[i].Least = median(seconds[i]), slices.Min(seconds[i])
		results[i].CPU, results[i].LeastCPU = median(processor[i]), slices.Min(processor[i])
	}
	return results, nil
}

func median(of []float64) float64 {
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// Serve runs in a peer: for each line of in it calls work once and writes a Reply.
func Serve(in io.Reader, out io.Writer, work func() (loss float64, err error)) error {
	answer := json.NewEncoder(out)
	if err := answer.Encode(Reply{Ready: true}); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		start, before := time.Now(), ProcessorTime()
		loss, err := work()
		r := Reply{
			Seconds: time.Since(start).Seconds(), CPU: (ProcessorTime() - before).Seconds(),
			Peak: PeakMemory(), Loss: loss,
		}
		if err != nil {
			r.Error = err.Error()
		}
		if err := answer.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// ProcessorTime is the processor time of this process so far, in all its threads; 0 if the system does not say.
func ProcessorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// PeakMemory is the highest resident size of this process in bytes, 0 if the
// system does not say.
func PeakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}
