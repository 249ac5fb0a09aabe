package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lastLine is the "end" line of run --json.
type endDocument struct {
	Type                               string
	Schema                             int
	Sweep, Revision                    string
	Done, Failed, Interrupted, Blocked int
	Former                             int
	Runs                               []struct {
		ID, Label, State string
		Standing, Added  string
		Verdict          *string
		Step, Steps      int
	}
}

func lastLine(t *testing.T, stdout string) endDocument {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a JSON line: %s", line)
		}
	}
	end := decode[endDocument](t, lines[len(lines)-1])
	if end.Type != "end" || end.Schema != 1 {
		t.Errorf("the last line is %s", lines[len(lines)-1])
	}
	return end
}

func TestRunMakesEverythingOnceAndThenNothing(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	end := lastLine(t, p.ok("run", sweep, "--json"))
	if end.Done != 1+2+4 || len(end.Runs) != 4 || end.Revision != "0001" { // a recipe, two baselines, four runs
		t.Errorf("the first run ended with %+v", end)
	}
	for _, run := range end.Runs {
		if run.State != "done" || run.Verdict == nil || *run.Verdict != "healthy" || run.Step != 6 || run.Steps != 6 {
			t.Errorf("run %+v", run)
		}
		for _, name := range []string{"config.toml", "inputs.json", "provenance.json", "attempts/1/events.jsonl"} {
			if _, err := os.Stat(filepath.Join(p.dir, "ws/runs", run.ID, name)); err != nil {
				t.Error(err)
			}
		}
	}
	before := p.files()
	start := time.Now()
	end = lastLine(t, p.ok("run", sweep, "--json"))
	t.Logf("a run with nothing to do took %v", time.Since(start))
	if end.Done != 0 || len(end.Runs) != 4 || end.Revision != "0001" {
		t.Errorf("the second run ended with %+v", end)
	}
	if after := withoutDatabase(p.files()); after != withoutDatabase(before) {
		t.Errorf("the second run changed files; before:\n%s\nafter:\n%s", before, after)
	}
}

func withoutDatabase(files string) string {
	var kept []string
	for _, line := range strings.Split(files, "\n") {
		if !strings.Contains(line, "headroom.db") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestOnlyRunsThePartAndKeepsTheWholeSweep(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	end := lastLine(t, p.ok("run", sweep, "--json", "--only", "model.rescale=4, seed=2"))
	states := map[string]int{}
	for _, run := range end.Runs {
		states[run.State]++
	}
	if states["done"] != 1 || states["new"] != 3 {
		t.Errorf("states %v, want one done of four", states)
	}
	if end = lastLine(t, p.ok("run", sweep, "--json")); end.Done != 3 {
		t.Errorf("the rest were %d jobs, want 3: %+v", end.Done, end)
	}
	if end.Revision != "0001" {
		t.Errorf("the same sweep became revision %s", end.Revision)
	}
}

func TestOverridesAddToTheRunsOfTheFile(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	first := lastLine(t, p.ok("run", sweep, "--json", "model.rescale=1", "seed=1"))
	if got := first.standings(); got != "file done, file new, file new, file new" || first.Done != 1+2+1 || first.Revision != "0001" {
		t.Errorf("a part of the file: %s: %+v", got, first)
	}
	second := lastLine(t, p.ok("run", sweep, "--json", "model.rescale=1", "seed=1", "train.steps=3"))
	if got := second.standings(); got != "file done, file new, file new, file new, added done" || second.Revision != "0002" {
		t.Errorf("a point beside the file: %s: %+v", got, second)
	}
	if added := second.Runs[4]; added.Steps != 3 || added.ID == first.Runs[0].ID || added.Added != "model.rescale=1 seed=1 train.steps=3" {
		t.Errorf("the added run is %+v", added)
	}
	third := lastLine(t, p.ok("run", "small", "--json", "train.steps=3", "--only", "model.rescale=4, seed=[2,3]"))
	if got := third.standings(); got != "file done, file new, file new, file new, added done, added done" {
		t.Errorf("--only adds no more than it runs: %s", got)
	}
	fourth := lastLine(t, p.ok("run", "small", "--json"))
	if got := fourth.standings(); got != "file done, file done, file done, file done, added done, added done" || fourth.Done != 3 || fourth.Revision != third.Revision {
		t.Errorf("the rest of the file: %s: %+v", got, fourth)
	}
}

// standings are the runs' standings and states in their order.
func (d endDocument) standings() string {
	var words []string
	for _, r := range d.Runs {
		words = append(words, r.Standing+" "+r.State)
	}
	return strings.Join(words, ", ")
}

func TestPointsThatLeftTheFileAreFormerAndKept(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "--quiet")
	p.ok("run", sweep, "--quiet", "train.steps=3", "--only", "model.rescale=1, seed=1")
	p.write("small.toml", strings.Replace(smallSweep, "[1, 4]", "[4, 8]", 1))
	r := p.run("run", sweep, "--json")
	end := lastLine(t, r.stdout)
	if got := end.standings(); got != "file done, file done, file done, file done, added done" || end.Done != 2 || end.Former != 2 {
		t.Errorf("after k = 1 left the file: %s, former %d: %+v", got, end.Former, end)
	}
	if !strings.Contains(r.stderr, "2 former runs that are no longer in the file") {
		t.Errorf("nothing is said of them: %s", r.stderr)
	}
	if out := p.ok("status", "small"); !strings.HasPrefix(out, "5 runs: 5 done; 2 former runs not shown (--all shows them)\n") || !strings.Contains(out, "added: train.steps=3") {
		t.Error(out)
	}
	all := decode[endDocument](t, p.ok("status", sweep, "--all", "--json"))
	if got := all.standings(); got != "file done, file done, file done, file done, added done, former done, former done" || all.Former != 0 {
		t.Errorf("with --all: %s, former %d", got, all.Former)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "5 runs: 5 finished, 0 of them collapsed. Sweep small, revision 0003. Left out: 2 former runs that the sweep's file has no longer."},
		{[]string{"--all"}, "7 runs: 7 finished, 0 of them collapsed. Sweep small, revision 0003.\n"},
		{[]string{"seed=2", "--only", "model.rescale=[1,8]", "--all"}, "2 runs: 2 finished, 0 of them collapsed. Sweep small, revision 0003. Only the runs with seed=2, model.rescale=[1,8]."},
	} {
		if out := p.ok(append([]string{"report", "small", "-o", filepath.Join(p.dir, "report")}, c.args...)...); !strings.Contains(out, c.want) {
			t.Errorf("report %q lacks %q:\n%s", c.args, c.want, out)
		}
	}
	p.write("small.toml", smallSweep)
	if end = lastLine(t, p.ok("run", sweep, "--json")); end.Done != 0 || len(end.Runs) != 5 || end.Former != 2 {
		t.Errorf("the old file again: %+v", end)
	}
}

// The grid has the same point twice, which nobody can know before.
func TestAnAutomaticChoiceThatComesToAKOfTheGridIsSaid(t *testing.T) {
	p := newPlace(t)
	p.sample()
	sweep := p.write("small.toml", strings.Replace(smallSweep, "[1, 4]", `[1, 4, "auto-score"]`, 1))
	r := p.run("run", sweep, "--json")
	runs := lastLine(t, r.stdout).Runs
	for i := range 2 {
		want := fmt.Sprintf("auto-score of %q came to k = 4: it is the same training as %q", runs[4+i].Label, runs[2+i].Label)
		if !strings.Contains(r.stderr, want) {
			t.Errorf("not said: %s\n%s", want, r.stderr)
		}
	}
	out := p.ok("report", "small", "-o", filepath.Join(p.dir, "report"))
	for _, want := range []string{"4 (auto-score)", "auto-score came to k = 4, which is a point of its own"} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	if out := p.ok("query", "SELECT label, rescale, k FROM settings WHERE rescale = 'auto-score'", "--csv"); strings.Count(out, ",auto-score,4\n") != 2 {
		t.Error(out)
	}
}

func TestStatusAndReportShowAPart(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "--quiet")
	for _, args := range [][]string{{"status", "small", "seed=1"}, {"status", "seed=1"}, {"status", "--only", "seed=1"}, {"status", sweep, "seed!=2"}} {
		if out := p.ok(args...); !strings.HasPrefix(out, "2 runs: 2 done\n") || strings.Contains(out, "-s2-") {
			t.Errorf("%q: %s", args, out)
		}
	}
	report := filepath.Join(p.dir, "report")
	p.refused([]string{"status", "small", "seed=7"}, `show sweep "small": none of its 4 runs matches seed=7`)
	p.refused([]string{"report", "small", "seed=7", "-o", report}, `none of its 4 runs matches seed=7`)
	p.refused([]string{"status", "small", "sed=1"}, "sed", "seed")
	p.refused([]string{"status", "smal"}, `find sweep "smal"`, "there are: small")
}

// A file that is no sweep without its overrides has no points of its own; what they made
// stays.
func TestWhatOverridesMakeOfAFileThatAloneIsNoSweep(t *testing.T) {
	p := newPlace(t)
	p.sample()
	sweep := p.write("small.toml", strings.NewReplacer("steps = 6\n", "", "[1, 4]", "[4]").Replace(smallSweep))
	p.refused([]string{"run", sweep}, "train.steps")
	p.ok("run", sweep, "--quiet", "train.steps=2")
	end := lastLine(t, p.ok("run", sweep, "--json", "train.steps=3", "seed=1"))
	if got := end.standings(); got != "added done, added done, added done" {
		t.Errorf("%s: %+v", got, end)
	}
}

func TestAFailingRunEndsWith3AndTheOthersAreDone(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	planned := decode[struct{ Runs []struct{ ID, Label string } }](t, p.ok("plan", sweep, "--json"))
	p.extra = []string{"FAKE_FAIL=" + planned.Runs[2].ID[:12]}
	r := p.run("run", sweep)
	if r.code != 3 {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	for _, want := range []string{"FAILED  " + planned.Runs[2].Label, "tensor of the wrong shape", "1 of 7 jobs failed", "worker.log", "headroom status"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("standard error lacks %q:\n%s", want, r.stderr)
		}
	}
	if n := strings.Count(r.stdout, "healthy"); n != 3 {
		t.Errorf("%d runs are done, want 3:\n%s", n, r.stdout)
	}
	p.extra = nil
	if end := lastLine(t, p.ok("run", sweep, "--json")); end.Done != 1 {
		t.Errorf("the failed run was not tried again, alone: %+v", end)
	}
}

func TestRunsWhoseBackboneFailsAreNotStarted(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	planned := decode[struct{ Recipes []struct{ ID string } }](t, p.ok("plan", sweep, "--json"))
	p.extra = []string{"FAKE_FAIL=" + planned.Recipes[0].ID}
	r := p.run("run", sweep, "--json")
	end := lastLine(t, r.stdout)
	if r.code != 3 || end.Failed != 1 || end.Blocked != 5 || end.Done != 1 { // bm25 needs no backbone
		t.Errorf("exit code %d, end %+v", r.code, end)
	}
}

func TestACollapsedRunIsDone(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.extra = []string{"FAKE_COLLAPSE=identical"}
	end := lastLine(t, p.ok("run", sweep, "--json", "model.rescale=1", "seed=1"))
	if v := end.Runs[0].Verdict; v == nil || *v != "identical" {
		t.Errorf("run %+v", end.Runs[0])
	}
	p.extra = nil
	if end := lastLine(t, p.ok("run", sweep, "--json", "model.rescale=1", "seed=1")); end.Done != 0 {
		t.Errorf("a collapsed run was tried again: %+v", end)
	}
	if plan := p.ok("plan", sweep, "model.rescale=1", "seed=1"); !strings.Contains(plan, "collapsed") {
		t.Errorf("the plan does not say so:\n%s", plan)
	}
}

func TestCtrlCEndsWith130AndTheStoreIsFolded(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	hang := filepath.Join(p.dir, "hanging")
	p.extra = []string{"FAKE_HANG=" + hang}
	ctx, cancel := context.WithCancel(t.Context())
	p.ctx = ctx
	go func() {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(hang); err == nil {
				break
			}
		}
		cancel()
	}()
	r := p.run("run", sweep, "--json")
	end := lastLine(t, r.stdout)
	if r.code != 130 || end.Interrupted < 4 || end.Interrupted+end.Done != 7 { // the baselines may have been faster
		t.Errorf("exit code %d, end %+v\n%s", r.code, end, r.stderr)
	}
	if !strings.Contains(r.stderr, "headroom: interrupted") {
		t.Errorf("standard error:\n%s", r.stderr)
	}
}

func TestABackendThatCannotBeOpenedIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.refused([]string{"run", sweep, "compute.backend=\"xla\""}, `compute.backend = "xla"`, "no such device")
	p.ok("run", sweep, "--quiet")
	p.ok("plan", sweep, "compute.backend=xla:/nowhere/plugin.so") // nothing is left to compute
}

// Plan reports faults of a backend that show without opening it, as notices: another machine may have the backend.
func TestABackendThatIsNotHereIsSaidByPlan(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	want := map[string]string{"xla": "built without XLA", "xla:/nowhere/plugin.so": "built without XLA"}
	if decode[struct{ XLA bool }](t, p.ok("version", "--json")).XLA {
		want = map[string]string{"xla:/nowhere/plugin.so": `plugin "/nowhere/plugin.so": no PJRT plugin for XLA was found: no such file`, "xla:" + p.dir: "no such file"}
	}
	for backend, text := range want {
		notices := decode[struct{ Notices []string }](t, p.ok("plan", sweep, "compute.backend="+backend, "--json")).Notices
		if len(notices) != 1 || !strings.HasPrefix(notices[0], fmt.Sprintf("compute.backend = %q cannot be had on this machine", backend)) || !strings.Contains(notices[0], text) {
			t.Errorf("%s: notices %q", backend, notices)
		}
	}
	if out := p.ok("plan", sweep, "compute.backend=go", "--json"); strings.Contains(out, "cannot be had") {
		t.Error(out)
	}
}

func TestAPrecisionThatTheBackendLacksIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	p := newPlace(t)
	p.refused([]string{"run", p.sample(), "train.precision=\"bfloat16\""}, `compute.backend = "`, "precision")
}

// A recipe has a precision of its own, and runs in float32 may wait for it.
func TestARecipesPrecisionThatTheBackendLacksIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	recipe := p.write("backbones/tiny.toml", tinyRecipe+"precision = \"bfloat16\"\n")
	p.refused([]string{"pretrain", recipe, "--backend", "go"}, `compute.backend = "go"`, `precision "bfloat16" needs XLA`)
	for _, command := range []string{"plan", "run"} {
		p.refused([]string{command, sweep, "compute.backend=\"go\""}, "compute.backend", "recipe:tiny is pretrained in bfloat16", "headroom pretrain")
	}
	p.ok("plan", sweep, "compute.backend=\"auto\"") // what a GPU may have is not known yet
	p.refused([]string{"run", sweep, "compute.backend=\"auto\""}, `compute.backend = "auto"`)
}

func TestASecondCtrlCEndsTheProgramAndItsWorkersAtOnce(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.role = "program of fakes"
	hang := filepath.Join(p.dir, "hanging")
	p.extra = []string{"FAKE_HANG=" + hang, "FAKE_STUBBORN=1"}
	cmd, output := p.start("run", sweep, "--slots", "1")
	awaitText := func(what string, there func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !there(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no %s", what)
			}
		}
	}
	var worker int
	awaitText("worker", func() bool {
		text, err := os.ReadFile(hang)
		if err != nil {
			return false
		}
		worker, err = strconv.Atoi(string(text))
		return err == nil
	})
	cmd.Process.Signal(os.Interrupt)
	output.wait(t, "a second Ctrl-C ends them at once") // the first is passed on, and the worker does not stop
	time.Sleep(200 * time.Millisecond)
	if syscall.Kill(worker, 0) != nil {
		t.Fatal("the worker ended at the first Ctrl-C")
	}
	cmd.Process.Signal(os.Interrupt)
	err := cmd.Wait()
	if code := exitCode(err); code != -1 && code != 130 { // -1: ended by the signal, which a shell shows as 130
		t.Errorf("exit code %d\n%s", code, output)
	}
	awaitText("end of the worker", func() bool { return syscall.Kill(worker, 0) != nil })
}
