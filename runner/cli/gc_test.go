package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/runner/lease"
)

func TestGarbageIsListedAndFreedOnlyWhenToldTo(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep)
	if out := p.ok("gc"); out != "nothing to free\n" {
		t.Errorf("after a run there is to free:\n%s", out)
	}
	run := decode[struct{ Runs []struct{ ID string } }](t, p.ok("status", "--json")).Runs[0].ID
	litter := p.write("ws/runs/"+run+"/checkpoints/.new-1/model.safetensors", strings.Repeat("x", 3000))
	before := p.files()
	out := p.ok("gc")
	for _, want := range []string{"2.9 KiB  leftover  " + filepath.Join("runs", run, "checkpoints", ".new-1") + "  ", "2.9 KiB can be freed; nothing was: `headroom gc --yes` frees it\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if p.files() != before {
		t.Error("listing changed files")
	}
	held, err := lease.Acquire(filepath.Join(p.dir, "ws/runs", run), lease.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.run("gc", "--yes"); r.code != 0 || r.stdout != "nothing to free\n" || !strings.Contains(r.stderr, "left alone: ") {
		t.Errorf("of a run at work: %+v", r)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	type document struct {
		Freed bool
		Bytes int64
		Items []struct{ Kind, Path string }
	}
	if d := decode[document](t, p.ok("gc", "--json")); d.Freed || d.Bytes != 3000 || len(d.Items) != 1 || d.Items[0].Path != filepath.Dir(litter) {
		t.Errorf("listed %+v", d)
	}
	if d := decode[document](t, p.ok("gc", "--yes", "--json")); !d.Freed || d.Bytes != 3000 || len(d.Items) != 1 {
		t.Errorf("freed %+v", d)
	}
	if _, err := os.Stat(litter); err == nil {
		t.Error("it is still there")
	}
	// Everything that was made is still whole.
	if end := lastLine(t, p.ok("run", sweep, "--json")); end.Done != 0 {
		t.Errorf("run again does %d jobs", end.Done)
	}
	p.ok("db", "check")
	// The backbone that the runs started from is used; asked for, another is not.
	other := strings.Repeat("ab", 32)
	p.write("ws/backbones/"+other+"/config.json", "{}")
	if d := decode[document](t, p.ok("gc", "--backbones", "--yes", "--json")); len(d.Items) != 1 || d.Items[0].Kind != "backbone" || filepath.Base(d.Items[0].Path) != other {
		t.Errorf("backbones %+v", d)
	}
	p.refused([]string{"gc", "everything"}, "unknown command", "everything")
	p.refused([]string{"gc", "-w", filepath.Join(p.dir, "nowhere")}, "no workspace there")
}
