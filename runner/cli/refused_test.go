package cli_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The output of a name in .gz was plain text before.
func TestOutputsNamedGZAreGzipped(t *testing.T) {
	p, model := steps(t)
	at := func(name string) string { return filepath.Join(p.dir, name) }
	common := []string{"--backend", "go", "--max-length", "16"}
	p.ok(append([]string{"encode", model, "--input", at("data/corpus.jsonl"), "--output", at("d.jsonl")}, common...)...)
	p.ok(append([]string{"encode", model, "--input", at("data/corpus.jsonl"), "--output", at("d.jsonl.gz")}, common...)...)
	p.ok("index", at("d.jsonl.gz"), "--output", at("index"))
	for _, name := range []string{"run.trec", "run.trec.gz"} {
		p.ok("search", at("index"), "--queries", at("d.jsonl"), "--output", at(name))
	}
	for _, name := range []string{"v.jsonl", "v.jsonl.gz"} {
		p.ok("vectors", at("index"), "--output", at(name))
	}
	for _, name := range []string{"d.jsonl", "run.trec", "v.jsonl"} {
		plain, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		packed, err := os.ReadFile(at(name + ".gz"))
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Errorf("%s.gz: %v", name, err)
			continue
		}
		if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, plain) {
			t.Errorf("%s.gz has other contents than %s (%v)", name, name, err)
		}
	}
}

// Messages name the flag and what is allowed, in the words of a user.
func TestWrongValuesOfFlagsAreNamedWithWhatIsAllowed(t *testing.T) {
	p, model := steps(t)
	data, corpus := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "data", "corpus.jsonl")
	p.ok("encode", model, "--input", corpus, "--output", filepath.Join(p.dir, "d.jsonl"), "--backend", "go", "--max-length", "16")
	p.ok("index", filepath.Join(p.dir, "d.jsonl"), "--output", filepath.Join(p.dir, "index"))
	for _, c := range []struct {
		says string
		args []string
	}{
		{`--slots is "x"; allowed: an integer`, []string{"run", "demo", "--slots", "x"}},
		{`--margin is "x"; allowed: a number`, []string{"mine", data, "--output", "-", "--margin", "x"}},
		{`--every is "5"; allowed: a duration such as 30s`, []string{"status", "--every", "5"}},
		{`--prune-document is "x"; allowed: integers, such as 8,16`, []string{"evaluate", "--model", model, "--on", data, "--prune-document", "x"}},
		{`--bm25 is "maybe"; allowed: true or false`, []string{"evaluate", "--model", model, "--on", data, "--bm25=maybe"}},
		{`--output is -; allowed: a folder`, []string{"index", filepath.Join(p.dir, "d.jsonl"), "--output", "-"}},
		{`--to is -; allowed: a folder`, []string{"export", "x", "--to", "-"}},
		{`and ` + corpus + ` is a file; allowed: a folder`, []string{"report", "demo", "-o", filepath.Join(corpus, "x")}},
		{`and ` + corpus + ` is a file; allowed: a folder`, []string{"evaluate", "--model", model, "--on", data, "--output", corpus}},
		{`and ` + corpus + ` is a file; allowed: a folder`, []string{"judge", "demo", "--calibration", corpus}},
		{"--on has " + data + " twice", []string{"evaluate", "--model", model, "--on", data, data}},
		{"nDCG@10 is a measure, and a collection is expected; allowed: --measure nDCG@10", []string{"evaluate", "--model", model, "--on", data, "nDCG@10"}},
		{"--output belongs to --model\n", []string{"evaluate", "a", "b", "--output", "x"}},
		{"--keep-vectors belongs to --run\n", []string{"evaluate", "a", "b", "--keep-vectors"}},
		{"--output is empty; allowed: a file, or - for standard output", []string{"search", filepath.Join(p.dir, "index"), "--queries", corpus, "--output", ""}},
		{"open sweep \"" + filepath.Base(data) + "\": a folder is there and no file", []string{"plan", filepath.Base(data)}},
		{"recipe \"nosuch\" is not built into the program; built in are: ", []string{"pretrain", "nosuch"}},
		{"read -: there is no such file; allowed: a file, gzipped or not, or /dev/stdin", []string{"index", "-", "--output", filepath.Join(p.dir, "other")}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Chdir(p.dir)
			p.refused(c.args, c.says)
		})
	}
	if _, err := os.Stat(filepath.Join(p.dir, "other")); err == nil {
		t.Error("a refused index has left a folder")
	}
}

// A folder of the user's may have files of the calibration's names.
func TestACalibrationReplacesNoFolderOfTheUser(t *testing.T) {
	p := newPlace(t)
	path := p.sample()
	p.ok("run", path, "--quiet")
	mine := p.write("mine/runs.csv", "my own\n")
	p.refused([]string{"judge", path, "--calibration", filepath.Dir(mine)}, "is not empty and has no truth.csv")
	if text, err := os.ReadFile(mine); err != nil || string(text) != "my own\n" {
		t.Errorf("the user's file is %q (%v)", text, err)
	}
}

// A full disk is no fault of the request: the work had begun.
func TestAFullDiskIsAFailureOfTheWork(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	p, model := steps(t)
	at := func(name string) string { return filepath.Join(p.dir, name) }
	common := []string{"--backend", "go", "--max-length", "16"}
	p.ok(append([]string{"encode", model, "--input", at("data/corpus.jsonl"), "--output", at("d.jsonl")}, common...)...)
	p.ok("index", at("d.jsonl"), "--output", at("index"))
	for _, args := range [][]string{
		append([]string{"encode", model, "--input", at("data/corpus.jsonl"), "--output", "/dev/full"}, common...),
		{"search", at("index"), "--queries", at("d.jsonl"), "--output", "/dev/full"},
		{"vectors", at("index"), "--output", "/dev/full"},
		{"mine", at("data"), "--negatives", "1", "--output", "-"},
	} {
		if args[0] == "mine" {
			p.out = full{}
		}
		if r := p.run(args...); r.code != 1 || !strings.Contains(r.stderr, "no space left on device") {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
}
