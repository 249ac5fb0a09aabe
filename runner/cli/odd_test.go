package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder, pipe or device in the place of a file is named as that.
func TestASweepThatIsNoFileIsRefused(t *testing.T) {
	p := newPlace(t)
	p.sample()
	if err := os.Symlink("loop.toml", filepath.Join(p.dir, "loop.toml")); err != nil {
		t.Skip(err)
	}
	p.write("folder.toml/file", "")
	for _, command := range []string{"plan", "run"} {
		p.refused([]string{command, filepath.Join(p.dir, "folder.toml")}, "folder.toml", "no regular file")
		p.refused([]string{command, filepath.Join(p.dir, "loop.toml")}, "loop.toml", "too many levels of symbolic links")
		p.refused([]string{command, filepath.Join(p.dir, "none.toml")}, "none.toml", "no such file")
	}
}

// A workspace that cannot be used is found before anything is computed, whatever is in
// its way: plan says what run would.
func TestAWorkspaceThatCannotBeUsedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file, text, workspace, says string
	}{
		"below a file":           {"file", "x", "file/ws", "file/ws"},
		"a file":                 {"file", "x", "file", "file/workspace.json"},
		"damaged":                {"ws/workspace.json", "{", "ws", "workspace.json is damaged"},
		"a file for its sweeps":  {"ws/sweeps", "x", "ws", "sweeps"},
		"a file for this sweep":  {"ws/sweeps/small", "x", "ws", "small"},
		"of a program to come":   {"ws/workspace.json", `{"id":"x","format":99}`, "ws", "its format is 99"},
		"a folder for its name":  {"ws/workspace.json/x", "", "ws", "workspace.json"},
		"without what it should": {"ws/workspace.json", `{"format":1}`, "ws", "workspace.json is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			sweep := p.sample()
			args := func(command string) []string {
				return []string{"-w", filepath.Join(p.dir, c.workspace), command, sweep}
			}
			p.write(c.file, c.text)
			if strings.HasPrefix(c.file, "ws/sweeps") { // only what is written there meets it
				p.write("ws/workspace.json", `{"id":"x","format":1}`)
				p.ok(args("plan")...)
			} else {
				p.refused(args("plan"), c.says)
			}
			p.refused(args("run"), c.says)
		})
	}
}

// A command that reads and writes one file would leave nothing of what it read.
func TestAnOutputIsNeverWhatIsRead(t *testing.T) {
	p, model := steps(t)
	p.sample()
	data := filepath.Join(p.dir, "data")
	corpus, link := filepath.Join(data, "corpus.jsonl"), filepath.Join(p.dir, "link.jsonl")
	if err := os.Symlink(corpus, link); err != nil {
		t.Skip(err)
	}
	vectors := p.write("v.jsonl", `{"id":"a","vector":{"3":1.5}}`+"\n")
	index := filepath.Join(p.dir, "index")
	p.ok("index", vectors, "--output", index)
	run := p.write("run.jsonl", "q0 Q0 d3 1 9 t\n")
	for _, args := range [][]string{
		{"encode", model, "--input", corpus, "--output", corpus, "--backend", "go"},
		{"encode", model, "--input", link, "--output", corpus, "--backend", "go"},
		{"search", index, "--queries", vectors, "--output", vectors},
		{"mine", data, "--negatives", "1", "--output", corpus},
		{"mine", data, "--negatives", "1", "--output", filepath.Join(data, "..", "data", "queries.jsonl")},
		{"mine", data, "--from", run, "--negatives", "1", "--output", run},
	} {
		p.refused(args, "it is the same file as the input")
	}
}

func TestAnOutputThatIsAFolderIsRefusedBeforeWork(t *testing.T) {
	p, model := steps(t)
	input := p.write("in.jsonl", `{"_id":"a","text":"red"}`+"\n")
	p.refused([]string{"encode", model, "--input", input, "--output", p.dir, "--backend", "go"}, "it is a folder")
}

func TestResultsThatCannotBePutThereAreRefused(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample(), "model.rescale=1", "seed=1")
	file := p.write("file", "in the way")
	p.refused([]string{"report", "small", "-o", file}, "--output", file+" is a file", "allowed: a folder")
	p.refused([]string{"export", "tiny", "--to", filepath.Join(file, "x")}, file)
}

// A recipe that was changed has made two backbones here; a run's own is the one in its id.
func TestASweepGoesOnAfterItsRecipeWasChanged(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.ok("run", sweep, "model.rescale=1", "seed=1")
	p.write("backbones/tiny.toml", strings.Replace(tinyRecipe, "steps = 4", "steps = 5", 1))
	p.ok("run", sweep, "model.rescale=1", "seed=1")
	for _, command := range []string{"plan", "run"} {
		p.ok(command, sweep)
	}
	p.write("backbones/tiny.toml", tinyRecipe)
	p.ok("run", sweep, "model.rescale=1", "seed=2")
}
