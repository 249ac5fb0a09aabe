package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/source"
)

func fetch(t *testing.T, r *source.Resolver, ref string) string {
	t.Helper()
	folder, err := r.Fetch(t.Context(), ref, nil)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// same compares a fetched folder with what the hub has, but for the files that
// nobody needs.
func same(t *testing.T, folder string, files map[string][]byte, without ...string) {
	t.Helper()
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
		if slices.Contains(without, name) {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s was fetched: %v", name, err)
			}
		} else if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
}

func TestAModelIsFetchedIntoTheHubsCacheAndNeverAgain(t *testing.T) {
	h := newHub(t)
	files := reference(t, "bert-tied")
	files["vocab.txt"], files["tokenizer_config.json"] = []byte("[UNK]\na\nb\n"), []byte("{}")
	files["pytorch_model.bin"] = []byte("pickle")
	h.put("owner/name", commitA, files, "main")
	r := h.resolver()
	if _, err := r.Model("owner/name"); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), h.api.URL) {
		t.Fatalf("before: %v; want unresolved, naming the server", err)
	}
	if calls := h.taken(); len(calls) != 0 {
		t.Fatalf("looking for a model asked the hub: %v", calls)
	}
	var last source.Progress
	folder, err := r.Fetch(t.Context(), "owner/name", func(p source.Progress) {
		if p.Done < last.Done || p.Done > p.Total || p.Model != "owner/name" || p.File == "" {
			t.Errorf("progress %+v after %+v", p, last)
		}
		last = p
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, folder, files, "README.md", "pytorch_model.bin")
	if last.Done != last.Total || last.Total < int64(len(files["model.safetensors"])) {
		t.Errorf("the last progress is %+v", last)
	}

	// The layout, as huggingface_hub makes it.
	repo := filepath.Join(r.HubCache, "models--owner--name")
	if want := filepath.Join(repo, "snapshots", commitA); folder != want {
		t.Errorf("folder %s, want %s", folder, want)
	}
	if text, err := os.ReadFile(filepath.Join(repo, "refs", "main")); err != nil || string(text) != commitA {
		t.Errorf("refs/main is %q, %v", text, err)
	}
	git, _ := digests(files["config.json"])
	_, lfs := digests(files["model.safetensors"])
	for name, blob := range map[string]string{"config.json": git, "model.safetensors": lfs} {
		if link, err := os.Readlink(filepath.Join(folder, name)); err != nil || link != "../../blobs/"+blob {
			t.Errorf("%s is a link to %q, %v; want %s", name, link, err, blob)
		}
	}
	filepath.WalkDir(r.HubCache, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, ".incomplete") || strings.HasSuffix(path, ".tmp") {
			t.Errorf("left behind: %s, %v", path, err)
		}
		return nil
	})

	h.taken()
	if again := fetch(t, r, "owner/name"); again != folder {
		t.Errorf("the second time %s", again)
	}
	found, err := r.Checkpoint("owner/name")
	if err != nil || found.Weights != "hub:owner/name@"+commitA || found.Folder != folder {
		t.Errorf("Checkpoint = %+v, %v", found, err)
	}
	if calls := h.taken(); len(calls) != 0 {
		t.Errorf("what is there was asked for again: %v", calls)
	}
}

func TestShardsAndModulesComeAlong(t *testing.T) {
	h := newHub(t)
	files := reference(t, "modernbert-untied")
	files["modules.json"] = []byte(`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.MLMTransformer"},
		{"idx":1,"name":"1","path":"1_SpladePooling","type":"sentence_transformers.models.SpladePooling"},
		{"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`)
	files["1_SpladePooling/config.json"] = []byte(`{"pooling_strategy":"max"}`)
	files["onnx/model.onnx"] = []byte("large and of no use")
	h.put("owner/sharded", commitA, files, "main")
	r := h.resolver()
	folder := fetch(t, r, "owner/sharded")
	same(t, folder, files, "README.md", "onnx/model.onnx")
	if link, _ := os.Readlink(filepath.Join(folder, "1_SpladePooling", "config.json")); !strings.HasPrefix(link, "../../../blobs/") {
		t.Errorf("the module's configuration is a link to %q", link)
	}
	// What another program left out, or a cleaner removed, is all that is fetched.
	for _, name := range []string{"model-00002-of-00004.safetensors", "1_SpladePooling/config.json"} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		blob, err := filepath.EvalSymlinks(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(path)
		os.Remove(blob)
		if _, err := r.Model("owner/sharded"); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), "lacks "+name) {
			t.Errorf("without %s: %v", name, err)
		}
		h.taken()
		same(t, fetch(t, r, "owner/sharded"), files, "README.md", "onnx/model.onnx")
		for _, c := range h.taken() {
			if !strings.Contains(c.path, "/revision/") && !strings.HasSuffix(c.path, name) {
				t.Errorf("for %s there came %+v", name, c)
			}
		}
	}
}

func TestRevisionsAreBranchesTagsAndCommits(t *testing.T) {
	h := newHub(t)
	one, two := reference(t, "bert-tied"), reference(t, "bert-untied")
	h.put("owner/name", commitA, one, "main", "v1")
	h.put("owner/name", commitB, two, "refs/pr/1")
	h.put("google-bert/bert-base-uncased", commitB, two, "main")
	r := h.resolver()
	for ref, want := range map[string]map[string][]byte{
		"owner/name": one, "owner/name@v1": one, "owner/name@refs/pr/1": two, "owner/name@" + commitB: two,
		"bert-base-uncased": two,
	} {
		same(t, fetch(t, r, ref), want, "README.md")
	}
	repo := filepath.Join(r.HubCache, "models--owner--name")
	for ref, want := range map[string]string{"main": commitA, "v1": commitA, "refs/pr/1": commitB} {
		if text, err := os.ReadFile(filepath.Join(repo, "refs", filepath.FromSlash(ref))); err != nil || string(text) != want {
			t.Errorf("refs/%s is %q, %v", ref, text, err)
		}
	}
	if _, err := os.Stat(filepath.Join(repo, "refs", commitB)); err == nil {
		t.Error("a commit was written as a revision's name")
	}
	// A branch that moves is followed only if something must be fetched.
	h.put("owner/name", commitB, two, "main")
	same(t, fetch(t, r, "owner/name"), one, "README.md")
}

func TestATokenizerComesWithoutWeights(t *testing.T) {
	h := newHub(t)
	files := reference(t, "bert-tied")
	h.put("owner/name", commitA, files, "main")
	r := h.resolver()
	path, err := r.FetchTokenizer(t.Context(), "owner/name", nil)
	if _, found := os.Stat(filepath.Join(path, "tokenizer.json")); err != nil || found != nil {
		t.Fatalf("%q, %v", path, err)
	}
	if again, err := r.Tokenizer("owner/name"); err != nil || again != path {
		t.Errorf("Tokenizer = %q, %v", again, err)
	}
	if _, err := r.Model("owner/name"); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), "lacks model.safetensors") {
		t.Errorf("the model without weights: %v", err)
	}
	for _, c := range h.taken() {
		if strings.Contains(c.path, "safetensors") {
			t.Errorf("weights were asked for: %+v", c)
		}
	}
	same(t, fetch(t, r, "owner/name"), files, "README.md")
}

func TestFetchLeavesWhatIsNoHubModelAlone(t *testing.T) {
	h := newHub(t)
	r := h.resolver()
	folder := writeModel(t, t.TempDir())
	if got, err := r.Fetch(t.Context(), folder, nil); err != nil || got != folder {
		t.Errorf("a folder: %q, %v", got, err)
	}
	for _, ref := range []string{"./nowhere", "recipe:x", "data:x", "a/../b", "../x", "/nowhere", "a/b@../c", "a/b/c", "-a/b", "", "a\x00/b", "https://host/a"} {
		if r.Fetchable(ref) {
			t.Errorf("%q is fetchable", ref)
		}
		if got, err := r.Fetch(t.Context(), ref, nil); err == nil {
			t.Errorf("Fetch(%q) = %q", ref, got)
		}
	}
	if calls := h.taken(); len(calls) != 0 {
		t.Errorf("the hub was asked: %v", calls)
	}
	if entries, _ := os.ReadDir(filepath.Dir(r.HubCache)); len(entries) != 0 {
		t.Errorf("something was written: %v", entries)
	}
}

func TestWhatTheHubLacksIsSaidBeforeAnythingIsWritten(t *testing.T) {
	for lacks, says := range map[string]string{
		"tokenizer.json":    "no tokenizer.json",
		"config.json":       "no config.json",
		"model.safetensors": "only pytorch_model.bin; convert it",
		"shard":             "names the shard model-00002-of-00004.safetensors, which the model does not have",
	} {
		h := newHub(t)
		files := reference(t, "bert-tied")
		if lacks == "shard" {
			files, lacks = reference(t, "modernbert-untied"), "model-00002-of-00004.safetensors"
		}
		files["pytorch_model.bin"] = []byte("pickle")
		delete(files, lacks)
		h.put("owner/name", commitA, files, "main")
		r := h.resolver()
		if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("without %s: %v; want %q", lacks, err, says)
		}
		for _, c := range h.taken() {
			if c.server == "cdn" {
				t.Errorf("without %s weights were fetched: %s", lacks, fmt.Sprint(c))
			}
		}
	}
}
