package cli_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// endless gives the same byte for ever, as /dev/zero does.
type endless struct{ given int }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.given += len(p)
	return len(p), nil
}

func TestALineOfStandardInputHasTheLimitOfAFilesLine(t *testing.T) {
	p, model := steps(t)
	for _, args := range [][]string{
		{"tokenize", model}, {"tokenize", model, "--input", "-"}, {"encode", model, "--input", "-", "--output", "-", "--backend", "go"},
	} {
		in := &endless{}
		p.in = in
		r := p.run(args...)
		if r.code != 1 && r.code != 2 || !strings.Contains(r.stderr, "standard input:1: line longer than the 64 MiB allowed") {
			t.Errorf("headroom %q: exit code %d: %.300s", args, r.code, r.stderr)
		}
		if in.given > 200<<20 {
			t.Errorf("headroom %q: %d bytes were read before it was refused", args, in.given)
		}
	}
}

// rows gives {"_id","text"} rows of a size, without holding them.
type rows struct {
	n, at int
	line  []byte
}

func (r *rows) Read(p []byte) (int, error) {
	if len(r.line) == 0 {
		if r.at == r.n {
			return 0, io.EOF
		}
		r.at++
		r.line = fmt.Appendf(nil, `{"_id":"%d","text":"red %s"}`+"\n", r.at, strings.Repeat(" ", 1<<20))
	}
	n := copy(p, r.line)
	r.line = r.line[n:]
	return n, nil
}

func TestTextsOfStandardInputAreNotHeldInMemory(t *testing.T) {
	p, model := steps(t)
	t.Setenv("TMPDIR", t.TempDir()) // other processes may have texts in the usual one
	p.in = &rows{n: 120}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.out = io.Discard
	if r := p.run("tokenize", model, "--input", "-"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 80<<20 {
		t.Errorf("the heap grew by %d MB for 120 MB of texts", grown>>20)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "headroom-input-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestQueryStreamsItsRows(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample(), "model.rescale=1", "seed=1")
	const many = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT i, 'a text that is repeated' AS t FROM n`
	for _, form := range []string{"--csv", "--json", "--quiet"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p.out = io.Discard
		if r := p.run("query", many, form); r.code != 0 {
			t.Fatal(r.stderr)
		}
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 40<<20 {
			t.Errorf("%s: the heap grew by %d MB for 400,000 rows", form, grown>>20)
		}
	}
	p.out = nil
	const three = `SELECT 1 AS a, 'x<y' AS b UNION ALL SELECT 2, NULL UNION ALL SELECT 3, 'z'`
	got := decode[struct {
		Schema int
		Rows   []struct {
			A int
			B *string
		}
	}](t, p.ok("query", three, "--json"))
	if got.Schema != 1 || len(got.Rows) != 3 || got.Rows[2].A != 3 || *got.Rows[0].B != "x<y" || got.Rows[1].B != nil {
		t.Errorf("%+v", got)
	}
	if out := p.ok("query", "SELECT 1 AS a WHERE 0", "--json"); out != "{\n  \"schema\": 1,\n  \"rows\": []\n}\n" {
		t.Errorf("no rows: %q", out)
	}
	if out := p.ok("query", "SELECT 1 AS a, 'b' AS c", "--json"); out != "{\n  \"schema\": 1,\n  \"rows\": [\n    {\n      \"a\": 1,\n      \"c\": \"b\"\n    }\n  ]\n}\n" {
		t.Errorf("one row: %q", out)
	}
	lines := strings.Split(p.ok("query", `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT i FROM n`), "\n")
	if len(lines) != 2502 || lines[0] != "i" || lines[2500] != "2500" {
		t.Errorf("%d lines, of which the first is %q", len(lines), lines[0])
	}
}

// stuck is an input that nothing comes from.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { select {} }

func TestCtrlCEndsACommandThatWaitsForItsInput(t *testing.T) {
	p, model := steps(t)
	p.in = stuck{}
	for _, args := range [][]string{{"tokenize", model}, {"tokenize", model, "--input", "-"}, {"encode", model, "--input", "-", "--output", "-"}} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		p.ctx = ctx
		start := time.Now()
		if r := p.run(args...); r.code != 130 || !strings.Contains(r.stderr, "interrupted") {
			t.Errorf("headroom %q: exit code %d: %s", args, r.code, r.stderr)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("headroom %q took %s to end", args, took)
		}
	}
}
