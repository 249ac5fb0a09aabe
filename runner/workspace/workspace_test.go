package workspace_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/internal/seal"
	"headroom/metrics/record"
	"headroom/runner/workspace"
	"headroom/sweeps"
)

func create(t *testing.T) workspace.Workspace {
	t.Helper()
	w, err := workspace.OpenOrCreate(filepath.Join(t.TempDir(), "ws"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func config(t *testing.T, change string) sweeps.RunConfig {
	t.Helper()
	spec, err := sweeps.Parse("s.toml", []byte(`name = "s"
model.backbone = "recipe:tiny"
data.train = "./data"
train.steps = 5
`+change))
	if err != nil {
		t.Fatal(err)
	}
	runs, err := spec.Expand()
	if err != nil {
		t.Fatal(err)
	}
	return runs[0]
}

const id = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func TestOpenWritesNothingAndManyCreatorsMakeOneWorkspace(t *testing.T) {
	root := filepath.Join(t.TempDir(), "ws")
	if _, err := workspace.Open(root); !errors.Is(err, workspace.ErrNone) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open made the folder: %v", err)
	}
	var ids sync.Map
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			w, err := workspace.OpenOrCreate(root)
			if err != nil {
				t.Error(err)
				return
			}
			ids.Store(w.ID, true)
		})
	}
	wait.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d identities of one workspace", n)
	}
}

func TestAWorkspaceThatIsNotOursIsAnError(t *testing.T) {
	for text, want := range map[string]string{"{": "damaged", `{"format":1}`: "damaged", `{"id":"x","format":2}`: "format is 2"} {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, "workspace.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := workspace.OpenOrCreate(root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func TestARunReadsBackAndRefusesAnotherConfiguration(t *testing.T) {
	w := create(t)
	in := sweeps.Inputs{Weights: "recipe:x", Tokenizer: "sha256:1", Data: "sha256:2"}
	want := config(t, "")
	id := string(sweeps.RunID(want, in))
	if err := w.WriteRun(id, want, in); err != nil {
		t.Fatal(err)
	}
	got, gotIn, err := w.ReadRun(id)
	if err != nil || !reflect.DeepEqual(got, want) || gotIn != in {
		t.Errorf("read back %+v %+v %v", got, gotIn, err)
	}
	for name, test := range map[string]struct {
		change string
		in     sweeps.Inputs
		fine   bool
	}{
		"again":                      {"", in, true},
		"evaluated on more":          {`evaluate.final = ["./other"]`, in, true},
		"computed elsewhere":         {`compute.backend = "go"`, in, true},
		"another seed":               {"seed = 2", in, false},
		"another rate":               {"train.lr = 1e-3", in, false},
		"other data of that name":    {"", sweeps.Inputs{Weights: "recipe:x", Tokenizer: "sha256:1", Data: "sha256:3"}, false},
		"another backbone, as named": {"", sweeps.Inputs{Weights: "recipe:y", Tokenizer: "sha256:1", Data: "sha256:2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.WriteRun(id, config(t, test.change), test.in)
			if test.fine != (err == nil) || !test.fine && !errors.Is(err, workspace.ErrOtherRun) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// Both files of a run can be sound and yet be another run's: copied there, say, or changed by hand in a workspace of an
// older program, which wrote no checksums.
func TestFilesThatTheIDDoesNotStandForAreDamagedAndMadeAgain(t *testing.T) {
	in := sweeps.Inputs{Weights: "recipe:x", Tokenizer: "sha256:1", Data: "sha256:2"}
	own, other := config(t, ""), config(t, "train.lr = 1e-3")
	id, foreign := string(sweeps.RunID(own, in)), string(sweeps.RunID(other, in))
	w := create(t)
	for _, run := range []struct {
		id     string
		config sweeps.RunConfig
	}{{id, own}, {foreign, other}} {
		if err := w.WriteRun(run.id, run.config, in); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(w.Run(foreign), "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.Run(id), "config.toml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.ReadRun(id); !seal.IsDamage(err) || !strings.Contains(err.Error(), path+" is damaged: with inputs.json beside it, it is not what the run's id stands for") {
		t.Errorf("error %v", err)
	}
	if err := w.WriteRun(id, own, in); err != nil {
		t.Fatal(err)
	}
	if got, _, err := w.ReadRun(id); err != nil || got.Train.LR != own.Train.LR {
		t.Errorf("made again: %v, %v", got.Train.LR, err)
	}
}

// Dev data that choose the checkpoint are in the id by their digest, so they may move.
func TestARunsDevDataMayMove(t *testing.T) {
	w := create(t)
	selects := func(folder string) sweeps.RunConfig {
		return config(t, "checkpoint.select = \"best\"\nevaluate.every = 5\nevaluate.during = [\""+folder+"\"]")
	}
	in := sweeps.Inputs{Weights: "recipe:x", Tokenizer: "sha256:1", Data: "sha256:2", During: "sha256:3"}
	id := string(sweeps.RunID(selects("./dev"), in))
	if err := w.WriteRun(id, selects("./dev"), in); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteRun(id, selects("./moved/dev"), in); err != nil {
		t.Error(err)
	}
	in.During = "sha256:4"
	if err := w.WriteRun(id, selects("./dev"), in); !errors.Is(err, workspace.ErrOtherRun) {
		t.Errorf("other dev data: error %v", err)
	}
}

func TestProvenanceOfEveryBeginningIsKept(t *testing.T) {
	w := create(t)
	for _, host := range []string{"a", "a", "b", "b", "c"} {
		if err := w.WriteProvenance(id, record.Provenance{Host: host}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(w.Run(id), "provenance*.json"))
	if err != nil || len(files) != 3 {
		t.Errorf("%v %v", files, err)
	}
	if p, err := w.ReadProvenance(id); err != nil || p.Host != "a" {
		t.Errorf("the first is %+v, %v", p, err)
	}
}

func TestBaselinesAndRecipesReadBack(t *testing.T) {
	w := create(t)
	want := record.Baseline{ID: id, Name: "untrained", Dataset: "./data", Split: "test", Backbone: "recipe:tiny", Inputs: sweeps.Inputs{Weights: "recipe:x"}}
	c := config(t, "data.max_query = 8")
	if err := w.WriteBaseline(want, c); err != nil {
		t.Fatal(err)
	}
	want.Schema = 1
	if got, gotConfig, err := w.ReadBaseline(id); err != nil || got != want || !reflect.DeepEqual(gotConfig, c) {
		t.Errorf("baseline %+v %v", got, err)
	}
	recipe, err := sweeps.ParseRecipe("r.toml", []byte("name = \"tiny\"\ntokenizer = \"./t\"\ndata.text = \"./d\"\ntrain.steps = 3\n[model]\narchitecture = \"bert\"\nhidden = 8\nlayers = 1\nheads = 2\nintermediate = 16\n"))
	if err != nil {
		t.Fatal(err)
	}
	in := sweeps.Inputs{Tokenizer: "sha256:1", Data: "sha256:2"}
	if err := w.WriteRecipe(id, *recipe, in); err != nil {
		t.Fatal(err)
	}
	got, gotIn, err := w.ReadRecipe(id)
	if err != nil || !reflect.DeepEqual(got, *recipe) || gotIn != in {
		t.Errorf("recipe %+v %+v %v", got, gotIn, err)
	}
	if ids, err := w.Recipes(); err != nil || len(ids) != 1 || ids[0] != id {
		t.Errorf("recipes %v %v", ids, err)
	}
}

func manifest(name string, runs ...string) record.Manifest {
	m := record.Manifest{Sweep: name, Baselines: []record.ManifestBaseline{}, Overrides: []string{}}
	for _, run := range runs {
		m.Runs = append(m.Runs, record.ManifestRun{Run: run, Label: run, Rescale: json.RawMessage("4"), Config: json.RawMessage("{}")})
	}
	return m
}

func TestRevisionsGrowOnlyWhenSomethingChanged(t *testing.T) {
	w := create(t)
	for i, step := range []struct {
		text     string
		manifest record.Manifest
		want     string
	}{
		{"a", manifest("s", "x"), "0001"},
		{"a", manifest("s", "x"), "0001"},
		{"b", manifest("s", "x"), "0002"},
		{"b", manifest("s", "x", "y"), "0003"},
		{"a", manifest("s", "x"), "0004"},
		{"a", manifest("other", "x"), "0001"},
	} {
		if got, err := w.WriteSweep([]byte(step.text), step.manifest); err != nil || got != step.want {
			t.Errorf("step %d: revision %s %v, want %s", i, got, err, step.want)
		}
	}
	_, text, m, err := w.Sweep("s")
	if err != nil || string(text) != "a" || m.Revision != "0004" || len(m.Runs) != 1 {
		t.Errorf("the last revision is %q %+v %v", text, m, err)
	}
	if names, err := w.Sweeps(); err != nil || strings.Join(names, " ") != "other s" {
		t.Errorf("sweeps %v %v", names, err)
	}
	if _, _, _, err := w.Sweep("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{"", "../s", ".", `a\b`} {
		if _, err := w.Revisions(name); err == nil {
			t.Errorf("%q passed as a sweep's name", name)
		}
	}
}

func TestACrashBetweenTextAndManifestLosesOnlyANumber(t *testing.T) {
	w := create(t)
	if _, err := w.WriteSweep([]byte("a"), manifest("s", "x")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.Root, "sweeps", "s", "0002.toml"), []byte("b"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, text, _, err := w.Sweep("s"); err != nil || string(text) != "a" {
		t.Errorf("the last revision is %q %v", text, err)
	}
	if revision, err := w.WriteSweep([]byte("b"), manifest("s", "x")); err != nil || revision != "0003" {
		t.Errorf("revision %s %v", revision, err)
	}
}

func TestRevisionsOfTwoWritersAtOnceAreTwo(t *testing.T) {
	w := create(t)
	var seen sync.Map
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			revision, err := w.WriteSweep([]byte{'a' + byte(i)}, manifest("s", "x"))
			if err != nil {
				t.Error(err)
				return
			}
			if other, twice := seen.LoadOrStore(revision, i); twice {
				t.Errorf("revision %s for both %d and %v", revision, i, other)
			}
		})
	}
	wait.Wait()
}

func TestWhatIsToBeComputedIsWrittenWholeWhateverFails(t *testing.T) {
	open := func(dir string) workspace.Workspace { return workspace.Workspace{Root: dir} }
	wanted := config(t, "")
	id := string(sweeps.RunID(wanted, sweeps.Inputs{Weights: "sha256:1"}))
	faults.Test(t, faults.Case{
		Write: func(disk atomic.Disk, dir string) error {
			w := open(dir).On(disk)
			_, err := w.WriteSweep([]byte("name = 's'"), record.Manifest{Sweep: "s"})
			return errors.Join(err, w.WriteRun(id, wanted, sweeps.Inputs{Weights: "sha256:1"}))
		},
		Read: func(dir string) (string, error) {
			w := open(dir)
			names, err := w.Sweeps()
			if err != nil {
				return "", err
			}
			for _, name := range names {
				if _, _, _, err := w.Sweep(name); err != nil {
					return "", err
				}
			}
			_, in, err := w.ReadRun(id)
			if errors.Is(err, fs.ErrNotExist) {
				return "none", nil
			}
			return in.Weights, err
		},
	})
}

func TestADamagedRevisionIsPutAsideWhateverFails(t *testing.T) {
	open := func(dir string) workspace.Workspace { return workspace.Workspace{Root: dir} }
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			for _, text := range []string{"a", "b"} {
				if _, err := open(dir).WriteSweep([]byte(text), manifest("s", "x")); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, "sweeps", "s", "0001.json"), []byte("damaged"), 0o666); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error {
			_, err := open(dir).On(disk).PutDamagedRevisionsAside("s")
			return err
		},
		Read: func(dir string) (string, error) {
			found, err := filepath.Glob(filepath.Join(dir, "sweeps", "s", "0001.json*"))
			if err == nil && len(found) != 1 {
				err = fmt.Errorf("%q: want one", found)
			}
			return filepath.Base(strings.Join(found, " ")), err
		},
	})
}

// TestADamagedProvenanceIsPutAsideWhateverFails: what was damaged stays, in its place or
// aside.
func TestADamagedProvenanceIsPutAsideWhateverFails(t *testing.T) {
	open := func(dir string) workspace.Workspace { return workspace.Workspace{Root: dir} }
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			if err := os.MkdirAll(open(dir).Run("r"), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(open(dir).Run("r"), "provenance.json"), []byte("damaged"), 0o666); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error {
			return open(dir).On(disk).WriteProvenance("r", record.Provenance{})
		},
		Read: func(dir string) (string, error) {
			path := filepath.Join(open(dir).Run("r"), "provenance.json")
			now, err := os.ReadFile(path)
			if err == nil && string(now) == "damaged" {
				return "damaged", nil
			}
			aside, unread := os.ReadFile(path + ".damaged")
			if unread == nil && string(aside) != "damaged" {
				unread = fmt.Errorf("aside is %q", aside)
			}
			if errors.Is(err, fs.ErrNotExist) { // between the two
				return "damaged", unread
			}
			return "written", errors.Join(err, unread, open(dir).CheckProvenance("r"))
		},
	})
}
