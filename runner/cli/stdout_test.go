package cli_test

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// full takes nothing, as a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// short takes some bytes, as a reader that goes away.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	if len(p) > s.left {
		n := s.left
		s.left = 0
		return n, syscall.EPIPE
	}
	s.left -= len(p)
	return len(p), nil
}

func TestOutputThatIsNotTakenIsAnError(t *testing.T) {
	p, model := steps(t)
	sweep := p.sample()
	p.ok("run", sweep, "model.rescale=1", "seed=1")
	texts := p.write("in.jsonl", `{"_id":"a","text":"red"}`+"\n")
	vectors := p.write("v.jsonl", `{"id":"a","vector":{"3":1.5}}`+"\n")
	index := filepath.Join(p.dir, "index")
	p.ok("index", vectors, "--output", index)
	qrels := p.write("qrels.tsv", "q 0 d 1\n")
	run := p.write("run.trec", "q Q0 d 1 1.5 t\n")
	commands := [][]string{
		{}, {"help"}, {"run", "--help"}, {"version"}, {"plan", sweep}, {"run", sweep, "model.rescale=1", "seed=1"}, {"status"}, {"show", "tiny"}, {"diff", "tiny", "tiny"},
		{"query", "select run from runs"}, {"db", "check"}, {"gc"}, {"doctor"},
		{"tokenize", model}, {"encode", model, "--input", texts, "--output", "-", "--backend", "go"},
		{"index", vectors, "--output", filepath.Join(p.dir, "another")}, {"search", index, "--queries", vectors, "--output", "-"},
		{"evaluate", qrels, run}, {"evaluate", qrels, run, "--per-query"},
		{"report", "small", "-o", filepath.Join(p.dir, "report")},
	}
	for _, args := range commands {
		for _, form := range [][]string{nil, {"--json"}} {
			args := slices.Concat(args, form)
			p.out = nil
			if p.ok(args...) == "" {
				continue
			}
			for name, out := range map[string]interface{ Write([]byte) (int, error) }{"full": full{}, "closed after some bytes": &short{left: 7}} {
				p.out = out
				if r := p.run(args...); r.code != 1 || !strings.Contains(r.stderr, "write standard output: ") {
					t.Errorf("headroom %s, standard output %s: exit code %d: %s", strings.Join(args, " "), name, r.code, r.stderr)
				}
			}
		}
	}
}
