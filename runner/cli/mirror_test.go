package cli_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/data/published"
)

// mirror is a server of generated files in the forms in which collections are published, a hub
// of models and datasets, and a table in which the collections have these files' digests.
type mirror struct {
	t        *testing.T
	url      string
	table    string
	files    map[string][]byte // by path
	requests atomic.Int64
}

// newMirror serves the packages that the references need, and the models.
func newMirror(t *testing.T, models map[string]string, references ...string) *mirror {
	t.Helper()
	m := &mirror{t: t, files: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(server.Close)
	m.url = server.URL
	table, err := published.Read()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, ref := range references {
		for _, name := range table.PackagesOf(ref) {
			p, _ := table.Package(name)
			if !strings.Contains(text.String(), fmt.Sprintf("name = %q", p.Name)) {
				m.add(&text, p)
			}
		}
	}
	for _, c := range table.Collections {
		if slices.Contains(references, c.Name) {
			fmt.Fprintf(&text, "[[collection]]\nname = %q\ntitle = %q\n", c.Name, c.Title)
			if c.Package != "" {
				fmt.Fprintf(&text, "package = %q\nfolder = %q\n", c.Package, c.Folder)
				continue
			}
			fmt.Fprintf(&text, "corpus = %q\nqueries = %q\nsplits = {", c.Corpus, c.Queries)
			for i, split := range slices.Sorted(maps.Keys(c.Splits)) {
				fmt.Fprintf(&text, "%s %s = %q", []string{"", ","}[min(i, 1)], split, c.Splits[split])
			}
			text.WriteString(" }\n")
		}
	}
	for _, s := range table.Trainings {
		if slices.Contains(references, s.Name) {
			fmt.Fprintf(&text, "[[training]]\nname = %q\nfiles = %q\ncorpus = %q\nqueries = %q\n", s.Name, s.Files, s.Corpus, s.Queries)
		}
	}
	m.table = filepath.Join(t.TempDir(), "table.toml")
	if err := os.WriteFile(m.table, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, folder := range models {
		err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			base, _ := filepath.Rel(folder, file)
			m.files[name+"/resolve/"+hubCommit+"/"+filepath.ToSlash(base)], err = os.ReadFile(file)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// environment makes a command use the mirror and a cache of its own.
func (m *mirror) environment() []string {
	return []string{"HEADROOM_MIRROR=" + m.url + "/mirror", "HF_ENDPOINT=" + m.url, "HEADROOM_COLLECTIONS=" + m.table, "HEADROOM_CACHE=" + filepath.Join(m.t.TempDir(), "cache")}
}

// contents are a package's files: five documents, and two queries of each split.
func contents(p published.Package) map[string]string {
	files := map[string]string{}
	for name := range p.Rows {
		folder, base := path.Split(name)
		first := 0
		if strings.Contains(base, "train") {
			first = 2
		}
		switch {
		case base == "corpus.jsonl":
			for i := range 5 {
				files[name] += fmt.Sprintf("{\"_id\":\"%d\",\"title\":\"\",\"text\":\"%s %s\"}\n", i, word(i), p.Name+folder)
			}
		case base == "queries.jsonl":
			for i := range 4 {
				files[name] += fmt.Sprintf("{\"_id\":\"q%d\",\"text\":\"%s of %s\"}\n", i, word(i), p.Name+folder)
			}
		case strings.HasPrefix(name, "qrels/") || folder != "" && strings.Contains(name, "/qrels/"):
			files[name] = "query-id\tcorpus-id\tscore\n"
			for i := range 2 {
				files[name] += fmt.Sprintf("q%d\t%d\t1\n", first+i, first+i)
			}
		case base == "collection.tsv":
			for i := range 5 {
				files[name] += fmt.Sprintf("%d\t%s passage\n", i, word(i))
			}
		case strings.HasPrefix(base, "queries."), strings.HasSuffix(base, "-queries.tsv"):
			for i := range 2 {
				files[name] += fmt.Sprintf("q%d\t%s of %s\n", first+i, word(first+i), base)
			}
		case strings.Contains(base, "qrels"):
			for i := range 2 {
				files[name] += fmt.Sprintf("q%d 0 %d 1\n", first+i, first+i)
			}
		}
	}
	if p.Name == "msmarco/hard-negatives" {
		for i := range 2 {
			files["msmarco-hard-negatives.jsonl.gz"] += fmt.Sprintf("{\"qid\":\"q%d\",\"pos\":[\"%d\"],\"neg\":{\"bm25\":[\"%d\"]}}\n", 2+i, 2+i, i)
		}
	}
	return files
}

func word(i int) string { return []string{"red", "stone", "blue", "river", "green"}[i%5] }

// add serves a package and writes it into the table.
func (m *mirror) add(text *strings.Builder, p published.Package) {
	files := contents(p)
	fmt.Fprintf(text, "[[package]]\nname = %q\ninside = %q\nfiles = [\n", p.Name, p.Inside)
	for _, f := range p.Files {
		if f.Hub != "" {
			m.files["datasets/"+f.Hub+"/resolve/"+hubCommit+"/"+f.Path] = packed(m.t, f.Name(), "", map[string]string{f.Name(): files[f.Name()]})
			fmt.Fprintf(text, "  { hub = %q, path = %q },\n", f.Hub, f.Path)
			continue
		}
		body := packed(m.t, f.Name(), p.Inside, files)
		u, err := url.Parse(f.URL)
		if err != nil {
			m.t.Fatal(err)
		}
		m.files["mirror/"+u.Host+u.Path] = body
		sum := md5.Sum(body)
		fmt.Fprintf(text, "  { url = %q, size = %d, md5 = %q },\n", f.URL, len(body), hex.EncodeToString(sum[:]))
	}
	text.WriteString("]\n[package.rows]\n")
	for name := range p.Rows {
		rows := strings.Count(files[name], "\n")
		if strings.HasPrefix(files[name], "query-id") {
			rows--
		}
		fmt.Fprintf(text, "%q = %d\n", name, rows)
	}
}

// packed is a file as it is published: an archive of all, or one of them.
func packed(t *testing.T, name, inside string, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	switch {
	case strings.HasSuffix(name, ".zip"):
		w := zip.NewWriter(&b)
		for file, text := range files {
			f, err := w.Create(path.Join(inside, file))
			check(err)
			_, err = io.WriteString(f, text)
			check(err)
		}
		check(w.Close())
	case strings.HasSuffix(name, ".tar.gz"):
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		for file, text := range files {
			check(w.WriteHeader(&tar.Header{Name: "./" + file, Size: int64(len(text)), Mode: 0o644}))
			_, err := io.WriteString(w, text)
			check(err)
		}
		check(w.Close())
		check(z.Close())
	case strings.HasSuffix(name, ".gz"):
		z := gzip.NewWriter(&b)
		text, ok := files[strings.TrimSuffix(name, ".gz")]
		if !ok {
			text = files[name]
		}
		_, err := io.WriteString(z, text)
		check(err)
		check(z.Close())
	default:
		b.WriteString(files[name])
	}
	return b.Bytes()
}

func (m *mirror) serve(w http.ResponseWriter, r *http.Request) {
	m.requests.Add(1)
	name := strings.TrimPrefix(r.URL.Path, "/")
	if rest, is := strings.CutPrefix(name, "api/"); is {
		rest = strings.TrimSuffix(strings.TrimPrefix(rest, "models/"), "/revision/main")
		var list []map[string]string
		for file := range m.files {
			if base, is := strings.CutPrefix(file, rest+"/resolve/"+hubCommit+"/"); is {
				list = append(list, map[string]string{"rfilename": base})
			}
		}
		if list == nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		json.NewEncoder(w).Encode(struct {
			Commit string              `json:"sha"`
			Files  []map[string]string `json:"siblings"`
		}{hubCommit, list})
		return
	}
	text, ok := m.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(text)), text...))
	w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}
