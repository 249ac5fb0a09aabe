package cli_test

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const hubCommit = "0123456789abcdef0123456789abcdef01234567"

// hubServer serves a folder as the hub's model owner/tiny, and counts requests.
func hubServer(t *testing.T, folder string) (endpoint string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		name, isFile := strings.CutPrefix(r.URL.Path, "/owner/tiny/resolve/"+hubCommit+"/")
		switch {
		case r.URL.Path == "/api/models/owner/tiny/revision/main":
			var files []map[string]string
			filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && !entry.IsDir() {
					name, _ := filepath.Rel(folder, path)
					files = append(files, map[string]string{"rfilename": name})
				}
				return err
			})
			json.NewEncoder(w).Encode(struct {
				Commit string              `json:"sha"`
				Files  []map[string]string `json:"siblings"`
			}{hubCommit, files})
		case isFile:
			text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
			if err != nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(text)), text...))
			w.Header().Set("Etag", `"`+hex.EncodeToString(sum[:])+`"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(text)))
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func TestStepsFetchAModelOfTheHubOnce(t *testing.T) {
	p, model := steps(t)
	endpoint, requests := hubServer(t, model)
	p.extra = []string{"HF_ENDPOINT=" + endpoint}
	weights := filepath.Join(p.dir, ".cache", "huggingface", "hub", "models--owner--tiny", "snapshots", hubCommit, "model.safetensors")

	p.stdin = "red stone"
	p.ok("tokenize", "owner/tiny")
	if _, err := os.Stat(weights); err == nil {
		t.Error("tokenize fetched weights")
	}
	encode := func(name, output string) {
		p.ok("encode", name, "--input", filepath.Join(p.dir, "data", "corpus.jsonl"), "--output", filepath.Join(p.dir, output), "--backend", "go", "--max-length", "16")
	}
	encode("owner/tiny", "hub.jsonl")
	if _, err := os.Stat(weights); err != nil {
		t.Error(err)
	}
	asked := requests.Load()
	if asked == 0 {
		t.Error("nothing was asked of the hub")
	}
	encode(model, "folder.jsonl")
	p.extra = append(p.extra, "HF_HUB_OFFLINE=1")
	encode("owner/tiny", "again.jsonl")
	p.ok("evaluate", "--model", "owner/tiny", "--on", filepath.Join(p.dir, "data"), "--backend", "go", "--max-length", "16")
	if n := requests.Load(); n != asked {
		t.Errorf("%d requests for what is there", n-asked)
	}
	want, err := os.ReadFile(filepath.Join(p.dir, "folder.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hub.jsonl", "again.jsonl"} {
		if got, err := os.ReadFile(filepath.Join(p.dir, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what the folder gives: %v", name, err)
		}
	}
	p.refused([]string{"encode", "owner/other", "--input", filepath.Join(p.dir, "data", "corpus.jsonl"), "--output", "-"}, "HF_HUB_OFFLINE", "hf download owner/other")
	p.extra = p.extra[:1]
	p.refused([]string{"encode", "owner/other", "--input", filepath.Join(p.dir, "data", "corpus.jsonl"), "--output", "-"}, "401 Unauthorized", "HF_TOKEN")
}

func TestPlanAsksNobodyAndRunFetches(t *testing.T) {
	p, model := steps(t)
	p.role = "program"
	endpoint, requests := hubServer(t, model)
	sweep := p.write("hub.toml", strings.NewReplacer("recipe:tiny", "owner/tiny", "[1, 4]", "[1]", `"seed" = [1, 2]`, `"seed" = [1]`).Replace(smallSweep))
	p.extra = []string{"HF_ENDPOINT=" + endpoint}
	type document struct {
		Runs []struct{ ID, State, Why string }
	}
	before := decode[document](t, p.ok("plan", sweep, "--json"))
	if len(before.Runs) != 1 || before.Runs[0].State != "unresolved" || !strings.Contains(before.Runs[0].Why, endpoint) {
		t.Errorf("before: %+v", before)
	}
	if n := requests.Load(); n != 0 {
		t.Errorf("plan made %d requests", n)
	}
	p.extra = append(p.extra, "HF_HUB_OFFLINE=true")
	p.refused([]string{"run", sweep}, "HF_HUB_OFFLINE")
	p.extra = p.extra[:1]
	// What cannot run for another reason fetches nothing.
	p.refused([]string{"run", sweep, "data.train=beir:none"}, "beir:none")
	p.refused([]string{"run", sweep, "compute.backend=xla:/nowhere"}, "/nowhere")
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests for runs that were refused", n)
	}
	p.ok("run", sweep, "--quiet")
	after := decode[document](t, p.ok("plan", sweep, "--json"))
	if len(after.Runs) != 1 || after.Runs[0].State != "done" {
		t.Fatalf("after: %+v", after)
	}
	inputs, err := os.ReadFile(filepath.Join(p.dir, "ws", "runs", after.Runs[0].ID, "inputs.json"))
	if err != nil || !strings.Contains(string(inputs), "hub:owner/tiny@"+hubCommit) {
		t.Errorf("inputs.json: %v %s", err, inputs)
	}
}
