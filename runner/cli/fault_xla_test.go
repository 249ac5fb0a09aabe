//go:build xla

package cli_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
)

// faultySweep is a place with a sweep of two runs, of sixteen and of four steps, on a plugin
// that fails if p.failing says so.
func faultySweep(t *testing.T, plugin string) (p *place, sweep string) {
	t.Helper()
	p = newPlace(t)
	p.role = "program"
	p.sample()
	text := strings.NewReplacer("\"model.rescale\" = [1, 4]\n", "", `"seed" = [1, 2]`, `"train.steps" = [16, 4]`, "steps = 6\n", "",
		`["bm25", "untrained"]`, "[]", `backend = "go"`, `backend = "xla:`+plugin+`"`, "slots = 2", "slots = 1").Replace(smallSweep)
	p.failing(pjrtstub.Fault{})
	return p, p.write("faulty.toml", text+"[checkpoint]\nevery = 3\n[stability]\nprobe = 0\n")
}

// failing says how the plugin fails in the processes that the place starts from now on.
func (p *place) failing(f pjrtstub.Fault) {
	p.extra = []string{"XLA_FLAGS=" + os.Getenv("XLA_FLAGS"), pjrtstub.RealPlugin + "=" + os.Getenv(pjrtstub.RealPlugin)}
	for name, value := range f.Environment() {
		p.extra = append(p.extra, name+"="+value)
	}
}

// A sweep whose device is lost, while its backbone is made and again while it trains, ends with exit code 3 and says
// what to do; its other runs are done. The same command on a sound device resumes, and gives the same weights.
func TestXLASweepOnALostDevice(t *testing.T) {
	plugin := xlatest.FaultyPlugin(t)
	whole, sweep := faultySweep(t, plugin)
	whole.ok("run", sweep, "--quiet")
	want := whole.weights()

	p, sweep := faultySweep(t, plugin)
	const lost, xid = "the device was lost: run the same command again", "GPU has fallen off the bus"
	run := func(f pjrtstub.Fault, texts ...string) {
		t.Helper()
		p.failing(f)
		r := p.run("run", sweep)
		if r.code != 3 {
			t.Errorf("exit code %d, want 3\n%s%s", r.code, r.stdout, r.stderr)
		}
		for _, text := range append(texts, xid, "FAILED", "the same command again tries them again") {
			if !strings.Contains(r.stderr, text) {
				t.Errorf("the message lacks %q:\n%s", text, r.stderr)
			}
		}
		for _, text := range []string{"panic", "SIG", "fault plugin"} {
			if strings.Contains(r.stderr, text) && !f.Dies {
				t.Errorf("it crashed:\n%s", r.stderr)
			}
		}
	}
	states := func(long string) {
		t.Helper()
		got := map[int]string{}
		for _, r := range decode[endDocument](t, p.ok("status", "--json")).Runs {
			got[r.Steps] = r.State
		}
		if !maps.Equal(got, map[int]string{16: long, 4: "done"}) {
			t.Errorf("runs by their steps: %v", got)
		}
	}
	run(pjrtstub.Fault{Call: pjrtstub.Executes, From: 3, Lost: true, Message: xid}, lost, "recipe tiny", "pretrain step 2: ", "BLOCKED", "there is no checkpoint yet")
	if _, err := os.Stat(filepath.Join(p.dir, "ws", "backbones")); err == nil {
		if found, _ := filepath.Glob(filepath.Join(p.dir, "ws", "backbones", "*", "config.json")); found != nil {
			t.Errorf("half a backbone: %v", found)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	run(pjrtstub.Fault{Call: pjrtstub.Executes, From: 10, Late: true, Lost: true, Message: xid}, lost, "train step 9: ", "training resumes from the checkpoint of step 9")
	states("failed")
	plan := p.ok("plan", sweep)
	for _, text := range []string{"failed", lost} {
		if !strings.Contains(plan, text) {
			t.Errorf("the plan lacks %q:\n%s", text, plan)
		}
	}
	// A library that ends the process leaves its last lines and a run that can be resumed.
	run(pjrtstub.Fault{Call: pjrtstub.Executes, From: 5, Dies: true, Message: xid}, "Check failed: "+xid)
	states("interrupted")
	p.failing(pjrtstub.Fault{})
	p.ok("run", sweep, "--quiet")
	if got := p.weights(); !maps.Equal(got, want) {
		t.Errorf("weights %v, undisturbed %v", got, want)
	}
}

// Encoding if not even one text fits says what to do, and leaves no file.
func TestXLAEncodingInNoMemory(t *testing.T) {
	plugin := xlatest.FaultyPlugin(t)
	p, model := steps(t)
	out := filepath.Join(p.dir, "vectors.jsonl")
	xlatest.Fail(t, pjrtstub.Fault{Call: pjrtstub.Executes, Message: "Out of memory", Code: pjrtstub.Full})
	r := p.run("encode", model, "--input", filepath.Join(p.dir, "data/corpus.jsonl"), "--output", out, "--max-length", "16", "--backend", "xla:"+plugin)
	if r.code != 1 {
		t.Errorf("exit code %d", r.code)
	}
	for _, text := range []string{"the device's memory is full", "lower --max-length (now 16)", "--backend go"} {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("the message lacks %q: %s", text, r.stderr)
		}
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
	xlatest.Fail(t, pjrtstub.Fault{})
	p.ok("encode", model, "--input", filepath.Join(p.dir, "data/corpus.jsonl"), "--output", out, "--max-length", "16", "--backend", "xla:"+plugin)
}
