//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A pipe gives its text once; checking it first must not be all that is done with it.
func TestTextsMayComeThroughAPipe(t *testing.T) {
	p, model := steps(t)
	pipe := filepath.Join(p.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip(err)
	}
	go os.WriteFile(pipe, []byte(`{"_id":"a","text":"red"}`+"\n"), 0o644)
	if out := p.ok("encode", model, "--input", pipe, "--output", "-", "--backend", "go"); !strings.HasPrefix(out, `{"id":"a"`) {
		t.Errorf("%q", out)
	}
}

// A pipe in a collection would be waited for without end.
func TestACollectionOfPipesIsRefused(t *testing.T) {
	for _, name := range []string{"corpus.jsonl", "queries.jsonl", "qrels/train.tsv"} {
		p := newPlace(t)
		sweep := p.sample()
		path := filepath.Join(p.dir, "data", name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Skip(err)
		}
		p.refused([]string{"plan", sweep}, name+" is a pipe or a device; a file is allowed")
	}
}

// A device or a pipe takes what is written, and is still there.
func TestAnOutputMayBeADeviceOrAPipe(t *testing.T) {
	p, model := steps(t)
	input := p.write("in.jsonl", `{"_id":"a","text":"red"}`+"\n")
	pipe, link := filepath.Join(p.dir, "pipe"), filepath.Join(p.dir, "null")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skip(err)
	}
	read := make(chan string)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- string(text)
	}()
	p.ok("encode", model, "--input", input, "--output", pipe, "--backend", "go")
	if text := <-read; !strings.HasPrefix(text, `{"id":"a"`) {
		t.Errorf("%q came through the pipe", text)
	}
	p.ok("encode", model, "--input", input, "--output", link, "--backend", "go")
	for path, mode := range map[string]os.FileMode{pipe: os.ModeNamedPipe, link: os.ModeSymlink, os.DevNull: os.ModeDevice} {
		if info, err := os.Lstat(path); err != nil || info.Mode()&mode == 0 {
			t.Errorf("%s is %v now (%v)", path, info.Mode(), err)
		}
	}
}

// A pipe in a model's folder would be waited for, and a device has no end.
func TestAModelWhosePartIsAPipeOrADeviceIsRefused(t *testing.T) {
	for _, name := range []string{"config.json", "tokenizer.json", "model.safetensors", "modules.json", "1_SpladePooling/config.json"} {
		for _, put := range []func(path string) error{
			func(path string) error { return syscall.Mkfifo(path, 0o644) },
			func(path string) error { return os.Symlink("/dev/zero", path) },
		} {
			p, model := steps(t)
			p.write("model/modules.json", `[{"path":"","type":"sentence_transformers.models.Transformer"},{"path":"1_SpladePooling","type":"sentence_transformers.models.SpladePooling"}]`)
			p.write("model/1_SpladePooling/config.json", `{"pooling_strategy":"max"}`)
			p.ok("tokenize", model)
			path := filepath.Join(model, name)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := put(path); err != nil {
				t.Skip(err)
			}
			input := p.write("in.jsonl", `{"_id":"a","text":"red"}`+"\n")
			p.refused([]string{"encode", model, "--input", input, "--output", "-", "--backend", "go"}, name, "allowed: a regular file")
			pairs := p.write("pairs.jsonl", `{"_id":"a","text":"red stone boat"}`+"\n"+`{"_id":"b","text":"river red bird"}`+"\n")
			p.refused([]string{"probe", model, "--texts", pairs, "--backend", "go"}, name, "allowed: a regular file")
			p.refused([]string{"evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--backend", "go"}, name, "allowed: a regular file")
			sweep := p.write("piped.toml", "name = \"piped\"\n[model]\nbackbone = \"./model\"\n[data]\ntrain = \"builtin:demo\"\n[train]\nsteps = 2\n")
			p.refused([]string{"plan", sweep}, name, "allowed: a regular file")
			switch name {
			case "model.safetensors", "1_SpladePooling/config.json": // tokenize does not read them
				p.ok("tokenize", model)
			default:
				p.refused([]string{"tokenize", model}, name, "allowed: a regular file")
			}
		}
	}
}
