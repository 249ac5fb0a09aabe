package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
)

func TestTrainingFindsFilesFoldersAndCollections(t *testing.T) {
	root := t.TempDir()
	r := &source.Resolver{DataRoot: filepath.Join(root, "data"), CacheDir: filepath.Join(root, "cache"), Base: filepath.Join(root, "sweeps")}
	here := writeCollection(t, filepath.Join(root, "sweeps", "here"))
	below := writeCollection(t, filepath.Join(root, "data", "beir", "tiny"))
	file := write(t, filepath.Join(root, "sweeps", "triples.tsv"), "q\tp\tn\n")
	inData := write(t, filepath.Join(root, "data", "own", "x.jsonl.gz"), "x")
	shard := write(t, filepath.Join(root, "data", "own", "set", "train-0.jsonl"), "x")
	for ref, want := range map[string]string{
		"./here": here, here: here, "data:beir/tiny": below, "beir:tiny": below, "./triples.tsv": file, file: file,
		"data:own/x.jsonl.gz": inData, "data:own/set": shard,
	} {
		set, err := r.Training(ref)
		got := set.Folder
		if len(set.Files) == 1 {
			got = set.Files[0]
		}
		if err != nil || got != want {
			t.Errorf("Training(%q) = %+v, %v; want %q", ref, set, err, want)
		}
	}
	if got := r.Absolute("./triples.tsv"); got != file {
		t.Errorf("absolute: %q", got)
	}
	for ref, says := range map[string]string{
		"./none.tsv":      "no such file or folder: " + filepath.Join(root, "sweeps", "none.tsv"),
		"data:none":       filepath.Join(root, "data", "none"),
		"bert-base-cased": "a folder is written ./",
		"./triples.csv":   "no such file or folder",
	} {
		if _, err := r.Training(ref); err == nil || errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), says) {
			t.Errorf("Training(%q): error %v does not say %q", ref, err, says)
		}
	}
	if _, err := (&source.Resolver{}).Training("data:x.tsv"); err == nil || !strings.Contains(err.Error(), "HEADROOM_DATA is not set") {
		t.Errorf("without HEADROOM_DATA: %v", err)
	}
}

// TestPublishedSetsGoByShortNames: each where it is published to lie, and until it is there a reason why not.
func TestPublishedSetsGoByShortNames(t *testing.T) {
	for ref, c := range map[string]struct {
		says  string
		files []string // any of them does
	}{
		"msmarco:triples": {"triples.train.small.tsv", []string{
			"msmarco/triples.train.small.tsv", "msmarco/triples.train.small.tsv.gz", "msmarco/triples/triples.train.small.tsv", "msmarco/triples/train.parquet",
		}},
		"msmarco:hard-negatives": {"msmarco-hard-negatives.jsonl.gz", []string{
			"msmarco/msmarco-hard-negatives.jsonl.gz", "msmarco/hard-negatives/msmarco-hard-negatives.jsonl", "msmarco/hard-negatives/train-00000-of-00001.parquet",
		}},
		"msmarco:margin-mse": {"bert-ensemble-margin-mse", []string{
			"msmarco/bert-ensemble-margin-mse/train-00000-of-00004.parquet", "msmarco/margin-mse/train.tsv.gz",
			"msmarco/bert_cat_ensemble_msmarcocolberttrain_scores_ids.tsv",
		}},
	} {
		for _, file := range c.files {
			for _, root := range []string{"data", filepath.Join("cache", "data")} {
				dir := t.TempDir()
				r := &source.Resolver{DataRoot: filepath.Join(dir, "data"), CacheDir: filepath.Join(dir, "cache")}
				// What other sets need does not make this one.
				write(t, filepath.Join(dir, "data", "msmarco", "collection.tsv"), "1\ta\n")
				if _, err := r.Training(ref); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), filepath.Join(dir, "data", "msmarco")) {
					t.Errorf("%s, not there: %v", ref, err)
				}
				path := write(t, filepath.Join(dir, root, filepath.FromSlash(file)), "x")
				if set, err := r.Training(ref); err != nil || len(set.Files) != 1 || set.Files[0] != path {
					t.Errorf("%s in %s: %+v %v", ref, path, set, err)
				}
			}
		}
	}
	if _, err := (&source.Resolver{}).Training("msmarco:triples"); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), "HEADROOM_DATA is not set") {
		t.Errorf("without any root: %v", err)
	}
	dir := t.TempDir()
	writeCollection(t, filepath.Join(dir, "msmarco", "hard-negatives"))
	if set, err := (&source.Resolver{DataRoot: dir}).Training("msmarco:hard-negatives"); err != nil || set.Folder == "" {
		t.Errorf("a collection under a set's name: %+v %v", set, err)
	}
}

func TestSurveysAreKept(t *testing.T) {
	root := t.TempDir()
	r := &source.Resolver{CacheDir: filepath.Join(root, "cache"), Base: root}
	path := write(t, filepath.Join(root, "a.tsv"), "q\tp\tn\nq2\tp\tn\n")
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
	set, err := r.Training("./a.tsv")
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.Survey(context.Background(), set)
	if err != nil || first.Rows != 2 || first.Negatives != 1 {
		t.Fatalf("%+v %v", first, err)
	}
	// The same size and time: what is kept is believed, so the rows are not read.
	write(t, path, "q\tp\tn\nbroken\n")
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
	if again, err := r.Survey(context.Background(), set); err != nil || again != first {
		t.Errorf("%+v %v", again, err)
	}
	writeCollection(t, filepath.Join(root, "beir"))
	if set, err = r.Training("./beir"); err != nil {
		t.Fatal(err)
	}
	whole, err := r.Survey(context.Background(), set)
	digest, digestErr := r.DigestCollection(set.Folder, "train")
	if err != nil || digestErr != nil || whole.Rows != 1 || whole.Negatives != 0 || whole.Scores || whole.Digest != digest {
		t.Errorf("%+v %v %v", whole, err, digestErr)
	}
}
