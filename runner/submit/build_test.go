package submit_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/runner/slurm"
	"headroom/runner/submit"
	"headroom/sweeps"
)

var update = flag.Bool("update", false, "write the golden files again")

// piece is a run of 100 steps that takes the given seconds.
func piece(id string, seconds float64, needs string) submit.Piece {
	return submit.Piece{Job: submit.Job{Kind: "run", ID: id, Label: "label-" + id, Backend: "go", Needs: needs}, Seconds: seconds, Steps: 100}
}

func order(settings string) submit.Order {
	site, err := sweeps.ParseSite("headroom.toml", []byte("[slurm]\n"+settings))
	if err != nil {
		panic(err)
	}
	spec, err := sweeps.Parse("x.toml", []byte("name = \"x\"\nmodel.backbone = \"recipe:t\"\ndata.train = \"builtin:demo\"\ntrain.steps = 1\n"))
	if err == nil {
		err = spec.ApplySites(site)
	}
	if err != nil {
		panic(err)
	}
	return submit.Order{
		Manifest: submit.Manifest{Submission: "20260102-030405-abcd", Sweep: "My_Sweep", Program: "/opt/head room/headroom",
			Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Requeue: 3, Signal: "USR1", Lead: 120, Environment: []string{"HEADROOM_DATA=/data/it's here", "HF_HUB_OFFLINE=1"}},
		Settings: spec.Slurm.Or(sweeps.SlurmDefaults()),
		Site:     slurm.Site{MaxArraySize: 1001, Partitions: []slurm.Partition{{Name: "main", Default: true, Limit: time.Hour}, {Name: "long"}}},
	}
}

// shape writes the arrays of a manifest, and of each what is in its tasks.
func shape(m submit.Manifest) string {
	var lines []string
	for _, a := range m.Arrays {
		var tasks []string
		for _, task := range a.Tasks {
			var ids []string
			for _, job := range task.Jobs {
				ids = append(ids, job.ID)
			}
			tasks = append(tasks, strings.Join(ids, "+"))
		}
		lines = append(lines, fmt.Sprintf("%s [%s] after %v%v %d min", a.Name, strings.Join(tasks, " "), a.After, a.AfterJobs, a.Minutes))
	}
	return strings.Join(lines, "\n")
}

func built(t *testing.T, o submit.Order) submit.Manifest {
	t.Helper()
	m, notices, err := submit.Build(o)
	if err != nil || len(notices) > 0 {
		t.Fatalf("%v, %v", notices, err)
	}
	return m
}

func TestArrays(t *testing.T) {
	for name, c := range map[string]struct {
		settings string
		fill     func(*submit.Order)
		want     string
	}{
		"backbones come first, what needs none does not wait": {"bundle = 1", func(o *submit.Order) {
			o.Backbones = []submit.Piece{piece("b", 0, "")}
			o.Runs = []submit.Piece{piece("r1", 0, "b"), piece("r2", 0, ""), piece("r3", 0, "made-before")}
			o.Evaluations = []submit.Piece{piece("e1", 0, ""), piece("e2", 0, "b")}
		}, `backbones0 [b] after [][] 0 min
runs0 [r2 r3] after [][] 0 min
runs1 [r1] after [backbones0][] 0 min
evaluations0 [e1] after [][] 0 min
evaluations1 [e2] after [backbones0][] 0 min
report0 [report] after [backbones0 runs0 runs1 evaluations0 evaluations1][] 0 min`},
		"arrays have no more tasks than the cluster allows": {"bundle = 1", func(o *submit.Order) {
			o.Site.MaxArraySize = 2
			o.Runs = []submit.Piece{piece("r1", 0, ""), piece("r2", 0, ""), piece("r3", 0, ""), piece("r4", 0, ""), piece("r5", 0, "")}
		}, `runs0 [r1 r2] after [][] 0 min
runs1 [r3 r4] after [][] 0 min
runs2 [r5] after [][] 0 min
report0 [report] after [runs0 runs1 runs2][] 0 min`},
		// 300 + 300 + 300 s are 15 minutes; 900 × 1.5 s + 10 min + 2 min = 34.5 min.
		"short runs share a task, for 15 minutes": {"", func(o *submit.Order) {
			for i := range 4 {
				o.Runs = append(o.Runs, piece(fmt.Sprint("r", i), 300, ""))
			}
			o.Runs = append(o.Runs, piece("unknown", 0, ""), piece("u2", 0, ""))
		}, `runs0 [r0+r1+r2 r3 unknown u2] after [][] 0 min
report0 [report] after [runs0][] 0 min`},
		"the limit is that of the longest task, with its margin": {"", func(o *submit.Order) {
			o.Runs = []submit.Piece{piece("r0", 300, ""), piece("r1", 300, ""), piece("r2", 300, ""), piece("r3", 300, "")}
		}, `runs0 [r0+r1+r2 r3] after [][] 35 min
report0 [report] after [runs0][] 0 min`},
		"and no longer than the partition's": {"", func(o *submit.Order) {
			o.Runs = []submit.Piece{piece("r0", 9000, "")}
		}, `runs0 [r0] after [][] 60 min
report0 [report] after [runs0][] 0 min`},
		"a number of runs per task": {"bundle = 3\ntime = \"20\"", func(o *submit.Order) {
			o.Runs = []submit.Piece{piece("r1", 0, ""), piece("r2", 0, ""), piece("r3", 0, ""), piece("r4", 0, "")}
		}, `runs0 [r1+r2+r3 r4] after [][] 20 min
report0 [report] after [runs0][] 20 min`},
		"what lives elsewhere is waited for": {"", func(o *submit.Order) {
			waits := piece("r1", 0, "b")
			waits.After = []string{"77"}
			o.Runs, o.Before = []submit.Piece{waits, piece("r2", 0, "")}, []string{"77", "78"}
		}, `runs0 [r2] after [][] 0 min
runs1 [r1] after [][77] 0 min
report0 [report] after [runs0 runs1][77 78] 0 min`},
		"nothing": {"", func(*submit.Order) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := order(c.settings)
			c.fill(&o)
			if got := shape(built(t, o)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestTimeLimitsThatCannotBe(t *testing.T) {
	for settings, want := range map[string]string{
		`time = "2:00:00"`: `slurm.time = "2:00:00": partition "main" allows at most 1:00:00`,
		`time = "2"`:       `slurm.time = "2" leaves no time to work: a task writes its checkpoint 2m0s before its end (slurm.lead)`,
		// 100 steps in 20000 s: one takes 200 s, and 3 min − 2 min are left.
		`time = "3"`: `slurm.time = "3" is too short for one step of label-r: a step takes about 3m20s, and 1m0s are left`,
	} {
		o := order(settings)
		o.Runs = []submit.Piece{piece("r", 20000, "")}
		if _, _, err := submit.Build(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", settings, err, want)
		}
	}
	o := order("time = \"12\"")
	o.Runs = []submit.Piece{piece("r", 6000, "")} // ten times 600 s
	if _, notices, err := submit.Build(o); err != nil || len(notices) != 1 || !strings.Contains(notices[0], "10 tasks one after the other, and slurm.requeue = 3 allows 4") {
		t.Errorf("%v, %v", notices, err)
	}
}

func TestScript(t *testing.T) {
	o := order("partition = \"main\"\naccount = \"lab\"\nqos = \"high\"\ntime = \"30\"\ngres = \"gpu:1\"\ncpus = 4\nmem = \"8G\"\nthrottle = 2\nprelude = [\"module load cuda\"]\nextra = [\"--constraint=a100|h100\", \"--exclusive\"]\n")
	o.Runs = []submit.Piece{piece("r1", 0, ""), piece("r2", 0, "")}
	m := built(t, o)
	folder := "/home/a b/100%/ws/slurm/x/y"
	var text strings.Builder
	for _, a := range m.Arrays {
		text.WriteString(submit.Script(folder, "/home/a b/100%/ws", m, a, o.Settings))
	}
	path := filepath.Join("testdata", "script.golden")
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || text.String() != string(want) {
		t.Errorf("%v; the scripts differ (go test -update):\n%s", err, text.String())
	}
	for _, path := range []string{`/a"b`, `/a\b`, "/a\nb"} {
		if submit.CheckPath(path) == nil {
			t.Errorf("%q is taken", path)
		}
	}
}
