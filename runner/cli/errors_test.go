package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

type errorDocument struct {
	Schema int
	Error  struct {
		Code                int
		Kind, Message, Hint string
	}
}

func TestWithJSONAnErrorIsADocument(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "--quiet", "model.rescale=1", "seed=1")
	p.write("report/.old-r", "in the way") // of a folder that was being replaced, it seems
	for _, c := range []struct {
		args    []string
		code    int
		kind    string
		message string
	}{
		{[]string{"plan", "no-such-sweep", "--json"}, 2, "refused", `open sweep "no-such-sweep"`},
		{[]string{"plan", sweep, "train.stepz=1", "sed=1", "--json"}, 2, "refused", "train.stepz"},
		{[]string{"run", sweep, "model.rescale=0", "--json"}, 2, "refused", "model.rescale"},
		{[]string{"status", "--no-such-flag", "--json"}, 2, "refused", "no-such-flag"},
		{[]string{"nonsense", "--json"}, 2, "refused", "nonsense"},
		{[]string{"show", "--json"}, 2, "refused", "accepts 1 arg"},
		{[]string{"query", "SELECT", "--json"}, 2, "refused", "query database"},
		{[]string{"report", "small", "-o", filepath.Join(p.dir, "report", "r"), "--json"}, 1, "failed", "report/r"},
	} {
		r := p.run(c.args...)
		d := decode[errorDocument](t, r.stdout)
		if r.code != c.code || d.Schema != 1 || d.Error.Code != c.code || d.Error.Kind != c.kind || !strings.Contains(d.Error.Message, c.message) {
			t.Errorf("%q: exit code %d, document %+v", c.args, r.code, d)
		}
		if !strings.HasPrefix(r.stderr, "headroom: ") && !strings.Contains(r.stderr, "\nheadroom: ") {
			t.Errorf("%q: nothing for people: %q", c.args, r.stderr)
		}
	}
	if r := p.run("plan", "no-such-sweep"); r.stdout != "" {
		t.Errorf("without --json standard output has %q", r.stdout)
	}
}

// A run that fails ends with its last line, which has the failure; no second document follows.
func TestTheLastLineOfAFailedRunIsItsEnd(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	planned := decode[struct{ Runs []struct{ ID string } }](t, p.ok("plan", sweep, "--json"))
	p.extra = []string{"FAKE_FAIL=" + planned.Runs[0].ID}
	r := p.run("run", sweep, "--json")
	if end := lastLine(t, r.stdout); r.code != 3 || end.Failed != 1 {
		t.Errorf("exit code %d, end %+v", r.code, end)
	}
}

// What is found wrong after the workspace was made is no refusal.
func TestAFailureAfterTheFirstFileIsNoRefusal(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.write("ws/sweeps", "in the way")
	if r := p.run("run", sweep); r.code != 1 || !strings.Contains(r.stderr, "ws/sweeps") {
		t.Errorf("in a new workspace: exit code %d: %s", r.code, r.stderr)
	}
	p.refused([]string{"run", sweep}, "ws/sweeps") // now there is nothing to make
}
