package synthetic_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/collection"
	"headroom/data/synthetic"
	"headroom/data/tokenize"
)

// cacheVariable makes this test program a helper that makes the built-in collection in that folder.
const cacheVariable = "SYNTHETIC_TEST_CACHE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(cacheVariable); dir != "" {
		if _, err := synthetic.Ensure(dir); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func ensure(t *testing.T, dir string) synthetic.Demo {
	t.Helper()
	made, err := synthetic.Ensure(dir)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestBytesArePinned: every machine makes these bytes, and runs trained on them are known by their digest.
// Where a change is meant, raise Version, so that caches do not keep the old ones, and put the new digests.
func TestBytesArePinned(t *testing.T) {
	made := ensure(t, t.TempDir())
	got := []string{"demo " + collectionDigest(t, made.Folder), "demo-no-overlap " + collectionDigest(t, made.NoOverlapFolder)}
	tokenizer, err := tokenize.Load(made.TokenizerFile)
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, "tokenizer "+tokenizer.Digest())
	want := []string{
		"demo sha256:f1baba5ffc973dc1f2d55e7cbd2ea070f860ad2825be24e7450bcddba9621a44",
		"demo-no-overlap sha256:4540329272c9c403e51e32b1edc0f47e9fe8add286620848b9c26324abd73e97",
		"tokenizer sha256:6e9cd8e54bf8a8c0c178b4c0b7c46e41f09c91c8d22a127f868283dfb326c13d",
	}
	if synthetic.Version != 3 || !slices.Equal(got, want) {
		t.Errorf("version %d:\n%s", synthetic.Version, strings.Join(got, "\n"))
	}
}

func collectionDigest(t *testing.T, folder string) string {
	t.Helper()
	c, err := collection.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := c.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestFoldersAreCollections(t *testing.T) {
	made := ensure(t, t.TempDir())
	whole, err := collection.Open(made.Folder)
	if err != nil {
		t.Fatal(err)
	}
	part, err := collection.Open(made.NoOverlapFolder)
	if err != nil {
		t.Fatal(err)
	}
	if got := whole.Splits(); !slices.Equal(got, []string{"dev", "test", "train"}) {
		t.Errorf("demo has splits %q", got)
	}
	if got := part.Splits(); !slices.Equal(got, []string{"test"}) {
		t.Errorf("demo-no-overlap has splits %q", got)
	}
	docs, err := whole.Documents()
	if err != nil {
		t.Fatal(err)
	}
	same, err := part.Documents()
	if err != nil || !slices.Equal(docs, same) || !slices.Equal(docs, demo(t).Documents) {
		t.Errorf("the two corpora differ, or from the world: %v", err)
	}
	queries, err := part.Queries()
	if err != nil || len(queries) < 100 {
		t.Fatalf("demo-no-overlap has %d queries, %v", len(queries), err)
	}
	for _, q := range queries {
		if of, ok, err := whole.Query(q.ID); err != nil || !ok || of != q {
			t.Errorf("query %+v is not one of demo: %+v %v", q, of, err)
		}
	}
	judged, err := part.Qrels("test")
	if err != nil || len(judged) != len(queries) {
		t.Errorf("%d queries judged of %d, %v", len(judged), len(queries), err)
	}
	if _, err := whole.Judgments("train"); err != nil {
		t.Error(err)
	}
}

func TestWordsAreWholeTokens(t *testing.T) {
	made := ensure(t, t.TempDir())
	tokenizer, err := tokenize.Load(made.TokenizerFile)
	if err != nil {
		t.Fatal(err)
	}
	if n := tokenizer.VocabSize(); n < 1250 || n > 1400 {
		t.Errorf("vocabulary of %d", n)
	}
	w := demo(t)
	seen := map[string]bool{}
	for _, text := range append(w.ExtraTexts(8000, .5, 77), w.Documents[0].Content()) {
		for _, word := range words(text) {
			seen[word] = true
		}
	}
	for word := range seen {
		if ids := tokenizer.Encode(word, 0); len(ids) != 3 {
			t.Errorf("%q is %d tokens", word, len(ids)-2)
		}
	}
	for _, d := range w.Documents {
		if n := len(tokenizer.Encode(d.Content(), 0)); n > 48 {
			t.Errorf("document %s takes %d tokens", d.ID, n)
		}
	}
	for _, q := range w.Queries {
		if n := len(tokenizer.Encode(q.Text, 0)); n > 16 {
			t.Errorf("query %s takes %d tokens", q.ID, n)
		}
	}
	// What is no word of the world falls into letters, not into the unknown token.
	special := tokenizer.Special()
	ids := tokenizer.Encode("Quietness zebra", 0)
	if len(ids) < 8 || slices.Contains(ids, special.UNK) || ids[0] != special.CLS || ids[len(ids)-1] != special.SEP {
		t.Errorf("unseen words become %v", tokenizer.Tokens(ids))
	}
}

func TestSecondCallChangesNothing(t *testing.T) {
	dir := t.TempDir()
	made := ensure(t, dir)
	before, err := os.Stat(filepath.Join(made.Folder, "corpus.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if again := ensure(t, dir); again != made {
		t.Errorf("%+v, then %+v", made, again)
	}
	after, err := os.Stat(filepath.Join(made.Folder, "corpus.jsonl"))
	if err != nil || !after.ModTime().Equal(before.ModTime()) || !os.SameFile(before, after) {
		t.Errorf("written again: %v", err)
	}
}

func TestProcessesAtOnceMakeOne(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "cache") // not there yet
	var helpers []*exec.Cmd
	for range 4 {
		helper := exec.Command(program)
		helper.Env = append(os.Environ(), cacheVariable+"="+dir)
		helper.Stderr = os.Stderr
		if err := helper.Start(); err != nil {
			t.Fatal(err)
		}
		helpers = append(helpers, helper)
	}
	for _, helper := range helpers {
		if err := helper.Wait(); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("in the cache: %v, %v; want one folder", left, err)
	}
	ensure(t, dir)
}

func TestDamageIsSeen(t *testing.T) {
	for name, harm := range map[string]func(synthetic.Demo) error{
		"a byte more": func(d synthetic.Demo) error {
			return os.WriteFile(filepath.Join(d.NoOverlapFolder, "queries.jsonl"), []byte("{}"), 0o644)
		},
		"a file gone": func(d synthetic.Demo) error { return os.Remove(d.TokenizerFile) },
		"no manifest": func(d synthetic.Demo) error { return os.Remove(filepath.Join(filepath.Dir(d.Folder), "MANIFEST")) },
		"a cut manifest": func(d synthetic.Demo) error {
			return os.Truncate(filepath.Join(filepath.Dir(d.Folder), "MANIFEST"), 30)
		},
		"an empty one": func(d synthetic.Demo) error { return os.Truncate(filepath.Join(filepath.Dir(d.Folder), "MANIFEST"), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := harm(ensure(t, dir)); err != nil {
				t.Fatal(err)
			}
			if _, err := synthetic.Ensure(dir); !errors.Is(err, synthetic.ErrDamaged) {
				t.Errorf("error %v is not ErrDamaged", err)
			}
		})
	}
}

func TestUnusableCacheIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := synthetic.Ensure(filepath.Join(file, "cache")); err == nil || !strings.Contains(err.Error(), "built-in collection") {
		t.Errorf("error %v", err)
	}
}
