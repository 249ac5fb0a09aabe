package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestARunKeepsItsDocumentsVectors: for a sweep that asks for it afterwards nothing is trained; what is kept is what encode
// writes, is handed out in every form, and is used by the next evaluation.
func TestARunKeepsItsDocumentsVectors(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	sweep, data := p.one(), filepath.Join(p.dir, "data")
	at := func(name string) string { return filepath.Join(p.dir, name) }
	run := lastLine(t, p.ok("run", sweep, "--json")).Runs[0].ID
	blocks := func(end string) []string {
		t.Helper()
		names, err := filepath.Glob(at("ws/*/*/vectors/*" + end))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if left := blocks(""); len(left) != 0 {
		t.Fatalf("left without being asked for: %v", left)
	}
	p.refused([]string{"vectors", run, "--on", data, "--output", "-"}, "has kept no vectors on "+data, "evaluate.keep_vectors = true", "--keep-vectors`")
	p.refused([]string{"vectors", run, "--on", data, "--split", "dev", "--output", "-"}, "no such split; it has test, train")
	p.refused([]string{"vectors", run, "--on", "beir:13", "--output", "-"}, "--on beir:13 stands for 13 collections; allowed: one, as beir:")
	p.refused([]string{"vectors", "nothing", "--on", data, "--output", "-"}, "no run has an id or label")
	p.refused([]string{"vectors", run, "--split", "test", "--output", "-"}, "--split belongs to --on")
	p.refused([]string{"vectors", run, "--output", "-"}, run+" is a run: --on REF says for which collection")
	p.refused([]string{"evaluate", "--model", run, "--on", data, "--keep-vectors"}, "--keep-vectors belongs to --run")
	p.refused([]string{"run", sweep, "evaluate.keep_vectors='yes'"}, "evaluate.keep_vectors", "true", "false")

	const keep = "evaluate.keep_vectors=true"
	if out := p.ok("plan", sweep, keep); !strings.Contains(out, "vectors are not kept") || !strings.Contains(out, "1 run, 1 done") {
		t.Errorf("plan says\n%s", out)
	}
	p.ok("run", sweep, keep)
	if kept := blocks(".vectors"); len(kept) != 2 || len(blocks("")) != 2 { // of the run and of the untrained baseline
		t.Fatalf("kept are %v of %v", kept, blocks(""))
	}
	if end := lastLine(t, p.ok("run", sweep, keep, "--json")); end.Done != 0 {
		t.Errorf("the next run does %d jobs", end.Done)
	}
	p.ok("encode", run, "--input", filepath.Join(data, "corpus.jsonl"), "--output", at("documents.jsonl"), "--max-length", "16", "--backend", "go")
	want := read(t, at("documents.jsonl"))
	if got := p.ok("vectors", run, "--on", data, "--output", "-"); got != want || want == "" {
		t.Errorf("kept is\n%s\nencode writes\n%s", got, want)
	}
	p.ok("index", at("documents.jsonl"), "--output", at("index"))
	for _, form := range []string{"jsonl", "anserini", "ciff", "npy"} {
		p.ok("vectors", run, "--on", data, "--format", form, "--output", at("of-run."+form))
		p.ok("vectors", at("index"), "--format", form, "--output", at("of-index."+form))
		names := []string{""}
		if form == "npy" {
			names = []string{"/indptr.npy", "/indices.npy", "/data.npy", "/ids.txt"}
		}
		for _, name := range names {
			if read(t, at("of-run."+form+name)) != read(t, at("of-index."+form+name)) {
				t.Errorf("%s%s is another than of an index of the same vectors", form, name)
			}
		}
	}
	entries, err := filepath.Glob(at(".new-*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("left beside the output: %v, %v", entries, err)
	}

	// A damaged block is named, and made again by the command that the message names.
	name := filepath.Join(at("ws/runs"), run, "vectors")
	name = func() string {
		for _, path := range blocks(".vectors") {
			if strings.HasPrefix(path, name) {
				return path
			}
		}
		t.Fatal("the run has no block")
		return ""
	}()
	whole := read(t, name)
	flipped := []byte(whole)
	flipped[len(flipped)/2] ^= 4
	if err := os.WriteFile(name, flipped, 0o644); err != nil {
		t.Fatal(err)
	}
	p.refused([]string{"vectors", run, "--on", data, "--output", "-"}, name, "is damaged", "--keep-vectors` encodes what is missing again")
	if r := p.run("db", "check", "--deep"); r.code == 0 || !strings.Contains(r.stderr, name) || !strings.Contains(r.stderr, "evaluate --run") {
		t.Errorf("db check --deep: %+v", r)
	}
	if r := p.run("evaluate", "--run", run, "--on", data, "--keep-vectors", "--backend", "go"); r.code != 0 || !strings.Contains(r.stderr, "documents are encoded again: "+name+" is damaged") {
		t.Errorf("evaluate: %+v", r)
	}
	if read(t, name) != whole {
		t.Error("it is not made good")
	}
	p.ok("db", "check", "--deep")
	if out := p.ok("gc"); out != "nothing to free\n" {
		t.Errorf("there is to free:\n%s", out)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	p.refused([]string{"vectors", run, "--on", data, "--output", "-"}, name, "encodes what is missing again")

	// A lost one is named by the plan of the sweep that asks for vectors, and made again by its run.
	if out := p.ok("plan", sweep, keep); !strings.Contains(out, "1 of its files of documents' vectors must be made again") || !strings.Contains(out, name) {
		t.Errorf("plan says\n%s", out)
	}
	p.ok("run", sweep, keep)
	if read(t, name) != whole {
		t.Error("run does not make it good")
	}
	if end := lastLine(t, p.ok("run", sweep, keep, "--json")); end.Done != 0 {
		t.Errorf("the next run does %d jobs", end.Done)
	}
	if err := os.WriteFile(name, flipped, 0o644); err != nil {
		t.Fatal(err)
	}
	if out := p.ok("plan", sweep, keep, "--verify"); !strings.Contains(out, name+" is damaged") {
		t.Errorf("plan --verify says\n%s", out)
	}
}
