package packages_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/data/download"
	"headroom/data/packages"
	"headroom/data/published"
	"headroom/internal/atomic"
)

// beir is a small archive as BEIR makes them.
func beir(t *testing.T, name string) []byte {
	t.Helper()
	return zipped(t, map[string]string{
		name + "/corpus.jsonl":    "{\"_id\":\"1\",\"title\":\"\",\"text\":\"one\"}\n{\"_id\":\"2\",\"title\":\"\",\"text\":\"two\"}\n",
		name + "/queries.jsonl":   "{\"_id\":\"q\",\"text\":\"which\"}\n",
		name + "/qrels/test.tsv":  "query-id\tcorpus-id\tscore\nq\t2\t1\n",
		name + "/.DS_Store":       "an archiver's",
		"__MACOSX/" + name + "/x": "another's",
	})
}

func zipped(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range members {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// server is a mirror of files by HOST/PATH, and a hub of datasets.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked []string
	// before sees each request first and reports whether it has answered.
	before func(w http.ResponseWriter, r *http.Request) bool
}

const commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func newServer(t *testing.T) *server {
	s := &server{files: map[string][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		before := s.before
		text, ok := s.files[strings.TrimPrefix(r.URL.Path, "/")]
		s.mu.Unlock()
		if before != nil && before(w, r) {
			return
		}
		if rest, is := strings.CutPrefix(r.URL.Path, "/api/datasets/"); is {
			s.listing(w, strings.TrimSuffix(rest, "/revision/main"))
			return
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(text)), text...))
		w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) listing(w http.ResponseWriter, name string) {
	type sibling struct {
		Name string `json:"rfilename"`
	}
	list := struct {
		Commit   string    `json:"sha"`
		Siblings []sibling `json:"siblings"`
	}{Commit: commit}
	s.mu.Lock()
	defer s.mu.Unlock()
	for file := range s.files {
		if rest, is := strings.CutPrefix(file, "datasets/"+name+"/resolve/"+commit+"/"); is {
			list.Siblings = append(list.Siblings, sibling{rest})
		}
	}
	if len(list.Siblings) == 0 {
		w.Header().Set("X-Error-Code", "RepoNotFound")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	json.NewEncoder(w).Encode(list)
}

func (s *server) store(t *testing.T) packages.Store {
	patience := download.Patience{Attempts: 3, Pause: time.Millisecond}
	return packages.Store{
		Folder: filepath.Join(t.TempDir(), "data"), Mirror: s.URL + "/mirror", Patience: patience,
		Hub: download.Hub{Endpoint: s.URL, Patience: patience},
	}
}

func sum(text []byte) string {
	s := md5.Sum(text)
	return hex.EncodeToString(s[:])
}

// scifact is a package of one archive.
func scifact(archive []byte) published.Package {
	return published.Package{
		Name: "beir/tiny", Licence: "CC0", Cite: "nobody", Home: "https://host.example", Inside: "tiny",
		Files: []published.File{{URL: "https://host.example/sets/tiny.zip", Size: int64(len(archive)), MD5: sum(archive)}},
		Rows:  map[string]int{"corpus.jsonl": 2, "queries.jsonl": 1, "qrels/test.tsv": 1},
	}
}

func get(s packages.Store, list ...published.Package) (said []string, err error) {
	err = s.Get(context.Background(), list, func(p packages.Progress) {
		if p.Said != "" {
			said = append(said, p.Said)
		}
	})
	return said, err
}

func list(t *testing.T, folder string) string {
	t.Helper()
	var names []string
	filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(folder, path)
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	return strings.Join(names, " ")
}

func TestAPackageIsBroughtOnceAndVerified(t *testing.T) {
	srv, archive := newServer(t), beir(t, "tiny")
	srv.files["mirror/host.example/sets/tiny.zip"] = archive
	s, p := srv.store(t), scifact(archive)
	if _, err := s.Find(p.Name); !errors.Is(err, packages.ErrAbsent) {
		t.Fatalf("found before: %v", err)
	}
	if said, err := get(s, p); err != nil || len(said) > 0 {
		t.Fatal(said, err)
	}
	folder, err := s.Find(p.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, folder); got != "MANIFEST SOURCE.json corpus.jsonl qrels/test.tsv queries.jsonl" {
		t.Errorf("it holds %s", got)
	}
	from, err := s.Source(folder)
	if err != nil || from.Package != "beir/tiny" || from.Licence != "CC0" || from.Rows["corpus.jsonl"] != 2 || len(from.Files) != 1 ||
		from.Files[0].From != "https://host.example/sets/tiny.zip" || from.Files[0].Published != "md5:"+sum(archive) {
		t.Errorf("%+v, %v", from, err)
	}
	if sealed, err := s.Verify(p); !sealed || err != nil {
		t.Errorf("verify: %v, %v", sealed, err)
	}
	asked := len(srv.asked)
	if _, err := get(s, p); err != nil || len(srv.asked) != asked {
		t.Errorf("asked again: %q, %v", srv.asked[asked:], err)
	}
	if got := list(t, filepath.Join(s.Folder, ".incoming")); got != "beir--tiny.lock" {
		t.Errorf("downloads are left: %s", got)
	}

	text, _ := os.ReadFile(filepath.Join(folder, "corpus.jsonl"))
	text[10] ^= 1
	os.WriteFile(filepath.Join(folder, "corpus.jsonl"), text, 0o644)
	if _, err := s.Verify(p); err == nil || !strings.Contains(err.Error(), "corpus.jsonl is damaged") || !strings.Contains(err.Error(), "download it again") {
		t.Errorf("a flipped bit: %v", err)
	}
}

func TestWhatIsNotWhatIsPublishedIsNotUsed(t *testing.T) {
	archive := beir(t, "tiny")
	for name, c := range map[string]struct {
		p    func(p published.Package) published.Package
		serv []byte
		say  []string
		kept string
	}{
		"another digest": {func(p published.Package) published.Package {
			p.Files[0].MD5 = strings.Repeat("0", 32)
			return p
		}, archive, []string{"tiny.zip has the wrong digest: " + sum(archive), "is not used, and kept as", "tiny.zip.wrong"}, "tiny.zip.wrong"},
		"cut short": {func(p published.Package) published.Package { return p }, archive[:len(archive)-7],
			[]string{"given up after 3 attempts", fmt.Sprintf("ended after %d of %d bytes", len(archive)-7, len(archive))}, "tiny.zip.incomplete"},
		"other counts": {func(p published.Package) published.Package {
			p.Rows["corpus.jsonl"] = 3
			return p
		}, archive, []string{"the files differ from those that are published", "corpus.jsonl has 2 rows; 3 are published"}, "tiny.zip"},
		"a file less": {func(p published.Package) published.Package {
			p.Rows["qrels/train.tsv"] = 3
			return p
		}, archive, []string{"qrels/train.tsv: no such file"}, "tiny.zip"},
		"no archive": {func(p published.Package) published.Package {
			p.Files[0].MD5, p.Files[0].Size = sum([]byte("<html>")), 6
			return p
		}, []byte("<html>"), []string{"unpack tiny.zip: zip: not a valid zip file"}, "tiny.zip"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			srv.files["mirror/host.example/sets/tiny.zip"] = c.serv
			s := srv.store(t)
			_, err := get(s, c.p(scifact(archive)))
			if err == nil {
				t.Fatal("no error")
			}
			for _, say := range append(c.say, "download beir/tiny") {
				if !strings.Contains(err.Error(), say) {
					t.Errorf("%v\ndoes not say %q", err, say)
				}
			}
			if _, err := s.Find("beir/tiny"); err == nil {
				t.Error("it is there")
			}
			entries, _ := os.ReadDir(filepath.Join(s.Folder, "beir"))
			for _, e := range entries {
				if atomic.Leftover(e.Name()) {
					t.Errorf("half of it is there: %s", e.Name())
				}
			}
			if _, err := os.Stat(filepath.Join(s.IncomingFolder("beir/tiny"), c.kept)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestADigestThatNobodyPublishesIsThatOfTheFirstDownload(t *testing.T) {
	srv, archive := newServer(t), beir(t, "tiny")
	srv.files["mirror/host.example/sets/tiny.zip"] = archive
	s, p := srv.store(t), scifact(archive)
	p.Files[0].MD5, p.Files[0].Size = "", 0
	said, err := get(s, p)
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "no published digest; its SHA-256 is ") {
		t.Fatal(said, err)
	}
	folder, _ := s.Find(p.Name)
	os.RemoveAll(folder)
	if said, err := get(s, p); err != nil || len(said) > 0 {
		t.Errorf("the same again: %q, %v", said, err)
	}
	os.RemoveAll(folder)
	srv.mu.Lock()
	srv.files["mirror/host.example/sets/tiny.zip"] = zipped(t, map[string]string{"tiny/corpus.jsonl": "{}\n"})
	srv.mu.Unlock()
	if _, err := get(s, p); err == nil || !strings.Contains(err.Error(), "differs from the first download") {
		t.Errorf("another: %v", err)
	}
}

func TestFilesOfTheHub(t *testing.T) {
	srv := newServer(t)
	for _, name := range []string{"part/train-0.tsv", "part/train-1.tsv", "part/readme"} {
		srv.files["datasets/owner/set/resolve/"+commit+"/"+name] = []byte("1\tone of " + name + "\n")
	}
	s := srv.store(t)
	p := published.Package{Name: "a/b", Files: []published.File{{Hub: "owner/set", Path: "part/train-*.tsv", Flat: true}}, Rows: map[string]int{"train-0.tsv": 1}}
	said, err := get(s, p)
	if err != nil || len(said) != 2 {
		t.Fatal(said, err)
	}
	folder, _ := s.Find("a/b")
	if got := list(t, folder); got != "MANIFEST SOURCE.json train-0.tsv train-1.tsv" {
		t.Errorf("it holds %s", got)
	}
	if from, _ := s.Source(folder); from.Files[0].Commit != commit || !strings.HasPrefix(from.Files[0].Published, "git-sha1:") {
		t.Errorf("%+v", from.Files)
	}
	p = published.Package{Name: "a/c", Files: []published.File{{Hub: "owner/private", Path: "x"}}}
	if _, err := get(s, p); err == nil || !strings.Contains(err.Error(), "there is no such dataset, or it is private or gated") || !strings.Contains(err.Error(), "HF_TOKEN") {
		t.Errorf("a private dataset without a token: %v", err)
	}
}

func TestNoRoomIsSaidBeforeAnythingIsAsked(t *testing.T) {
	srv, archive := newServer(t), beir(t, "tiny")
	s := srv.store(t)
	s.Free = func(string) (uint64, bool) { return 1000, true }
	if _, err := get(s, scifact(archive)); err == nil || !strings.Contains(err.Error(), "is needed and 1.0 kB is free") || len(srv.asked) > 0 {
		t.Errorf("%v; asked %q", err, srv.asked)
	}
}

func TestOneFailureKeepsNoOtherAway(t *testing.T) {
	srv, archive := newServer(t), beir(t, "tiny")
	srv.files["mirror/host.example/sets/tiny.zip"] = archive
	s := srv.store(t)
	bad := published.Package{Name: "beir/gone", Files: []published.File{{URL: "https://host.example/gone.zip", MD5: sum(nil), Size: 1}}}
	private := published.Package{Name: "beir/private", Files: []published.File{{Hub: "owner/private", Path: "x"}, {Hub: "owner/private", Path: "y"}}}
	_, err := get(s, bad, private, scifact(archive))
	if err == nil || !strings.Contains(err.Error(), "download beir/gone") || !strings.Contains(err.Error(), "404 Not Found") || strings.Count(err.Error(), "download beir/private: ") != 1 || strings.Contains(err.Error(), "tiny") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Find("beir/tiny"); err != nil {
		t.Error(err)
	}
}

func TestTwoAtOnceDownloadOnce(t *testing.T) {
	srv, archive := newServer(t), beir(t, "tiny")
	srv.files["mirror/host.example/sets/tiny.zip"] = archive
	s := srv.store(t)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if _, err := get(s, scifact(archive)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(srv.asked) != 1 {
		t.Errorf("asked %q", srv.asked)
	}
}

func TestACancelledDownloadGoesOnLater(t *testing.T) {
	srv := newServer(t)
	text := bytes.Repeat([]byte("1\tsome text\n"), 200_000)
	srv.files["mirror/host.example/rows.tsv"] = text
	p := published.Package{Name: "a/b", Files: []published.File{{URL: "https://host.example/rows.tsv", Size: int64(len(text)), MD5: sum(text)}}, Rows: map[string]int{"rows.tsv": 200_000}}
	s := srv.store(t)
	ctx, cancel := context.WithCancel(t.Context())
	// The rest comes only when nobody waits for it any more: else it may have come before the end is noticed.
	srv.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		_, _ = w.Write(text[:1_000_000]) // the client may be gone
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}
	err := s.Get(ctx, []published.Package{p}, func(p packages.Progress) {
		if p.Done > 500_000 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	part := ""
	srv.mu.Lock()
	srv.before = func(_ http.ResponseWriter, r *http.Request) bool { part = r.Header.Get("Range"); return false }
	srv.mu.Unlock()
	if _, err := get(s, p); err != nil || !strings.HasPrefix(part, "bytes=") {
		t.Errorf("asked for %q: %v", part, err)
	}
}
