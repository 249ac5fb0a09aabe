package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
)

func TestADigestFollowsContentsAndNotPaths(t *testing.T) {
	root := t.TempDir()
	a, b := writeModel(t, filepath.Join(root, "a")), writeModel(t, filepath.Join(root, "b"))
	r := &source.Resolver{CacheDir: filepath.Join(root, "cache")}
	one, err := r.Checkpoint(a)
	if err != nil {
		t.Fatal(err)
	}
	if two, err := r.Checkpoint(b); err != nil || one.Weights != two.Weights || one.Tokenizer != two.Tokenizer {
		t.Errorf("equal folders differ: %+v, %+v, %v", one, two, err)
	}
	write(t, filepath.Join(b, "config.json"), `{"model_type":"bert","x":1}`)
	if two, err := r.Checkpoint(b); err != nil || one.Weights == two.Weights {
		t.Errorf("another configuration, the same weights digest: %+v, %v", two, err)
	}
}

func TestADigestIsKeptUntilTheFileChanges(t *testing.T) {
	root := t.TempDir()
	path := write(t, filepath.Join(root, "f"), "aaaa")
	cache := filepath.Join(root, "cache")
	r := &source.Resolver{CacheDir: cache}
	old := time.Now().Add(-time.Hour)
	stamp := func(at time.Time) {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	stamp(old)
	first, err := r.DigestFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The same path, size and time: the kept digest answers, which shows that
	// the file is not read again.
	write(t, path, "bbbb")
	stamp(old)
	if again, _ := r.DigestFile(path); again != first {
		t.Error("the digest was computed again")
	}
	stamp(old.Add(time.Second))
	second, _ := r.DigestFile(path)
	if second == first {
		t.Error("a new time stamp was not noticed")
	}
	// A file that has just been written is not trusted to stay.
	write(t, path, "cccc")
	stamp(time.Now().Add(time.Hour)) // however slow this machine is
	third, _ := r.DigestFile(path)
	info, _ := os.Stat(path)
	write(t, path, "dddd")
	stamp(info.ModTime())
	if fourth, _ := r.DigestFile(path); fourth == third || third == second {
		t.Error("the digest of a young file was kept")
	}
	if (&source.Resolver{}).CacheDir != "" {
		t.Fatal("the zero resolver has a cache")
	}
	if plain, err := (&source.Resolver{CacheDir: path}).DigestFile(path); err != nil || plain == "" {
		t.Errorf("a cache that cannot be written: %v", err)
	}
	if _, err := r.DigestFile(filepath.Join(root, "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAnotherSplitChangesNoDigest(t *testing.T) {
	folder := writeCollection(t, t.TempDir())
	r := &source.Resolver{}
	train, err := r.DigestCollection(folder, "train")
	if err != nil {
		t.Fatal(err)
	}
	corpus, _ := r.DigestCorpus(folder)
	write(t, filepath.Join(folder, "qrels", "dev.tsv"), "query-id\tcorpus-id\tscore\nq1\td2\t1\n")
	if again, _ := r.DigestCollection(folder, "train"); again != train {
		t.Error("a dev split changed the digest of what is trained on")
	}
	if test, _ := r.DigestCollection(folder, "test"); test == train {
		t.Error("train and test have one digest")
	}
	write(t, filepath.Join(folder, "queries.jsonl"), `{"_id":"q1","text":"other"}`+"\n")
	if again, _ := r.DigestCorpus(folder); again != corpus {
		t.Error("a query changed the digest of the documents")
	}
	if again, _ := r.DigestCollection(folder, "train"); again == train {
		t.Error("a query did not change the digest of what is trained on")
	}
}
