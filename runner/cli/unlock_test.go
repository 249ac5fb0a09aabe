package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/runner/lease"
)

func TestUnlockFreesARunAfterShowingWhoHoldsIt(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "model.rescale=1", "seed=1")
	folders, err := filepath.Glob(filepath.Join(p.dir, "ws/runs/*"))
	if err != nil || len(folders) != 1 {
		t.Fatal(folders, err)
	}
	run := folders[0]
	lost := func() {
		t.Helper()
		text := `{"host":"gone.example","pid":77,"machine":"another","acquired":"2026-02-03T04:05:06Z","heartbeat":"2099-01-01T00:00:00Z"}`
		if err := os.MkdirAll(filepath.Join(run, "lease"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(run, "lease", "9.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, later := range []string{"10.json", "11.json"} {
			os.Remove(filepath.Join(run, "lease", later))
		}
	}
	lost()
	if out := p.ok("unlock", "tiny"); !strings.Contains(out, "was held by process 77 on gone.example since 2026-02-03 04:05:06 UTC") || !strings.Contains(out, "it is free now") {
		t.Errorf("%q", out)
	}
	if out := p.ok("unlock", filepath.Base(run)[:8]); !strings.Contains(out, "nobody holds it") {
		t.Errorf("again: %q", out)
	}
	lost()
	d := decode[struct {
		Schema, PID int
		Host, State string
		Freed       bool
	}](t, p.ok("unlock", filepath.Base(run), "--json"))
	if d.Schema != 1 || d.PID != 77 || d.Host != "gone.example" || d.State != "held" || !d.Freed {
		t.Errorf("%+v", d)
	}
	held, err := lease.Acquire(run, lease.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	p.refused([]string{"unlock", "tiny"}, "it is alive", "kill ")
	p.refused([]string{"unlock", "nothing"}, "no run has an id or label that begins so")
}
