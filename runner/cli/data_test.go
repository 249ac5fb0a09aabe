package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// named is one row of data's documents.
type named struct {
	Name, Kind, State, Folder, Digest string
	Bytes, Download                   int64
	Published, Members                []string
	Counts                            struct{ Documents, Queries, Judgements int }
}

func entries(t *testing.T, text string) []named {
	t.Helper()
	return decode[struct{ Collections []named }](t, text).Collections
}

func TestCollectionsAreBroughtByName(t *testing.T) {
	p, model := steps(t)
	m := newMirror(t, nil, "beir:scifact", "msmarco:dev", "trec-dl:19")
	p.extra = m.environment()
	for _, e := range entries(t, p.ok("data", "list", "--json")) {
		if e.Kind == "collection" && (e.State != "absent" || e.Folder != "" || e.Bytes != 0 || e.Download == 0) {
			t.Errorf("before: %+v", e)
		}
	}
	p.refused([]string{"data", "where", "beir:scifact"}, "data get beir:scifact", "public.ukp.informatik.tu-darmstadt.de")
	p.refused([]string{"data", "verify", "beir:scifact"}, "not here", "data get beir:scifact")
	p.refused([]string{"data", "get", "beir:scifact", "--offline"}, "offline switch forbids it")
	if m.requests.Load() != 0 {
		t.Error("something was asked for")
	}
	p.ok("data", "get", "beir:scifact", "trec-dl:19")
	asked := m.requests.Load()
	p.ok("data", "get", "beir:scifact", "trec-dl:19", "msmarco:dev") // of the same packages
	p.ok("data", "get", "beir:scifact", "--offline")
	if m.requests.Load() != asked {
		t.Error("what is here was asked for again")
	}
	folder := strings.TrimSpace(p.ok("data", "where", "beir:scifact"))
	if _, err := os.Stat(filepath.Join(folder, "corpus.jsonl")); err != nil {
		t.Error(err)
	}
	for _, e := range entries(t, p.ok("data", "list", "beir:scifact", "trec-dl:19", "--json")) {
		if e.State != "here" || e.Folder == "" || e.Bytes == 0 || e.Download != 0 || len(e.Published) == 0 || (e.Name == "beir:scifact") != strings.HasPrefix(e.Digest, "sha256:") {
			t.Errorf("after: %+v", e)
		}
	}
	if got := p.ok("data", "verify", "beir:scifact", "trec-dl:19"); strings.Count(got, "digests and counts") != 3 {
		t.Errorf("verify:\n%s", got)
	}
	// Read as it is: MS MARCO's passages with TREC's queries and judgements.
	got := p.ok("evaluate", "--model", model, "--on", "trec-dl:19", "--bm25", "--backend", "go", "--max-length", "16", "--json")
	result := decode[struct {
		Evaluations []struct{ Queries, Documents int }
	}](t, got)
	if e := result.Evaluations[0]; e.Queries != 2 || e.Documents != 5 {
		t.Errorf("%+v", result)
	}

	os.WriteFile(filepath.Join(folder, "queries.jsonl"), []byte("{\"_id\":\"q0\",\"text\":\"other\"}\n"), 0o644)
	p.refused([]string{"data", "verify", "beir:scifact"}, "queries.jsonl is damaged", "download it again")
}

func TestNamesThatNobodyHas(t *testing.T) {
	p := newPlace(t)
	for name, says := range map[string]string{
		"beir:scifakt": `did you mean "beir:scifact"?`, "msmarco:deev": `did you mean "msmarco:dev"?`, "nano:12": `did you mean "nano:13"?`,
		"beir:robust04": "data list", "./nowhere": "no such folder",
	} {
		for _, command := range []string{"get", "where", "verify", "list"} {
			p.refused([]string{"data", command, name}, says)
		}
	}
	list := entries(t, p.ok("data", "list", "--json"))
	names := map[string]named{}
	for _, e := range list {
		names[e.Name] = e
	}
	if g := names["beir:13"]; g.Kind != "group" || len(g.Members) != 13 || g.Counts.Queries != 33234 {
		t.Errorf("beir:13: %+v", g)
	}
	if e := names["trec-dl:20"]; e.Counts.Queries != 54 || e.Counts.Judgements != 11386 || e.Counts.Documents != 8841823 {
		t.Errorf("trec-dl:20: %+v", e)
	}
}

func TestAWrongDigestIsNamedAndNothingIsThere(t *testing.T) {
	p := newPlace(t)
	m := newMirror(t, nil, "beir:scifact", "beir:nfcorpus")
	p.extra = m.environment()
	for name := range m.files {
		if strings.Contains(name, "scifact") {
			m.files[name][40] ^= 1
		}
	}
	p.refused([]string{"data", "get", "beir:scifact", "beir:nfcorpus"}, "scifact.zip has the wrong digest", "kept as", ".wrong")
	for _, e := range entries(t, p.ok("data", "list", "beir:scifact", "beir:nfcorpus", "--json")) {
		if (e.State == "here") != (e.Name == "beir:nfcorpus") {
			t.Errorf("%+v", e)
		}
	}
}

func TestCollectionsOfOnesOwn(t *testing.T) {
	p, model := steps(t)
	m := newMirror(t, nil, "beir:scifact")
	p.extra = m.environment()
	m.files["mirror/host.example/lab.zip"] = packed(t, "lab.zip", "deep", map[string]string{
		"collection.tsv": "1\tred stone\n2\tblue river\n", "topics.tsv": "t1\tred\n", "qrels.txt": "t1 0 1 1\n",
	})
	hub := map[string]string{"corpus.jsonl": "{\"_id\":\"1\",\"text\":\"red stone\"}\n", "queries.jsonl": "{\"_id\":\"a\",\"text\":\"red\"}\n", "qrels/test.tsv": "query-id\tcorpus-id\tscore\na\t1\t1\n", "README.md": "not needed"}
	for name, text := range hub {
		m.files["datasets/owner/set/resolve/"+hubCommit+"/"+name] = []byte(text)
	}
	p.write("ws/headroom.toml", `
[[collection]]
name = "lab:hub"
hub = "owner/set"
[[collection]]
name = "lab:private"
hub = "owner/private@main"
[[collection]]
name = "lab:near"
folder = "`+filepath.Join(p.dir, "data")+`"
layout = "beir"
[[collection]]
name = "lab:far"
url = "https://host.example/lab.zip"
layout = "trec"
[[collection]]
name = "lab:wrong"
folder = "`+filepath.Join(p.dir, "data")+`"
layout = "msmarco"
`)
	if got := strings.TrimSpace(p.ok("data", "where", "lab:near")); got != filepath.Join(p.dir, "data") {
		t.Errorf("lab:near is %q", got)
	}
	p.refused([]string{"data", "where", "lab:wrong"}, `is in the layout "beir", not "msmarco"`)
	p.refused([]string{"data", "where", "lab:far"}, "data get lab:far", "host.example")
	if r := p.run("data", "get", "lab:far"); r.code != 0 || !strings.Contains(r.stderr, "has no published digest") {
		t.Fatalf("%+v", r)
	}
	if e := entries(t, p.ok("data", "list", "lab:near", "lab:far", "--json")); e[0].Kind != "own" || e[1].State != "here" || e[1].Bytes == 0 || e[0].Bytes == 0 {
		t.Errorf("%+v", e)
	}
	p.refused([]string{"data", "get", "lab:private"}, "there is no such dataset, or it is private or gated", "HF_TOKEN")
	p.ok("data", "get", "lab:hub")
	if _, err := os.Stat(filepath.Join(strings.TrimSpace(p.ok("data", "where", "lab:hub")), "README.md")); err == nil {
		t.Error("README.md was brought")
	}
	for _, name := range []string{"lab:near", "lab:far", "lab:hub"} {
		p.ok("evaluate", "--model", model, "--on", name, "--backend", "go", "--max-length", "16")
		p.ok("data", "verify", name)
	}
	p.write("ws/headroom.toml", "[[colection]]\nname = \"a:b\"\n")
	p.refused([]string{"data", "list"}, "headroom.toml", `did you mean "collection"`)
}
