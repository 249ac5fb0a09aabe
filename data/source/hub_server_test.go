package source_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/data/download"
	"headroom/data/source"
)

// call is one request that a test server got.
type call struct {
	server, method, path, part, token string
}

// hub is a server that speaks as the hub does: the list of files of a revision,
// small files behind a redirect on the same host with git's digest, large ones
// behind a redirect to another host with their SHA-256.
type hub struct {
	t          *testing.T
	api, cdn   *httptest.Server
	mu         sync.Mutex
	calls      []call
	models     map[string]map[string]map[string][]byte // name, commit, file
	refs       map[string]string                       // "name@revision": commit
	before     func(server string, w http.ResponseWriter, r *http.Request) bool
	wrongTag   string // of the file of this name another digest is announced
	wholeAlone bool   // ranges are not done
}

const (
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{t: t, models: map[string]map[string]map[string][]byte{}, refs: map[string]string{}}
	h.api = httptest.NewServer(h.record("api", h.serve))
	h.cdn = httptest.NewServer(h.record("cdn", h.content))
	t.Cleanup(h.api.Close)
	t.Cleanup(h.cdn.Close)
	return h
}

// reference reads one of the tiny random models that the loader is proven with,
// and gives it a tokenizer.
func reference(t *testing.T, name string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{"tokenizer.json": []byte(wordTokenizer), "README.md": []byte("not needed")}
	folder := filepath.Join("..", "..", "internal", "reference", "testdata", name)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "reference.") {
			return err
		}
		text, err := os.ReadFile(path)
		files[entry.Name()] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// put publishes a model's files as a commit that the revisions name.
func (h *hub) put(name, commit string, files map[string][]byte, revisions ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.models[name] == nil {
		h.models[name] = map[string]map[string][]byte{}
	}
	h.models[name][commit] = files
	for _, revision := range revisions {
		h.refs[name+"@"+revision] = commit
	}
}

func (h *hub) record(server string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.calls = append(h.calls, call{server, r.Method, r.URL.EscapedPath(), r.Header.Get("Range"), r.Header.Get("Authorization")})
		before := h.before
		h.mu.Unlock()
		if before != nil && before(server, w, r) {
			return
		}
		next(w, r)
	})
}

// intercept sees every request first; it returns true if it has answered.
func (h *hub) intercept(before func(server string, w http.ResponseWriter, r *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before = before
}

// taken returns the calls since the last time.
func (h *hub) taken() []call {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := h.calls
	h.calls = nil
	return calls
}

func digests(text []byte) (git, lfs string) {
	one := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(text)), text...))
	two := sha256.Sum256(text)
	return hex.EncodeToString(one[:]), hex.EncodeToString(two[:])
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		w.Header().Set("X-Error-Code", code)
		w.WriteHeader(http.StatusNotFound)
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(parts) == 6 && parts[0] == "api" && parts[1] == "models" && parts[4] == "revision" {
		name := parts[2] + "/" + parts[3]
		revision, _ := url.PathUnescape(parts[5])
		if h.models[name] == nil {
			refuse("RepoNotFound")
			return
		}
		id := h.refs[name+"@"+revision]
		if h.models[name][revision] != nil {
			id = revision
		}
		if id == "" {
			refuse("RevisionNotFound")
			return
		}
		type sibling struct {
			Name string `json:"rfilename"`
		}
		listing := struct {
			ID       string    `json:"id"`
			Commit   string    `json:"sha"`
			Siblings []sibling `json:"siblings"`
		}{ID: name, Commit: id}
		for file := range h.models[name][id] {
			listing.Siblings = append(listing.Siblings, sibling{file})
		}
		json.NewEncoder(w).Encode(listing)
		return
	}
	cached := len(parts) > 5 && parts[1] == "resolve-cache"
	if cached {
		parts = append([]string{parts[3], parts[4], "resolve"}, parts[5:]...)
	}
	if len(parts) < 5 || parts[2] != "resolve" {
		refuse("RepoNotFound")
		return
	}
	name, id, file := parts[0]+"/"+parts[1], parts[3], strings.Join(parts[4:], "/")
	if known := h.refs[name+"@"+id]; known != "" {
		id = known
	}
	text, ok := h.models[name][id][file]
	if !ok {
		refuse("EntryNotFound")
		return
	}
	git, lfs := digests(text)
	if file == h.wrongTag {
		git, lfs = strings.Repeat("0", 40), strings.Repeat("0", 64)
	}
	w.Header().Set("X-Repo-Commit", id)
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(text)))
	switch {
	case strings.HasSuffix(file, ".safetensors"):
		w.Header().Set("X-Linked-Etag", `"`+lfs+`"`)
		w.Header().Set("Location", h.cdn.URL+"/"+name+"/"+id+"/"+file+"?signature=secret")
		w.WriteHeader(http.StatusFound)
	case cached:
		w.Header().Set("Etag", `"`+git+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(text)))
	default:
		w.Header().Set("X-Linked-Etag", `"`+git+`"`)
		w.Header().Set("Location", "/api/resolve-cache/models/"+name+"/"+id+"/"+file)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func (h *hub) content(w http.ResponseWriter, r *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 4)
	h.mu.Lock()
	text, whole := h.models[parts[0]+"/"+parts[1]][parts[2]][parts[3]], h.wholeAlone
	h.mu.Unlock()
	if whole {
		r.Header.Del("Range")
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(text)))
}

// resolver fetches from the server into a cache of its own.
func (h *hub) resolver() *source.Resolver {
	return &source.Resolver{
		HubCache: filepath.Join(h.t.TempDir(), "hub"),
		Hub:      download.Hub{Endpoint: h.api.URL, Patience: download.Patience{Pause: time.Millisecond, Attempts: 3}},
	}
}

// cut answers with the first n bytes of what it is asked for and closes.
func cut(w http.ResponseWriter, text []byte, n int) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Write(text[:n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}
