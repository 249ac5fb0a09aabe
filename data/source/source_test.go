package source_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeCollection makes a sound folder of two documents.
func writeCollection(t *testing.T, folder string) string {
	t.Helper()
	write(t, filepath.Join(folder, "corpus.jsonl"), `{"_id":"d1","text":"one"}`+"\n"+`{"_id":"d2","text":"two"}`+"\n")
	write(t, filepath.Join(folder, "queries.jsonl"), `{"_id":"q1","text":"first"}`+"\n")
	for _, split := range []string{"train", "test"} {
		write(t, filepath.Join(folder, "qrels", split+".tsv"), "query-id\tcorpus-id\tscore\nq1\td1\t1\n")
	}
	return folder
}

const wordTokenizer = `{"version":"1.0","added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,"decoder":null,"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"a":1,"b":2}}}`

func safetensors(header string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header
}

// writeModel makes a folder that looks like a model.
func writeModel(t *testing.T, folder string) string {
	t.Helper()
	write(t, filepath.Join(folder, "config.json"), `{"model_type":"bert"}`)
	write(t, filepath.Join(folder, "tokenizer.json"), wordTokenizer)
	write(t, filepath.Join(folder, "model.safetensors"), safetensors("{}"))
	return folder
}

func TestDataFindsEachKindOfReference(t *testing.T) {
	root := t.TempDir()
	base := filepath.Join(root, "sweeps")
	here := writeCollection(t, filepath.Join(base, "here"))
	below := writeCollection(t, filepath.Join(root, "data", "beir", "tiny"))
	cached := writeCollection(t, filepath.Join(root, "cache", "data", "nano", "x"))
	r := &source.Resolver{
		DataRoot: filepath.Join(root, "data"), CacheDir: filepath.Join(root, "cache"), Base: base,
		Builtin: func(cache string) (source.Builtin, error) {
			return source.Builtin{Folder: cache + "/demo", NoOverlapFolder: cache + "/rest", TokenizerFile: cache + "/t.json"}, nil
		},
	}
	for ref, want := range map[string]string{
		"./here":                  here,
		here:                      here,
		"data:beir/tiny":          below,
		"beir:tiny":               below,
		"nano:x":                  cached,
		"builtin:demo":            filepath.Join(root, "cache") + "/demo",
		"builtin:demo-no-overlap": filepath.Join(root, "cache") + "/rest",
	} {
		got, err := r.Data(ref)
		if err != nil || got != want {
			t.Errorf("Data(%q) = %q, %v; want %q", ref, got, err, want)
		}
	}
}

// A folder in HEADROOM_DATA with a published name is taken as it is, whether the table has it in one package or, as
// TREC DL, in several, of which one is named as the whole.
func TestAFolderOfThePublishedNameComesFirst(t *testing.T) {
	root := t.TempDir()
	r := &source.Resolver{DataRoot: root, CacheDir: t.TempDir(), Offline: true}
	for name, folder := range map[string]string{"beir:scifact": "beir/scifact", "trec-dl:19": "trec-dl/19", "msmarco:dev": "msmarco/dev"} {
		want := writeCollection(t, filepath.Join(root, filepath.FromSlash(folder)))
		if got, err := r.Data(name); err != nil || got != want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	// The package of TREC DL 2020 alone, without passages, is no collection.
	write(t, filepath.Join(root, "trec-dl", "20", "2020qrels-pass.txt"), "1 0 2 1\n")
	if got, err := r.Data("trec-dl:20"); !errors.Is(err, source.ErrUnresolved) {
		t.Errorf("a part of TREC DL 2020: %s, %v", got, err)
	}
}

func TestARelativePathIsTriedFromEachBase(t *testing.T) {
	root := t.TempDir()
	second := writeCollection(t, filepath.Join(root, "b", "c"))
	r := &source.Resolver{Base: filepath.Join(root, "a"), Also: []string{filepath.Join(root, "b")}}
	if got, err := r.Data("./c"); err != nil || got != second {
		t.Errorf("Data = %q, %v", got, err)
	}
	if got := r.Absolute("./c"); got != second {
		t.Errorf("Absolute = %q", got)
	}
	if got := r.Absolute("beir:c"); got != "beir:c" {
		t.Errorf("Absolute of what is no path = %q", got)
	}
	_, err := r.Data("./d")
	if err == nil || !strings.Contains(err.Error(), filepath.Join(root, "a", "d")) || !strings.Contains(err.Error(), filepath.Join(root, "b", "d")) {
		t.Errorf("the error does not say where was looked: %v", err)
	}
}

func TestWhatIsMissingIsAnErrorAndOnlyWhatMayComeIsUnresolved(t *testing.T) {
	root := t.TempDir()
	afile := write(t, filepath.Join(root, "file"), "x")
	r := &source.Resolver{DataRoot: filepath.Join(root, "data"), CacheDir: filepath.Join(root, "cache"), HubCache: filepath.Join(root, "hub"), Workspace: filepath.Join(root, "ws")}
	for ref, says := range map[string]string{
		"./nowhere":                     "no such folder",
		"/nowhere/at/all":               "no such folder: /nowhere/at/all",
		afile:                           "not a folder",
		"data:beir/none":                filepath.Join(root, "data", "beir", "none"),
		"data:../x":                     "must stay below HEADROOM_DATA",
		"data:/etc":                     "must stay below HEADROOM_DATA",
		"data:":                         "must stay below HEADROOM_DATA",
		"beir:../x":                     "cannot be a family and a name",
		"beir:a/b":                      "cannot be a family and a name",
		"beir:..":                       "cannot be a family and a name",
		"BEIR:scifact":                  "cannot be a family and a name",
		"builtin:other":                 `no built-in collection "other"`,
		"recipe:x":                      "a recipe makes a model",
		"scifact":                       "a folder is written ./scifact",
		"":                              "empty",
		"a\x00b":                        "control character",
		"builtin:demo":                  "no built-in collection",
		"builtin:demo-no-overlap\x1b[0": "control character",
	} {
		_, err := r.Data(ref)
		if err == nil || errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), says) {
			t.Errorf("Data(%q): %v; want an error that says %q and is not ErrUnresolved", ref, err, says)
		}
	}
	_, err := r.Data("beir:scifact")
	if !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), filepath.Join(root, "data", "beir", "scifact")) {
		t.Errorf("a collection that is only absent: %v", err)
	}
	if _, err := (&source.Resolver{}).Data("data:x"); err == nil || errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), "HEADROOM_DATA is not set") {
		t.Errorf("without HEADROOM_DATA: %v", err)
	}
}

func TestModelNamesCannotEscapeTheCache(t *testing.T) {
	root := t.TempDir()
	hub := filepath.Join(root, "hub")
	write(t, filepath.Join(hub, "models--a--b", "refs", "main"), "../../../../secret")
	writeModel(t, filepath.Join(root, "secret"))
	r := &source.Resolver{HubCache: hub, Workspace: filepath.Join(root, "ws"), DataRoot: root, RecipeID: func(string) (string, error) { return "id", nil }}
	for _, ref := range []string{
		"a/b", "a/..", "a/b/c", "a/b@../../x", "a/b@/etc", "a/b@", "a", "recipe:..", "recipe:../x", "recipe:a/b",
		"recipe:", "data:../secret", "builtin:demo", "hf:a/b", "a--b/../c", "-a/b", ".a/b", "a/b@x//y", "a/b@x/", "a/b@x/./y", "a\\b/c", "",
	} {
		folder, err := r.Model(ref)
		if err == nil || errors.Is(err, source.ErrUnresolved) {
			t.Errorf("Model(%q) = %q, %v; want a refusal", ref, folder, err)
		}
	}
}

func TestTheHubsCacheIsReadByRevision(t *testing.T) {
	hub := t.TempDir()
	first, second := strings.Repeat("a", 40), strings.Repeat("b", 40)
	repo := filepath.Join(hub, "models--owner--name")
	write(t, filepath.Join(repo, "refs", "main"), first)
	write(t, filepath.Join(repo, "refs", "v2"), second+"\n")
	one, two := writeModel(t, filepath.Join(repo, "snapshots", first)), writeModel(t, filepath.Join(repo, "snapshots", second))
	legacy := filepath.Join(hub, "models--bert-base-uncased")
	write(t, filepath.Join(legacy, "refs", "main"), first)
	bert := writeModel(t, filepath.Join(legacy, "snapshots", first))
	r := &source.Resolver{HubCache: hub}
	for ref, want := range map[string]string{
		"owner/name": one, "owner/name@main": one, "owner/name@v2": two, "owner/name@" + second: two,
		"bert-base-uncased": bert, "google-bert/bert-base-uncased": bert,
	} {
		if got, err := r.Model(ref); err != nil || got != want {
			t.Errorf("Model(%q) = %q, %v; want %q", ref, got, err, want)
		}
	}
	found, err := r.Checkpoint("owner/name@v2")
	if err != nil || found.Weights != "hub:owner/name@"+second || !strings.HasPrefix(found.Tokenizer, "sha256:") {
		t.Errorf("Checkpoint = %+v, %v", found, err)
	}
	for ref, says := range map[string]string{
		"owner/other":                           "fetch configuration, tokenizer and safetensors of owner/other",
		"owner/name@v3":                         `no revision "v3"`,
		"owner/name@" + strings.Repeat("c", 40): "no snapshot",
	} {
		if _, err := r.Model(ref); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), says) {
			t.Errorf("Model(%q): %v; want unresolved, saying %q", ref, err, says)
		}
	}
	os.Remove(filepath.Join(two, "tokenizer.json"))
	if _, err := r.Model("owner/name@v2"); !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), "lacks tokenizer.json") {
		t.Errorf("an incomplete snapshot: %v", err)
	}
}

func TestRecipesAreFoundInTheWorkspaceByTheirID(t *testing.T) {
	workspace := t.TempDir()
	id := strings.Repeat("4f", 32)
	r := &source.Resolver{Workspace: workspace, RecipeID: func(name string) (string, error) {
		if name != "demo-bert" {
			return "", errors.New("no recipe of that name")
		}
		return id, nil
	}}
	if _, err := r.Checkpoint("recipe:demo-bert"); !errors.Is(err, source.ErrUnresolved) {
		t.Errorf("a recipe not yet made: %v", err)
	}
	if _, err := r.Checkpoint("recipe:other"); err == nil || errors.Is(err, source.ErrUnresolved) {
		t.Errorf("an unknown recipe: %v", err)
	}
	folder := writeModel(t, filepath.Join(workspace, "backbones", id))
	for _, ref := range []string{"recipe:demo-bert", "recipe:" + id} {
		if got, err := r.Checkpoint(ref); err != nil || got.Folder != folder || got.Weights != "recipe:"+id {
			t.Errorf("Checkpoint(%q) = %+v, %v", ref, got, err)
		}
	}
}

func TestTokenizerTakesFilesFoldersAndTheBuiltin(t *testing.T) {
	root := t.TempDir()
	model := writeModel(t, filepath.Join(root, "m"))
	r := &source.Resolver{DataRoot: root, Base: root, CacheDir: root, Builtin: func(string) (source.Builtin, error) {
		return source.Builtin{TokenizerFile: "built-in.json"}, nil
	}}
	file := filepath.Join(model, "tokenizer.json")
	for ref, want := range map[string]string{"./m": model, model: model, "data:m": model, "./m/tokenizer.json": file, "data:m/tokenizer.json": file, file: file} {
		if got, err := r.Tokenizer(ref); err != nil || got != want {
			t.Errorf("Tokenizer(%q) = %q, %v", ref, got, err)
		}
	}
	if got, err := r.Tokenizer("builtin:demo"); err != nil || got != "built-in.json" {
		t.Errorf("builtin:demo: %q, %v", got, err)
	}
	for _, ref := range []string{"./m/none.json", "data:../x.json", "beir:x.json", "./none"} {
		if got, err := r.Tokenizer(ref); err == nil {
			t.Errorf("Tokenizer(%q) = %q, want an error", ref, got)
		}
	}
}

func TestNewTakesRootsFromTheEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want source.Resolver
	}{
		"nothing set":             {nil, source.Resolver{CacheDir: "/u/headroom", HubCache: "/h/.cache/huggingface/hub"}},
		"home of the hub":         {map[string]string{"HF_HOME": "/hf", "HEADROOM_CACHE": "/c", "HEADROOM_DATA": "/d"}, source.Resolver{DataRoot: "/d", CacheDir: "/c", HubCache: "/hf/hub"}},
		"the user's cache folder": {map[string]string{"XDG_CACHE_HOME": "/x", "HF_HUB_OFFLINE": "false"}, source.Resolver{CacheDir: "/u/headroom", HubCache: "/x/huggingface/hub"}},
		"a home below the user's": {map[string]string{"HF_HOME": "~/hf", "HF_HUB_OFFLINE": "Yes"}, source.Resolver{CacheDir: "/u/headroom", HubCache: "/h/hf/hub", Offline: true}},
		"its cache wins":          {map[string]string{"HF_HOME": "/hf", "HF_HUB_CACHE": "/hc", "HF_HUB_OFFLINE": "1"}, source.Resolver{CacheDir: "/u/headroom", HubCache: "/hc", Offline: true}},
	} {
		r := source.New(source.Environment{Getenv: func(k string) string { return c.env[k] }, UserCache: "/u", Home: "/h"})
		if r.DataRoot != c.want.DataRoot || r.CacheDir != c.want.CacheDir || r.HubCache != c.want.HubCache || r.Offline != c.want.Offline {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestRealFoldersResolve(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: no real data here")
	}
	r := &source.Resolver{DataRoot: root, CacheDir: t.TempDir()}
	for _, ref := range []string{"data:checkpoints/splade-tiny", "data:checkpoints/minilm-l6"} {
		if c, err := r.Checkpoint(ref); err != nil || !strings.HasPrefix(c.Weights, "sha256:") {
			t.Errorf("Checkpoint(%q) = %+v, %v", ref, c, err)
		}
	}
	for _, ref := range []string{"beir:scifact", "data:beir/scifact"} {
		folder, err := r.Data(ref)
		if err != nil {
			t.Errorf("Data(%q): %v", ref, err)
			continue
		}
		if err := r.CheckCollection(folder, "train"); err != nil {
			t.Error(err)
		}
		begin := time.Now()
		if err := r.CheckCollection(folder, "train"); err != nil {
			t.Error(err)
		}
		t.Logf("the second look took %v", time.Since(begin))
	}
}
