package sweeps_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/sweeps"
)

var update = flag.Bool("update", false, "write the golden files again")

// golden compares a text with testdata/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it again)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// base is a sound sweep without axes; tests add to it.
const base = `
name = "base"
[model]
backbone = "recipe:demo-bert"
[data]
train = "builtin:demo"
[train]
steps = 100
`

func parse(t *testing.T, text string, overrides ...string) *sweeps.Spec {
	t.Helper()
	spec, err := sweeps.Parse("test.toml", []byte(text), overrides...)
	if err != nil {
		t.Fatalf("parse:\n%v", err)
	}
	return spec
}

func expand(t *testing.T, spec *sweeps.Spec) []sweeps.RunConfig {
	t.Helper()
	runs, err := spec.Expand()
	if err != nil {
		t.Fatalf("expand:\n%v", err)
	}
	return runs
}

// only is the single run of a sweep without axes.
func only(t *testing.T, text string, overrides ...string) sweeps.RunConfig {
	t.Helper()
	runs := expand(t, parse(t, text, overrides...))
	if len(runs) != 1 {
		t.Fatalf("%d runs, want 1", len(runs))
	}
	return runs[0]
}

// faultsOf parses what must fail.
func faultsOf(t *testing.T, text string, overrides ...string) sweeps.Faults {
	t.Helper()
	_, err := sweeps.Parse("test.toml", []byte(text), overrides...)
	var faults sweeps.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults, of:\n%s %q", err, text, overrides)
	}
	return faults
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.toml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d inputs, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = sweeps.Parse(filepath.Base(file), text)
			if err == nil {
				t.Fatal("accepted")
			}
			golden(t, "faults/"+strings.TrimSuffix(filepath.Base(file), ".toml")+".golden", err.Error()+"\n")
		})
	}
}

func TestAFaultNamesFileKeyValueWhatIsAllowedAndTheNearestKey(t *testing.T) {
	got := faultsOf(t, base+"stepz = 3\n")
	if len(got) != 1 || got[0].File != "test.toml" || got[0].Key != "train.stepz" || got[0].Value != "3" ||
		got[0].Near != "train.steps" || !strings.Contains(got[0].Allowed, "steps, batch, micro_batch") {
		t.Errorf("unknown key: %+v", got)
	}
	got = faultsOf(t, base+"lr = -1\n")
	if len(got) != 1 || got[0].Key != "train.lr" || got[0].Value != "-1" || got[0].Allowed != "number ≥ 0" || got[0].Message != "out of range" {
		t.Errorf("bad value: %+v", got)
	}
}

// Every key has a rule that refuses a date and says what it allows: a key that
// was added without one shows here.
func TestEveryKeyRefusesAValueOfAnotherType(t *testing.T) {
	for _, key := range sweeps.Keys() {
		text := "name = \"x\"\n" + key + " = 1979-05-27T07:32:00Z\n"
		found := false
		for _, fault := range faultsOf(t, text) {
			if fault.Key == key && fault.Allowed != "" && fault.Message == "is a date" {
				found = true
			}
		}
		if !found {
			t.Errorf("%s = a date: %v", key, faultsOf(t, text))
		}
	}
}

func TestEveryNumberRefusesNaNAndInfinity(t *testing.T) {
	numbers := 0
	for _, key := range sweeps.Keys() {
		for _, value := range []string{"nan", "inf", "-inf"} {
			text := "name = \"x\"\n" + key + " = " + value + "\n"
			found, number := false, false
			for _, fault := range faultsOf(t, text) {
				if fault.Key == key {
					found, number = true, number || fault.Message == "not a finite number"
				}
			}
			if !found {
				t.Errorf("%s = %s is accepted", key, value)
			}
			if number {
				numbers++
			}
		}
	}
	if numbers < 3*10 {
		t.Errorf("only %d refusals say that the number is not finite", numbers)
	}
}

func TestFixedValuesMayBeTablesOrDottedKeys(t *testing.T) {
	tables := only(t, base+"lr = 1e-3\n[regularizer]\nlambda_query = 1\n")
	dotted := only(t, "name = \"x\"\nmodel.backbone = \"recipe:demo-bert\"\ndata.train = \"builtin:demo\"\ntrain.steps = 100\ntrain.lr = 1e-3\nregularizer.lambda_query = 1\n")
	inline := only(t, "name = \"x\"\nmodel = {backbone = \"recipe:demo-bert\"}\ndata = {train = \"builtin:demo\"}\n\"train.steps\" = 100\ntrain.lr = 0.001\nregularizer = {lambda_query = 1.0}\n")
	if d := sweeps.Diff(tables, dotted); len(d) != 0 {
		t.Errorf("tables and dotted keys differ: %v", d)
	}
	if d := sweeps.Diff(tables, inline); len(d) != 0 {
		t.Errorf("tables and inline tables differ: %v", d)
	}
	if tables.Regularizer.LambdaQuery != 1 || tables.Train.LR != 1e-3 {
		t.Errorf("values are lost: %+v", tables)
	}
}

func TestWhatTheFileLeavesOutHasItsDefault(t *testing.T) {
	want := sweeps.Defaults()
	want.Model.Backbone, want.Data.Train, want.Train.Steps = "recipe:demo-bert", "builtin:demo", 100
	if d := sweeps.Diff(want, only(t, base)); len(d) != 0 {
		t.Errorf("differs from the defaults: %v", d)
	}
}

func TestTheContractsDefaults(t *testing.T) {
	golden(t, "defaults.golden", string(only(t, base).TOML()))
}

func TestSlurmIsReadAndChangesNoRun(t *testing.T) {
	spec := parse(t, base+"[slurm]\npartition = \"gpu\"\ntime = \"8:00:00\"\ngres = \"gpu:1\"\naccount = \"a\"\nthrottle = 4\nprelude = [\"module load cuda\"]\nextra = \"--qos=high\"\n")
	if s := spec.Slurm; s.Partition != "gpu" || s.Throttle != 4 || len(s.Prelude) != 1 || s.Extra[0] != "--qos=high" {
		t.Errorf("slurm = %+v", s)
	}
	if d := sweeps.Diff(expand(t, spec)[0], only(t, base)); len(d) != 0 {
		t.Errorf("slurm changed the run: %v", d)
	}
	faults := faultsOf(t, base+"[slurm]\npartitions = \"x\"\nthrottle = -1\ntime = 3\n")
	if len(faults) != 3 || faults[0].Near != "slurm.partition" {
		t.Errorf("faults: %v", faults)
	}
}

func TestLoadSaysWhyAFileCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	if _, err := sweeps.Load(filepath.Join(folder, "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := sweeps.Load(folder); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	large := filepath.Join(folder, "large.toml")
	if err := os.WriteFile(large, make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sweeps.Load(large); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("large: %v", err)
	}
	sound := filepath.Join(folder, "sound.toml")
	if err := os.WriteFile(sound, []byte(base), 0o644); err != nil {
		t.Fatal(err)
	}
	if spec, err := sweeps.Load(sound, "seed=7"); err != nil || expand(t, spec)[0].Seed != 7 {
		t.Errorf("sound: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/faults/*.toml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "seed=[1,2]")
	}
	f.Add([]byte(base), "model.rescale=auto-norm")
	f.Add([]byte(base+"[grid]\nseed=[1,2,3]\n"), "train.steps=")
	f.Fuzz(func(t *testing.T, text []byte, override string) {
		spec, err := sweeps.Parse("fuzz.toml", text, override)
		if err != nil {
			var faults sweeps.Faults
			if !errors.As(err, &faults) || len(faults) == 0 || err.Error() == "" {
				t.Fatalf("an error without a fault: %#v", err)
			}
			return
		}
		runs, err := spec.Expand()
		if err != nil || len(runs) == 0 {
			t.Fatalf("a sound spec expands to %d runs: %v", len(runs), err)
		}
		for _, run := range runs[:min(3, len(runs))] {
			again, err := sweeps.ParseRun(run.TOML())
			if err != nil || len(sweeps.Diff(run, again)) != 0 {
				t.Fatalf("a run does not survive its own text: %v %v\n%s", err, sweeps.Diff(run, again), run.TOML())
			}
			if _, err := run.JSON(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestASyntaxFaultNamesItsLine(t *testing.T) {
	for text, line := range map[string]string{
		"name = \"x\"\n[train\nsteps = 1\n":           ":2",
		"name = \"x\"\n\n[train]\nsteps = \n":         ":4",
		"name = \"x\"\nname = \"y\"\n":                ":2",
		"name = x\n":                                  ":1",
		"name = \"x\n\n\n":                            ":1",
		"a = [1,\n2,\n":                               ":2",
		"name = \"x\"\n[train]\nsteps = 1\n[train]\n": ":4",
		"a = \"\xff\"\n":                              ":1",
		"\n\na = 99999999999999999999\n":              ":3",
		"a = 1.7976931348623157e400\n":                ":1",
	} {
		faults := faultsOf(t, text)
		if len(faults) != 1 || faults[0].File != "test.toml"+line {
			t.Errorf("%q: %v; want line %s", text, faults, line)
		}
	}
}
