package cli

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"headroom/internal/atomic"
	"headroom/internal/plain"
	"headroom/metrics/record"
	"headroom/metrics/stability"
	"headroom/runner/submit"
)

// schema is the version of every JSON document that the program prints.
const schema = 1

// printJSON writes one document to standard output.
func (a *app) printJSON(document any) error {
	a.answered = true
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return failedError(fmt.Errorf("print json: %w", err))
	}
	return nil
}

// printLine writes one JSON line to standard output.
func (a *app) printLine(line any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		return failedError(fmt.Errorf("print json line: %w", err))
	}
	return nil
}

// notes prints the notices of a model's folder.
func (a *app) notes(list []string) {
	for _, text := range list {
		a.note("note: %s", text)
	}
}

// note writes a notice to standard error unless --quiet.
func (a *app) note(format string, args ...any) {
	if !a.global.quiet {
		fmt.Fprintln(a.stderr, plain.Lines(fmt.Sprintf(format, args...)))
	}
}

// table prints rows in columns. The first row is the head.
func (a *app) table(rows [][]string) error { return failedError(writeTable(a.stdout, rows)) }

func writeTable(out io.Writer, rows [][]string) error {
	whole := bufio.NewWriterSize(out, 1<<16) // tabwriter writes cell by cell
	w := tabwriter.NewWriter(whole, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = plain.Line(text)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	return cmp.Or(w.Flush(), whole.Flush())
}

// paint colours a state or verdict if standard output is a terminal. Do not use
// it within table, which would count the escapes as width.
func (a *app) paint(text string) string {
	if a.global.noColor || a.env.Getenv("NO_COLOR") != "" || a.env.Columns(a.stdout) == 0 {
		return text
	}
	code := ""
	switch text {
	case stability.Healthy, record.StateDone:
		code = "32"
	case record.StateFailed, stability.NonFinite, stability.Empty, stability.Identical, stability.Stalled:
		code = "31"
	case record.StateRunning, record.StateInterrupted, string(submit.Waiting):
		code = "33"
	default:
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// writeOutput calls write with a file, or with standard output for "-". The file gets
// its name only when it is whole, and is gzipped if its name ends in .gz. A pipe or a
// device, such as /dev/null, is written directly.
func (a *app) writeOutput(path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(a.stdout)
	}
	if strings.HasSuffix(path, ".gz") {
		plainly := write
		write = func(w io.Writer) error {
			z := gzip.NewWriter(w)
			if err := plainly(z); err != nil {
				return err
			}
			return failedError(z.Close())
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("write %q: it is a folder; a file is allowed", path)
	} else if err == nil && !info.Mode().IsRegular() {
		return writeInto(path, write)
	}
	return diskFailure(atomic.WriteFile(path, write))
}

// diskFailure makes a failure of the error of a disk that is full or broken: the request was right, and
// the work had begun.
func diskFailure(err error) error {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EFBIG} {
		if errors.Is(err, errno) {
			return failedError(err)
		}
	}
	return err
}

// checkOutputFolder finds the fault of a folder that a flag names as the place of an output; nil if it
// may be written or made. It is asked before the work, which may take hours.
func checkOutputFolder(flag, path string) error {
	if path == "" {
		return nil
	}
	if path == "-" {
		return fmt.Errorf("--%s is -; allowed: a folder, since standard output cannot hold several files (./- is a folder of this name)", flag)
	}
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("--%s is %q, and %s is a file; allowed: a folder that is there or can be made", flag, path, at)
		case err == nil || at == filepath.Dir(at):
			return nil
		}
	}
}

// writeInto writes into an existing pipe or device.
func writeInto(path string, write func(io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return diskFailure(errors.Join(write(file), file.Close()))
}

// refuseSameFile refuses an output that would replace an input.
func refuseSameFile(output string, inputs ...string) error {
	out, err := os.Stat(output)
	if output == "-" || err != nil {
		return nil
	}
	for _, input := range inputs {
		if in, err := os.Stat(input); err == nil && os.SameFile(in, out) {
			return fmt.Errorf("write %q: it is the same file as the input %s; another file is allowed", output, input)
		}
	}
	return nil
}

// printWritten prints the --json document of a command whose result is a file. If the
// result goes to standard output, it prints nothing.
func (a *app) printWritten(path string) error {
	if !a.global.json || path == "-" {
		return nil
	}
	return a.printJSON(struct {
		Schema int    `json:"schema"`
		Output string `json:"output"`
	}{schema, path})
}
