package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"headroom/runner/cli"
)

var update = flag.Bool("update", false, "write the golden files again")

// The tests run this test binary again: as the program itself, or as a worker
// that only pretends to compute (fake_test.go).
const roleVariable = "HEADROOM_CLI_TEST_ROLE"

// slowVariable is for how long a worker sleeps whenever it looks at its clock, which is some six times
// per training step: what is to happen while it trains then happens in time, also on a busy machine.
const slowVariable = "HEADROOM_CLI_TEST_SLOW"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		flag.Parse()
		code := m.Run()
		os.RemoveAll(cacheFolder)
		os.Exit(code)
	case "program", "program of fakes":
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		env := cli.SystemEnv()
		if os.Getenv(roleVariable) != "program" {
			env.Environ = append(env.Environ, roleVariable+"=fake")
		}
		if slow, err := time.ParseDuration(os.Getenv(slowVariable)); err == nil && os.Args[1] == "worker" {
			env.Now = func() time.Time { time.Sleep(slow); return time.Now() }
		}
		os.Exit(cli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, env))
	case "fake":
		os.Exit(fakeWorker(os.Args[1:]))
	}
}

// cacheFolder holds what can be made again, once for all tests of the package.
var cacheFolder = filepath.Join(os.TempDir(), fmt.Sprintf("headroom-cli-test-%d", os.Getpid()))

// place is a folder with its own workspace in which commands run.
type place struct {
	t      testing.TB
	dir    string
	role   string // of processes: "program", "fake", or "program of fakes"
	stdin  string
	extra  []string // environment of workers and of the program
	ctx    context.Context
	width  int       // of the terminal; 0 is none
	lines  int       // its height
	out    io.Writer // in place of standard output that is kept; nil for none
	in     io.Reader // in place of stdin; nil for none
	moment func() time.Time
}

func newPlace(t testing.TB) *place {
	t.Helper()
	return &place{t: t, dir: t.TempDir(), role: "fake", ctx: t.Context(), moment: time.Now}
}

// environment is what the program and its workers see.
func (p *place) environment() map[string]string {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": p.dir,
		"HEADROOM_WORKSPACE": filepath.Join(p.dir, "ws"), "HEADROOM_CACHE": cacheFolder,
		"CUDA_VISIBLE_DEVICES": "-1", roleVariable: p.role,
	}
	for _, entry := range p.extra {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// result is what a command left behind.
type result struct {
	code           int
	stdout, stderr string
}

// run runs one command in this process; only its workers are processes.
func (p *place) run(args ...string) result {
	p.t.Helper()
	variables := p.environment()
	var environ []string
	for name, value := range variables {
		environ = append(environ, name+"="+value)
	}
	slices.Sort(environ)
	executable, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	var in io.Reader = strings.NewReader(p.stdin)
	if p.in != nil {
		in = p.in
	}
	var out io.Writer = &stdout
	if p.out != nil {
		out = p.out
	}
	code := cli.Main(p.ctx, args, out, &stderr, cli.Env{
		Stdin: in, Getenv: func(name string) string { return variables[name] }, Environ: environ,
		Now: p.moment, Executable: executable, Columns: func(io.Writer) int { return p.width }, Lines: func(io.Writer) int { return p.lines },
	})
	return result{code, stdout.String(), stderr.String()}
}

// ok runs a command that must succeed and returns its standard output.
func (p *place) ok(args ...string) string {
	p.t.Helper()
	r := p.run(args...)
	if r.code != 0 {
		p.t.Fatalf("headroom %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// refused runs a command that must be refused before anything is written, and
// whose message must have all of the texts in it.
func (p *place) refused(args []string, texts ...string) {
	p.t.Helper()
	before := p.files()
	r := p.run(args...)
	if r.code != 2 {
		p.t.Errorf("headroom %s: exit code %d, want 2\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			p.t.Errorf("headroom %s: the message lacks %q:\n%s", strings.Join(args, " "), text, r.stderr)
		}
	}
	if strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "goroutine ") {
		p.t.Errorf("headroom %s panicked:\n%s", strings.Join(args, " "), r.stderr)
	}
	if after := p.files(); after != before {
		p.t.Errorf("headroom %s was refused and yet changed the folder; before:\n%s\nafter:\n%s", strings.Join(args, " "), before, after)
	}
}

// files lists the place's files with their sizes.
func (p *place) files() string {
	var lines []string
	err := filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%s %d", strings.TrimPrefix(path, p.dir), info.Size()))
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// write writes a file of the place and returns its path.
func (p *place) write(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// decode reads a JSON document into a value of the type that a caller expects.
func decode[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

// golden compares a text with testdata/NAME, or writes it there with -update.
func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (make golden writes it again); got\n%s\nwant\n%s", path, got, want)
	}
}
