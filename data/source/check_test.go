package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/source"
)

func TestCheckCollectionSaysWhatWouldStopARun(t *testing.T) {
	for name, c := range map[string]struct{ file, text, says string }{
		"a malformed line":     {"corpus.jsonl", "{\"_id\":\"d1\",\"text\":\"x\"}\n{\"_id\":", "corpus.jsonl:2"},
		"an empty corpus":      {"corpus.jsonl", "", "no document"},
		"no positive":          {"qrels/train.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t0\n", "grade above 0"},
		"an unknown query":     {"qrels/train.tsv", "query-id\tcorpus-id\tscore\nq9\td1\t1\n", `"q9"`},
		"a grade that is none": {"qrels/train.tsv", "query-id\tcorpus-id\tscore\nq1\td1\tnan\n", "train.tsv"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := writeCollection(t, t.TempDir())
			write(t, filepath.Join(folder, c.file), c.text)
			err := (&source.Resolver{}).CheckCollection(folder, "train")
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
	folder := writeCollection(t, t.TempDir())
	r := &source.Resolver{CacheDir: t.TempDir()}
	if err := r.CheckCollection(folder, "train"); err != nil {
		t.Errorf("a sound collection: %v", err)
	}
	if facts, err := r.CollectionFacts(folder, "train"); err != nil || facts != (source.Facts{Positives: 1, Together: 1}) {
		t.Errorf("facts %+v, %v", facts, err)
	}
	if err := r.CheckCollection(folder, "dev"); err == nil || !strings.Contains(err.Error(), "test, train") {
		t.Errorf("a split that is not there: %v", err)
	}
}

func TestCheckModelSaysWhatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct{ file, text, says string }{
		"config is no JSON":      {"config.json", "{", "config.json"},
		"config has no type":     {"config.json", "{}", `"model_type" is missing`},
		"tokenizer is no JSON":   {"tokenizer.json", "[", "tokenizer.json"},
		"weights are cut":        {"model.safetensors", "abc", "shorter"},
		"header beyond the file": {"model.safetensors", "\xff\xff\xff\xff\xff\xff\xff\xff{}", "claims"},
		"header one too long":    {"model.safetensors", "\x03\x00\x00\x00\x00\x00\x00\x00{}", "claims 3 bytes"},
		"header is no JSON":      {"model.safetensors", safetensors("no"), "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := writeModel(t, t.TempDir())
			write(t, filepath.Join(folder, c.file), c.text)
			_, err := (&source.Resolver{}).Checkpoint(folder)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
	folder := writeModel(t, t.TempDir())
	os.Rename(filepath.Join(folder, "model.safetensors"), filepath.Join(folder, "pytorch_model.bin"))
	if _, err := (&source.Resolver{}).Checkpoint(folder); err == nil || !strings.Contains(err.Error(), "save_pretrained") {
		t.Errorf("pytorch_model.bin alone: %v", err)
	}
}
