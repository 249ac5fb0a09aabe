package source_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/download"
	"headroom/data/source"
)

const secret = "hf_secretSecretSecret"

func TestRefusalsSayWhatToDo(t *testing.T) {
	h, r, _, _ := published(t)
	page := h.api.URL + "/owner/name"
	for name, c := range map[string]struct {
		status      int
		code, token string
		says        []string
	}{
		"gated":                       {401, "GatedRepo", "", []string{"gated", "accept its terms on " + page, "set HF_TOKEN"}},
		"gated, the token is no help": {403, "GatedRepo", secret, []string{"gated", "no access", page}},
		"unknown or private":          {401, "RepoNotFound", "", []string{"no such model", "private", "HF_TOKEN"}},
		"a bad token":                 {401, "", secret, []string{"does not accept the token", "HF_TOKEN"}},
		"forbidden":                   {403, "", "", []string{"403 Forbidden", "set HF_TOKEN"}},
		"forbidden with a token":      {403, "", secret, []string{"403 Forbidden", "may not read owner/name"}},
		"not found":                   {404, "RepoNotFound", secret, []string{"404 Not Found", "no such model"}},
		"no such revision":            {404, "RevisionNotFound", "", []string{`has no revision "main"`}},
		"gone":                        {410, "", "", []string{"410 Gone"}},
	} {
		r.Hub.Token = c.token
		h.intercept(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("X-Error-Code", c.code)
			w.WriteHeader(c.status)
			return true
		})
		h.taken()
		_, err := r.Fetch(t.Context(), "owner/name", nil)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, says := range append(c.says, `"owner/name"`) {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v; want %q in it", name, err, says)
			}
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the token is in the message", name)
		}
		if n := len(h.taken()); n != 1 {
			t.Errorf("%s: asked %d times", name, n)
		}
	}
	if _, err := os.Stat(filepath.Join(r.HubCache, "models--owner--name")); err == nil {
		t.Error("a model that could not be fetched has a folder in the cache")
	}
}

func TestOfflineAsksNobody(t *testing.T) {
	h, r, files, _ := published(t)
	r.Offline = true
	for _, look := range []func() error{
		func() error { _, err := r.Fetch(t.Context(), "owner/name", nil); return err },
		func() error { _, err := r.FetchTokenizer(t.Context(), "owner/name", nil); return err },
		func() error { _, err := r.Model("owner/name"); return err },
	} {
		err := look()
		if !errors.Is(err, source.ErrUnresolved) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") || !strings.Contains(err.Error(), "hf download owner/name") {
			t.Errorf("got %v", err)
		}
	}
	if calls := h.taken(); len(calls) != 0 {
		t.Errorf("the hub was asked: %v", calls)
	}
	r.Offline = false
	fetch(t, r, "owner/name")
	r.Offline = true
	same(t, fetch(t, r, "owner/name"), files, "README.md")
}

func TestTheTokenGoesToTheEndpointAlone(t *testing.T) {
	tokenFile := write(t, filepath.Join(t.TempDir(), "token"), secret+"\n")
	for name, set := range map[string]download.Hub{"as given": {Token: secret, TokenFile: "/nowhere"}, "from the file": {TokenFile: tokenFile}} {
		h, r, _, _ := published(t)
		r.Hub.Token, r.Hub.TokenFile = set.Token, set.TokenFile
		fetch(t, r, "owner/name")
		seen := map[string]int{}
		for _, c := range h.taken() {
			want := "Bearer " + secret
			if c.server == "cdn" { // the same host name, another port
				want = ""
			}
			if c.token != want {
				t.Errorf("%s: %+v", name, c)
			}
			seen[c.server]++
		}
		if seen["api"] == 0 || seen["cdn"] == 0 {
			t.Errorf("%s: %v", name, seen)
		}
	}
	h, r, _, _ := published(t)
	r.Hub.TokenFile = filepath.Join(t.TempDir(), "none")
	fetch(t, r, "owner/name")
	for _, c := range h.taken() {
		if c.token != "" {
			t.Errorf("without a token: %+v", c)
		}
	}
}

func TestSettingsThatCannotBeMeantAreRefused(t *testing.T) {
	h, r, _, _ := published(t)
	for _, endpoint := range []string{"huggingface.co", "ftp://host", "https://", "http://host?x=1", "file:///etc", "http://%zz"} {
		r.Hub.Endpoint = endpoint
		if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "HF_ENDPOINT") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	r.Hub.Endpoint = strings.Replace(h.api.URL, "http://", "http://user:password@", 1) + "/"
	if _, err := r.Fetch(t.Context(), "owner/other", nil); err == nil || strings.Contains(err.Error(), "password") {
		t.Errorf("the message: %v", err)
	}
	fetch(t, r, "owner/name")
	r.Hub.Endpoint = h.api.URL
	r.Hub.Token = "two\nlines"
	if _, err := r.Fetch(t.Context(), "owner/name@other", nil); err == nil || !strings.Contains(err.Error(), "HF_TOKEN") || strings.Contains(err.Error(), "lines") {
		t.Errorf("a token of two lines: %v", err)
	}
}

func TestRedirectsThatLeadAstrayAreNotFollowed(t *testing.T) {
	for name, to := range map[string]string{
		"to a file": "file:///etc/passwd", "to no host": "http:///x", "to another scheme": "gopher://host/x", "in a circle": "/api/models/owner/name/revision/main",
	} {
		h, r, _, _ := published(t)
		h.intercept(func(_ string, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return true
		})
		if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "redirects") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatAHostileServerNamesStaysInside(t *testing.T) {
	for name, c := range map[string]struct{ file, text, says string }{
		"a shard above":       {"model.safetensors.index.json", `{"weight_map":{"a":"../../../../x.safetensors"}}`, "cannot be a shard's name"},
		"an absolute shard":   {"model.safetensors.index.json", `{"weight_map":{"a":"/etc/x.safetensors"}}`, "cannot be a shard's name"},
		"a shard that is not": {"model.safetensors.index.json", `{"weight_map":{"a":"run.sh"}}`, "cannot be a shard's name"},
		"an index of nothing": {"model.safetensors.index.json", `{}`, "names no file"},
		"a module above":      {"modules.json", `[{"path":"../../../x","type":"a.SpladePooling"}]`, "cannot be a module's path"},
		"an absolute module":  {"modules.json", `[{"path":"/tmp","type":"a.Pooling"}]`, "cannot be a module's path"},
		"modules of no list":  {"modules.json", `{"path":1}`, "modules.json"},
	} {
		h := newHub(t)
		files := reference(t, "bert-tied")
		files[c.file] = []byte(c.text)
		if c.file != "modules.json" {
			delete(files, "model.safetensors")
		}
		files["../../../x/config.json"], files["../../../../x.safetensors"] = []byte("{}"), []byte("x")
		h.put("owner/name", commitA, files, "main")
		r := h.resolver()
		if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
		entries, err := os.ReadDir(filepath.Dir(r.HubCache))
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: beside the cache lie %v, %v", name, entries, err)
		}
	}
	for _, answer := range []string{`{"sha":"../../../x"}`, `{"sha":""}`, `[]`, `<html>`, `{"sha":"` + commitA + `"}`} {
		h, r, _, _ := published(t)
		h.intercept(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			w.Write([]byte(answer))
			return true
		})
		if _, err := r.Fetch(t.Context(), "owner/name@"+commitB, nil); err == nil {
			t.Errorf("an answer of %s was taken", answer)
		}
	}
	for _, tag := range []string{"", `"x"`, `"../../../../` + strings.Repeat("a", 64) + `"`, `"` + strings.Repeat("a", 63) + `"`} {
		h, r, _, _ := published(t)
		h.intercept(func(_ string, w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead {
				return false
			}
			w.Header().Set("Etag", tag)
			w.Header().Set("Content-Length", "5")
			return true
		})
		if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "names no digest") {
			t.Errorf("ETag %s: %v", tag, err)
		}
	}
}

func TestLinksOutOfTheCacheAreNotWrittenThrough(t *testing.T) {
	for _, place := range []string{"blobs", "snapshots", "snapshots/" + commitA, "refs"} {
		h, r, _, _ := published(t)
		outside := t.TempDir()
		link := filepath.Join(r.HubCache, "models--owner--name", filepath.FromSlash(place))
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, link); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil {
			t.Errorf("%s leads out of the cache, and was written", place)
		}
		if entries, _ := os.ReadDir(outside); len(entries) != 0 {
			t.Errorf("%s: outside lie %v", place, entries)
		}
		_ = h
	}
	// A file of the snapshot that is a link to elsewhere is replaced, not followed.
	_, r, files, _ := published(t)
	victim := write(t, filepath.Join(t.TempDir(), "victim"), "keep me")
	link := filepath.Join(r.HubCache, "models--owner--name", "snapshots", commitA, "config.json")
	os.MkdirAll(filepath.Dir(link), 0o755)
	if err := os.Symlink(victim, link); err != nil {
		t.Fatal(err)
	}
	same(t, fetch(t, r, "owner/name"), files, "README.md")
	if text, _ := os.ReadFile(victim); string(text) != "keep me" {
		t.Errorf("the file outside is %q", text)
	}
}

func TestACacheThatCannotBeWrittenIsNamed(t *testing.T) {
	_, r, _, _ := published(t)
	r.HubCache = filepath.Join(write(t, filepath.Join(t.TempDir(), "file"), "x"), "hub")
	if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "HF_HUB_CACHE") {
		t.Errorf("got %v", err)
	}
}

func TestAnswersFromAnotherHostDescribeNothing(t *testing.T) {
	// What a foreign host says of digests is not believed: only the hub's own
	// redirect counts.
	h, r, _, _ := published(t)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Linked-Etag", strings.Repeat("a", 64))
		w.Header().Set("X-Linked-Size", "1")
		w.Write([]byte("x"))
	}))
	defer foreign.Close()
	h.intercept(func(_ string, w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/resolve/") {
			return false
		}
		w.Header().Set("Location", foreign.URL)
		w.WriteHeader(http.StatusFound)
		return true
	})
	if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil {
		t.Error("it was believed")
	}
}
