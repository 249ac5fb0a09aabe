package source_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/data/source"
)

// published is a hub with one model, its weights, and the path that they get.
func published(t *testing.T) (h *hub, r *source.Resolver, files map[string][]byte, blob string) {
	t.Helper()
	h = newHub(t)
	files = reference(t, "bert-tied")
	h.put("owner/name", commitA, files, "main")
	r = h.resolver()
	_, lfs := digests(files["model.safetensors"])
	return h, r, files, filepath.Join(r.HubCache, "models--owner--name", "blobs", lfs)
}

// parts lists the ranges that were asked of the server of large files.
func parts(calls []call) []string {
	var list []string
	for _, c := range calls {
		if c.server == "cdn" {
			list = append(list, c.part)
		}
	}
	return list
}

func TestACutDownloadGoesOnWhereItEnded(t *testing.T) {
	h, r, files, blob := published(t)
	weights := files["model.safetensors"]
	for _, at := range []int{1, 1000, len(weights) - 1} {
		os.RemoveAll(r.HubCache)
		cuts := 0
		h.intercept(func(server string, w http.ResponseWriter, r *http.Request) bool {
			if server == "cdn" && cuts < 1 {
				cuts++
				cut(w, weights, at)
			}
			return false
		})
		h.taken()
		last := source.Progress{}
		folder, err := r.Fetch(t.Context(), "owner/name", func(p source.Progress) { last = p })
		if err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		same(t, folder, files, "README.md")
		if got := parts(h.taken()); len(got) != 2 || got[0] != "" || !strings.HasPrefix(got[1], "bytes=") || got[1] == "bytes=0-" {
			t.Errorf("cut at %d: the parts asked for are %q", at, got)
		}
		if last.Done != last.Total {
			t.Errorf("cut at %d: the last progress is %+v", at, last)
		}
		if _, err := os.Stat(blob); err != nil {
			t.Error(err)
		}
	}
}

func TestADownloadThatWasStoppedGoesOnInTheNextCall(t *testing.T) {
	h, r, files, blob := published(t)
	weights := files["model.safetensors"]
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.Fetch(ctx, "owner/name", func(p source.Progress) {
		if p.File == "model.safetensors" && p.Done > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled fetch: %v", err)
	}
	if _, err := r.Model("owner/name"); !errors.Is(err, source.ErrUnresolved) {
		t.Errorf("half a model: %v", err)
	}
	for name, c := range map[string]struct {
		partial []byte
		whole   bool // the server does no ranges
		parts   string
	}{
		"half":                   {weights[:len(weights)/2], false, "bytes="},
		"all of it":              {weights, false, ""},
		"too much":               {append(bytes.Clone(weights), 1, 2, 3), false, " "},
		"damaged":                {bytes.Repeat([]byte{7}, len(weights)/2), false, "bytes= "},
		"all of it, but damaged": {bytes.Repeat([]byte{7}, len(weights)), false, " "},
		"half, and no ranges":    {weights[:len(weights)/2], true, "bytes="},
		"damaged, and no ranges": {bytes.Repeat([]byte{7}, 10), true, "bytes="},
	} {
		t.Run(name, func(t *testing.T) {
			os.Remove(blob)
			os.Remove(filepath.Join(r.HubCache, "models--owner--name", "snapshots", commitA, "model.safetensors"))
			write(t, blob+".incomplete", string(c.partial))
			h.mu.Lock()
			h.wholeAlone = c.whole
			h.mu.Unlock()
			h.taken()
			same(t, fetch(t, r, "owner/name"), files, "README.md")
			// Of each request for weights: "bytes=" with a range, "" without.
			asked := ""
			for i, part := range parts(h.taken()) {
				if i > 0 || part == "" {
					asked += " "
				}
				if part != "" {
					asked += "bytes="
				}
			}
			if asked != c.parts {
				t.Errorf("asked for the parts %q, want %q", asked, c.parts)
			}
			if _, err := os.Stat(blob + ".incomplete"); err == nil {
				t.Error("the partial file is still there")
			}
		})
	}
}

func TestAWrongDigestIsRefusedAndNothingKept(t *testing.T) {
	h, r, _, _ := published(t)
	for _, name := range []string{"config.json", "model.safetensors"} {
		h.wrongTag = name
		_, err := r.Fetch(t.Context(), "owner/name", nil)
		if err == nil || !strings.Contains(err.Error(), name+" has the wrong digest") || !strings.Contains(err.Error(), "nothing of it was kept") {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := r.Model("owner/name"); !errors.Is(err, source.ErrUnresolved) {
			t.Errorf("%s: the model is there: %v", name, err)
		}
		entries, _ := os.ReadDir(filepath.Join(r.HubCache, "models--owner--name", "blobs"))
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil && strings.HasPrefix(entry.Name(), "0000") && info.Size() > 0 {
				t.Errorf("%s: %d bytes of it are kept in %s", name, info.Size(), entry.Name())
			}
		}
	}
	h.wrongTag = ""
	fetch(t, r, "owner/name")
}

func TestMoreThanWasAnnouncedIsRefused(t *testing.T) {
	h, r, files, _ := published(t)
	h.intercept(func(server string, w http.ResponseWriter, _ *http.Request) bool {
		if server == "cdn" {
			w.Write(append(bytes.Clone(files["model.safetensors"]), 0))
		}
		return server == "cdn"
	})
	if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "longer than the") {
		t.Errorf("got %v", err)
	}
}

func TestTroubleThatPassesIsWaitedFor(t *testing.T) {
	h, r, files, _ := published(t)
	r.Hub.Attempts = 5 // two failures at a redirect, two where it leads
	for name, trouble := range map[string]func(w http.ResponseWriter){
		"500":            func(w http.ResponseWriter) { w.WriteHeader(500) },
		"503":            func(w http.ResponseWriter) { w.WriteHeader(503) },
		"429":            func(w http.ResponseWriter) { w.WriteHeader(429) },
		"a closed line":  func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"part of a page": func(w http.ResponseWriter) { cut(w, files["model.safetensors"], 10) },
	} {
		os.RemoveAll(r.HubCache)
		met := map[string]int{}
		h.intercept(func(server string, w http.ResponseWriter, r *http.Request) bool {
			h.mu.Lock()
			key := server + r.Method + r.URL.Path
			met[key]++
			first := met[key] <= 2
			h.mu.Unlock()
			if first && (server == "cdn" || name != "part of a page") {
				trouble(w)
			}
			return first && (server == "cdn" || name != "part of a page")
		})
		folder, err := r.Fetch(t.Context(), "owner/name", nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, folder, files, "README.md")
	}
}

func TestTroubleThatStaysEndsInAnError(t *testing.T) {
	h, r, _, _ := published(t)
	h.intercept(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(502)
		return true
	})
	var told []string
	_, err := r.Fetch(t.Context(), "owner/name", func(p source.Progress) { told = append(told, p.Failed) })
	for i, want := range []string{"attempt 1 of 3 failed: ", "attempt 2 of 3 failed: "} {
		if len(told) != 2 || !strings.Contains(told[i], want) || !strings.Contains(told[i], "502 Bad Gateway") || !strings.Contains(told[i], "the next is in ") {
			t.Errorf("told %q of the attempts", told)
		}
	}
	if err == nil || !strings.Contains(err.Error(), "given up after 3 attempts") || !strings.Contains(err.Error(), "502 Bad Gateway") {
		t.Errorf("got %v", err)
	}
	if n := len(h.taken()); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}

	// Nobody answers at all.
	r.Hub.Endpoint = "http://127.0.0.1:1"
	if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatSaysNothingIsLeft(t *testing.T) {
	h, r, files, _ := published(t)
	weights := files["model.safetensors"]
	stalls := 0
	h.intercept(func(server string, w http.ResponseWriter, r *http.Request) bool {
		if server != "cdn" || stalls > 1 {
			return false
		}
		stalls++
		w.Header().Set("Content-Length", "1000000")
		w.Write(weights[:100*stalls-100])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	r.Hub.Stall, r.Hub.Attempts = 200*time.Millisecond, 20 // on a busy machine others seem to stall as well
	same(t, fetch(t, r, "owner/name"), files, "README.md")
	if stalls != 2 {
		t.Errorf("%d stalls", stalls)
	}
}

func TestTheServersWishToWaitIsHeard(t *testing.T) {
	h, r, _, _ := published(t)
	asked := 0
	h.intercept(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		asked++
		if asked == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
		}
		return asked == 1
	})
	begin := time.Now()
	fetch(t, r, "owner/name")
	if took := time.Since(begin); took < time.Second {
		t.Errorf("it was asked again after %v", took)
	}
}

func TestAServerThatAlwaysBeginsAnewAndBreaksOffIsGivenUp(t *testing.T) {
	h, r, files, _ := published(t)
	weights := files["model.safetensors"]
	h.intercept(func(server string, w http.ResponseWriter, _ *http.Request) bool {
		if server == "cdn" {
			cut(w, weights, len(weights)/2)
		}
		return false
	})
	if _, err := r.Fetch(t.Context(), "owner/name", nil); err == nil || !strings.Contains(err.Error(), "given up after 3 attempts") {
		t.Errorf("got %v", err)
	}
	if n := len(parts(h.taken())); n > 5 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestCtrlCEndsThePauseBetweenTwoAttempts(t *testing.T) {
	h, r, _, _ := published(t)
	h.intercept(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(503)
		return true
	})
	r.Hub.Pause = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	_, err := r.Fetch(ctx, "owner/name", func(source.Progress) { cancel() }) // the first attempt has failed
	if !errors.Is(err, context.Canceled) || time.Since(begin) > time.Minute {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}
}
