package download_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"headroom/data/download"
)

// content is larger than what one read of a body brings.
var content = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)

// bring downloads content from a server with the given answers, and returns the files that are then there.
func bring(t *testing.T, f download.File, answer http.HandlerFunc) (got []byte, said []string, err error) {
	t.Helper()
	return bringPatiently(t, f, download.Patience{Attempts: 3, Pause: time.Millisecond}, answer)
}

func bringPatiently(t *testing.T, f download.File, patience download.Patience, answer http.HandlerFunc) (got []byte, said []string, err error) {
	t.Helper()
	server := httptest.NewServer(answer)
	defer server.Close()
	where, _ := url.Parse(server.URL + "/file")
	c := download.New(patience, nil, "")
	defer c.Close()
	c.Failed = func(what string) { said = append(said, what) }
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f.Name = "file"
	total := int64(0)
	err = c.Bring(t.Context(), where, f, root, "part", func(n int64) { total += n })
	got, _ = os.ReadFile(filepath.Join(dir, "part"))
	if err == nil && total != int64(len(got)) {
		t.Errorf("%d bytes were counted of %d", total, len(got))
	}
	return got, said, err
}

func sha(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func whole(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func TestServersThatRecover(t *testing.T) {
	sum := md5.Sum(content)
	known := download.File{Digest: hex.EncodeToString(sum[:]), Size: int64(len(content))}
	unknown := download.File{Size: -1}
	cutAt := func(n int) http.HandlerFunc {
		first := true
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Etag", `"one"`)
			if !first {
				whole(w, r)
				return
			}
			first = false
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:n])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	busy := func(status int) http.HandlerFunc {
		first := true
		return func(w http.ResponseWriter, r *http.Request) {
			if first {
				first = false
				w.WriteHeader(status)
				return
			}
			whole(w, r)
		}
	}
	for name, answer := range map[string]func() http.HandlerFunc{
		"cut off":           func() http.HandlerFunc { return cutAt(700_000) },
		"429":               func() http.HandlerFunc { return busy(429) },
		"503":               func() http.HandlerFunc { return busy(503) },
		"range out of file": func() http.HandlerFunc { return busy(416) },
		"redirected": func() http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/file" {
					http.Redirect(w, r, "/elsewhere", http.StatusFound)
					return
				}
				whole(w, r)
			}
		},
		"cut off, and ranges are ignored": func() http.HandlerFunc {
			first := cutAt(700_000)
			n := 0
			return func(w http.ResponseWriter, r *http.Request) {
				if n++; n > 1 {
					r.Header.Del("Range")
				}
				first(w, r)
			}
		},
	} {
		for kind, f := range map[string]download.File{"known": known, "unknown": unknown} {
			t.Run(name+", "+kind, func(t *testing.T) {
				got, said, err := bring(t, f, answer())
				if err != nil || !bytes.Equal(got, content) {
					t.Fatalf("%d bytes of %d, %v", len(got), len(content), err)
				}
				if (name != "redirected") != (len(said) > 0) {
					t.Errorf("said %q", said)
				}
			})
		}
	}
}

func TestAServerThatStallsIsLeft(t *testing.T) {
	for name, f := range map[string]download.File{"known": {Digest: sha(content), Size: int64(len(content))}, "unknown": {Size: -1}} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			// On a busy machine a server that only is slow seems to stall as well: hence the many attempts.
			got, said, err := bringPatiently(t, f, download.Patience{Attempts: 20, Pause: time.Millisecond, Stall: 200 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) > 1 {
					whole(w, r)
					return
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				w.Write(content[:100])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			})
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%d bytes of %d, %v", len(got), len(content), err)
			}
			if len(said) == 0 || !strings.Contains(said[0], "nothing came for too long") {
				t.Errorf("said %q", said)
			}
		})
	}
}

func TestWhatCannotBeRightIsNotTriedAgain(t *testing.T) {
	known := download.File{Digest: sha(content), Size: int64(len(content))}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		say    string
	}{
		"404": {http.NotFound, "answers 404 Not Found to file"},
		"a circle": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/file", http.StatusFound) },
			"redirects more than 10 times"},
		"another file": {func(w http.ResponseWriter, r *http.Request) {
			other := bytes.ToUpper(content)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(other))
		}, "has the wrong digest: " + sha(bytes.ToUpper(content)) + " instead of the announced"},
		"longer": {func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(content, 'x')))
		}, "is longer than the 1048576 bytes"},
		"to a file": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}, "redirects to an address that is not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			_, _, err := bring(t, known, func(w http.ResponseWriter, r *http.Request) { asked++; c.answer(w, r) })
			if err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("%v; want %q", err, c.say)
			}
			if asked != 1 && name != "a circle" {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestBusyForEverIsGivenUp(t *testing.T) {
	var asked atomic.Int32
	_, said, err := bring(t, download.File{Digest: sha(content), Size: int64(len(content))}, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(503)
	})
	if err == nil || !strings.Contains(err.Error(), "given up after 3 attempts") || asked.Load() != 3 || len(said) != 2 {
		t.Errorf("asked %d times, said %q: %v", asked.Load(), said, err)
	}
}

func TestPartsOfDifferentContentsAreNotJoined(t *testing.T) {
	first := true
	other := bytes.ToUpper(content)
	got, _, err := bring(t, download.File{Size: -1}, func(w http.ResponseWriter, r *http.Request) {
		if first {
			first = false
			w.Header().Set("Etag", `"one"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:700_000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Etag", `"two"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(other))
	})
	if err != nil || !bytes.Equal(got, other) {
		t.Errorf("the file is not the second content: %v", err)
	}
}

func TestAnotherProcessGoesOnFromThePart(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "part"), content[:400_000], 0o644); err != nil {
		t.Fatal(err)
	}
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Range")
		whole(w, r)
	}))
	defer server.Close()
	where, _ := url.Parse(server.URL)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	c := download.New(download.Patience{}, nil, "")
	f := download.File{Name: "file", Digest: sha(content), Size: int64(len(content))}
	if err := c.Bring(context.Background(), where, f, root, "part", func(int64) {}); err != nil {
		t.Fatal(err)
	}
	if asked != "bytes=400000-" {
		t.Errorf("asked for %q", asked)
	}
}

func TestAFullDiskIsSaid(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here: ", err)
	}
	defer full.Close()
	err = download.CopyBody(full, strings.NewReader("some bytes"), 10)
	if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, download.ErrDiskFull) {
		t.Errorf("got %v", err)
	}
}
