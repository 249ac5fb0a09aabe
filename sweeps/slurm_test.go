package sweeps_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/sweeps"
)

func TestSlurmKeys(t *testing.T) {
	spec := parse(t, base+`[slurm]
partition = "gpu,long"
account = "lab"
qos = "high"
time = "2-12:00:00"
gres = "gpu:a100:1"
cpus = 8
mem = "32G"
throttle = 4
bundle = 2
requeue = 0
signal = "USR2"
lead = 300
prelude = ["module load cuda", "echo 'a \"b\"'"]
extra = "--constraint=a100|h100"
`)
	s := spec.Slurm
	got := []any{s.Partition, s.Account, s.QOS, s.Time, s.Gres, s.CPUs, s.Mem, s.Throttle, s.Bundle, s.Requeue, s.Signal, s.Lead, s.Prelude[1], s.Extra[0]}
	want := []any{"gpu,long", "lab", "high", "2-12:00:00", "gpu:a100:1", 8, "32G", 4, 2, 0, "USR2", 300, `echo 'a "b"'`, "--constraint=a100|h100"}
	if !slices.Equal(got, want) {
		t.Errorf("slurm is %v, want %v", got, want)
	}
	if d := sweeps.Diff(expand(t, spec)[0], only(t, base)); len(d) != 0 {
		t.Errorf("slurm changed the run: %v", d)
	}
	if over := s.Or(sweeps.SlurmDefaults()); over.Requeue != 0 {
		t.Errorf("requeue = 0 that was said became %d", over.Requeue)
	}
	if bare := parse(t, base).Slurm.Or(sweeps.SlurmDefaults()); bare.Requeue != 3 || bare.Signal != "USR1" || bare.Lead != 120 || bare.Time != "auto" {
		t.Errorf("defaults are %+v", bare)
	}
}

func TestWhatSlurmKeysRefuse(t *testing.T) {
	for line, want := range map[string]string{
		`partitions = "x"`:             `unknown key; allowed: slurm.partition, slurm.account`,
		`partition = ""`:               "is empty",
		`partition = "a b"`:            "is empty, or has a character",
		`account = "a\n#SBATCH --x"`:   "is empty, or has a character",
		`time = 3`:                     "is an integer",
		`time = "soon"`:                "is not a time limit",
		`time = "0"`:                   "is no time at all",
		`throttle = -1`:                "is out of range",
		`cpus = 1.5`:                   "is a number with a fraction",
		`mem = "much"`:                 "is not a size",
		`signal = "KILL"`:              `"KILL" is not a choice`,
		`signal = "usr1"`:              "case matters",
		`lead = 5`:                     "is out of range",
		`extra = "constraint=a"`:       "is not of the form --NAME",
		`extra = ["--array=1-3"]`:      `"--array" is set by submit itself`,
		`extra = ["--x=1\n--array=2"]`: "the end of a line",
		`prelude = [1]`:                "is an array",
	} {
		faults := faultsOf(t, base+"[slurm]\n"+line+"\n")
		if len(faults) != 1 || !strings.Contains(faults.Error(), want) || !strings.Contains(faults.Error(), "test.toml: slurm.") {
			t.Errorf("%s: %v; want %q", line, faults, want)
		}
	}
}

func TestTimeLimits(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Minute, "1:30": 90 * time.Second, "8:00:00": 8 * time.Hour, "2-12": 60 * time.Hour,
		"1-1:30": 25*time.Hour + 30*time.Minute, "1-0:0:30": 24*time.Hour + 30*time.Second,
		"": 0, "x": 0, "1-": 0, "1:2:3:4": 0, "0": 0, "-5": 0, "1-1-1": 0,
	} {
		got, err := sweeps.SlurmTime(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("SlurmTime(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for limit, want := range map[time.Duration]string{
		time.Second: "0:01:00", 90 * time.Minute: "1:30:00", 61*time.Second + time.Hour: "1:02:00", 26 * time.Hour: "1-02:00:00",
	} {
		if got := sweeps.SlurmLimit(limit); got != want {
			t.Errorf("SlurmLimit(%v) = %q, want %q", limit, got, want)
		}
	}
}

func TestASiteFileGivesWhatTheSweepLeavesOut(t *testing.T) {
	near, err := sweeps.ParseSite("near.toml", []byte("[slurm]\npartition = \"near\"\nrequeue = 0\n[compute]\nthreads = 4\n"))
	if err != nil {
		t.Fatal(err)
	}
	far, err := sweeps.ParseSite("far.toml", []byte("slurm.partition = \"far\"\nslurm.gres = \"gpu:1\"\ncompute = {threads = 9, backend = \"xla\", remat = true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	spec := parse(t, base+"[slurm]\nmem = \"8G\"\n[compute]\nbackend = \"go\"\n")
	if err := spec.ApplySites(near, far); err != nil {
		t.Fatal(err)
	}
	run := expand(t, spec)[0]
	if c := run.Compute; c.Backend != "go" || c.Threads != 4 || !c.Remat {
		t.Errorf("compute is %+v, want the sweep's backend, the near file's threads, the far one's remat", c)
	}
	s := spec.Slurm.Or(sweeps.SlurmDefaults())
	if s.Partition != "near" || s.Gres != "gpu:1" || s.Mem != "8G" || s.Requeue != 0 {
		t.Errorf("slurm is %+v", s)
	}
	if d := sweeps.Diff(run, only(t, base)); slices.ContainsFunc(d, func(c sweeps.Change) bool { return c.Semantic }) {
		t.Errorf("a site's file changed what is computed: %v", d)
	}
}

func TestASiteFileIsReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		"[train]\nsteps = 3\n":              "headroom.toml: train.steps: is not allowed in a site's file; allowed: [slurm], [compute], [alerts] and [[collection]]",
		"name = \"x\"\n":                    "headroom.toml: name: is not allowed",
		"[Slurm]\npartition = \"x\"\n":      `did you mean "slurm"?`,
		"[compute]\nthread = 1\n":           `did you mean "compute.threads"?`,
		"[compute]\nbackend = \"gpu\"\n":    `compute.backend = "gpu"`,
		"[slurm]\npartition = 1\nlead=1\n":  "slurm.lead = 1: is out of range",
		"slurm = 3\n":                       "is not a table",
		"[slurm\n":                          "headroom.toml:1: not valid TOML",
		"[compute]\nthreads=[1,2]\n":        "compute.threads",
		"[compute]\nbackend.x = \"auto\"\n": "compute.backend",
	} {
		_, err := sweeps.ParseSite("headroom.toml", []byte(text))
		var faults sweeps.Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
	folder := t.TempDir()
	if _, err := sweeps.LoadSite(filepath.Join(folder, "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	// A link to nothing is no missing file: its settings would be lost without a word.
	link := filepath.Join(folder, "link.toml")
	if err := os.Symlink("gone.toml", link); err != nil {
		t.Fatal(err)
	}
	if _, err := sweeps.LoadSite(link); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `a link to "gone.toml", which is not there`) {
		t.Errorf("a link to nothing: %v", err)
	}
	path := filepath.Join(folder, sweeps.SiteFile)
	if err := os.WriteFile(path, []byte("[slurm]\nqos = \"q\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sweeps.LoadSite(path); err != nil {
		t.Error(err)
	}
}

func TestSlurmOverrides(t *testing.T) {
	s, err := sweeps.SlurmOverrides([]string{"slurm.partition=low", `slurm.time="1:00:00"`, "slurm.lead=30", `slurm.prelude=["a", "b"]`})
	if err != nil {
		t.Fatal(err)
	}
	if s.Partition != "low" || s.Time != "1:00:00" || s.Lead != 30 || len(s.Prelude) != 2 {
		t.Errorf("slurm is %+v", s)
	}
	for arg, says := range map[string]string{
		"slurm.partitio=x": `command line: slurm.partitio = "x": unknown key; allowed: slurm.partition, `, "slurm.lead=x": `slurm.lead = "x": is not a TOML value; allowed: seconds`,
		"slurm=": "unknown key", "slurm.time=1:00:00\nname=3": "slurm.time", "slurm.partition": "slurm.partition = \"\": is empty",
	} {
		if _, err := sweeps.SlurmOverrides([]string{arg}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want %q", arg, err, says)
		}
	}
	for _, limit := range []string{"8:00:00", "90"} {
		if s, err := sweeps.SlurmOverrides([]string{"slurm.time=" + limit}); err != nil || s.Time != limit {
			t.Errorf("a bare time: %v, %v", s.Time, err)
		}
	}
}
