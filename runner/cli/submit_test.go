package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stubSlurm puts commands into the place's PATH that answer as a cluster does that has
// the partitions main and long, gives jobs the ids 101, 102, …, and forgets them.
func (p *place) stubSlurm(change map[string]string) {
	p.t.Helper()
	folder := filepath.Join(p.t.TempDir(), "bin")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	counter := filepath.Join(folder, "counter")
	commands := map[string]string{
		"sbatch": `case " $* " in *" --test-only "*) exit 0;; esac
n=$(cat ` + counter + ` 2>/dev/null || echo 100); n=$((n + 1)); echo $n > ` + counter + `; echo $n`,
		"squeue":   "exit 0",
		"sacct":    "echo 'Slurm accounting storage is disabled' >&2; exit 1",
		"scontrol": "echo 'MaxArraySize = 3'",
		"sinfo":    "echo 'main*|1:00:00'; echo 'long|infinite'",
		"scancel":  "exit 0",
	}
	for name, body := range change {
		commands[name] = body
	}
	for name, body := range commands {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			p.t.Fatal(err)
		}
	}
	p.extra = append(p.extra, "PATH="+folder+":/usr/bin:/bin")
}

// withoutSlurm is a PATH that has nothing.
func (p *place) withoutSlurm() { p.extra = append(p.extra, "PATH="+p.t.TempDir()) }

type submitDocument struct {
	Schema     int
	Submission string
	Jobs       []struct {
		Kind, Job string
		Tasks     int
	}
	Runs    []string
	Skipped []struct{ ID, Why string }
	Scripts []struct{ Array, Script string }
}

func TestADryRunShowsTheScriptsAndTouchesNothing(t *testing.T) {
	p := newPlace(t)
	p.withoutSlurm()
	sweep := p.sample()
	p.write("headroom.toml", "[slurm]\npartition = \"gpu\"\ngres = \"gpu:1\"\n[compute]\nthreads = 1\n")
	before := p.files()
	out := p.ok("submit", sweep, "--dry-run", "slurm.throttle=2", "--only", "seed=1")
	for _, want := range []string{
		"small: dry run, nothing is submitted\n", "#SBATCH --partition=gpu\n", "#SBATCH --gres=gpu:1\n", "#SBATCH --array=0-1%2\n",
		"$ sbatch --parsable --dependency=afterany:JOB-OF-backbones0 runs0.sh\n", "exec \"$program\" task ", "export HF_HUB_OFFLINE='1'\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the dry run lacks %q:\n%s", want, out)
		}
	}
	d := decode[submitDocument](t, p.ok("submit", sweep, "--dry-run", "--json"))
	var kinds []string
	for _, job := range d.Jobs {
		kinds = append(kinds, job.Kind)
	}
	if strings.Join(kinds, " ") != "backbones runs evaluations evaluations report" || len(d.Runs) != 4 || len(d.Scripts) != 5 || d.Jobs[1].Tasks != 4 {
		t.Errorf("the document is %+v", d)
	}
	if after := p.files(); after != before {
		t.Errorf("a dry run changed the folder; before:\n%s\nafter:\n%s", before, after)
	}
}

func TestSubmitRefusesBeforeAnythingIsWritten(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.withoutSlurm()
	p.refused([]string{"submit", sweep}, "scontrol is not in PATH", "`headroom run` runs a sweep on this one")
	p.stubSlurm(nil)
	p.refused([]string{"submit", sweep, "slurm.partition=gpu"}, `slurm.partition = "gpu": the cluster has no such partition; it has: main, long`)
	p.refused([]string{"submit", sweep, "slurm.time=2"}, `slurm.time = "2" leaves no time to work`)
	p.refused([]string{"submit", sweep, "slurm.tim=2"}, `did you mean "slurm.time"?`)
	p.refused([]string{"submit", sweep, "train.step=2"}, `did you mean "train.steps"?`)
	p.refused([]string{"submit", sweep, "--every", "1ms"}, "--every is 1ms; allowed: 1s or more")
	p.refused([]string{"submit", "nosuch"}, `open sweep "nosuch"`)
	p.stubSlurm(map[string]string{"sbatch": "echo 'sbatch: error: Invalid account or account/partition combination specified' >&2; exit 1"})
	p.refused([]string{"submit", sweep, "slurm.account=nobody"}, "Slurm refuses the backbones: Invalid account", "headroom.toml")
	p.stubSlurm(map[string]string{"scontrol": "echo 'slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)' >&2; exit 1"})
	p.refused([]string{"submit", sweep}, "the cluster does not answer", "nothing was submitted")
	p.write("headroom.toml", "[slurm]\npartitions = \"gpu\"\n")
	p.refused([]string{"submit", sweep}, "headroom.toml", `did you mean "slurm.partition"?`)
	p.refused([]string{"plan", sweep}, "headroom.toml")
}

// TestWhatIsInTheQueueIsNotSubmittedAgain has a cluster that never begins the submitted jobs, and one that has
// forgotten them.
func TestWhatIsInTheQueueIsNotSubmittedAgain(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.stubSlurm(nil)
	first := decode[submitDocument](t, p.ok("submit", sweep, "--json"))
	if len(first.Jobs) != 6 || first.Jobs[0].Job != "101" || first.Jobs[5].Job != "106" || len(first.Runs) != 4 { // of at most 3 tasks
		t.Fatalf("the first submission is %+v", first)
	}
	waiting := `for job in $(echo "$*" | sed 's/.*-j //; s/ .*//; s/,/ /g'); do for i in 0 1 2; do echo "${job}_$i|PENDING|Priority||N/A|N/A"; done; done`
	p.stubSlurm(map[string]string{"squeue": waiting})
	second := decode[submitDocument](t, p.ok("submit", sweep, "--json"))
	if second.Submission != "" || len(second.Jobs) != 0 || len(second.Skipped) != 7 || !strings.Contains(second.Skipped[1].Why, "in the queue as 102_0: waiting (Priority)") {
		t.Errorf("the second submission is %+v", second)
	}
	added := decode[submitDocument](t, p.ok("submit", sweep, "seed=3", "model.rescale=1", "--json"))
	if len(added.Runs) != 1 || len(added.Jobs) != 2 || added.Jobs[0].Kind != "runs" {
		t.Errorf("a run beside them: %+v", added)
	}
	// An hour later the cluster has forgotten all of it.
	p.stubSlurm(nil)
	now := p.moment
	p.moment = func() time.Time { return now().Add(time.Hour) }
	again := decode[submitDocument](t, p.ok("submit", sweep, "--json"))
	if len(again.Runs) != 4 {
		t.Errorf("after all was lost: %+v", again)
	}
	p.stubSlurm(map[string]string{"squeue": "echo 'squeue: error: Unable to contact slurm controller' >&2; exit 1"})
	if r := p.run("submit", sweep); r.code != 1 || !strings.Contains(r.stderr, "what is in the queue is not known") {
		t.Errorf("while the controller is away: exit code %d\n%s", r.code, r.stderr)
	}
}
