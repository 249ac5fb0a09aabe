package source_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/data/download"
	"headroom/data/source"
)

const childVariable = "HEADROOM_SOURCE_TEST_FETCH"

// errand is the other process's task.
type errand struct {
	Cache string
	Hub   download.Hub
}

// TestMain is also the other process of a test: with the variable set it
// fetches into the cache that it names.
func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var with errand
	if err := json.Unmarshal([]byte(text), &with); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	r := source.Resolver{HubCache: with.Cache, Hub: with.Hub}
	folder, err := r.Fetch(context.Background(), "owner/name", nil)
	fmt.Print(folder)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// slow answers for weights in small pieces, so that fetches overlap.
func (h *hub) slow(text []byte) {
	h.intercept(func(server string, w http.ResponseWriter, r *http.Request) bool {
		if server == "cdn" && r.Header.Get("Range") == "" {
			for begin := 0; begin < len(text); begin += 1 + len(text)/20 {
				w.Write(text[begin:min(len(text), begin+1+len(text)/20)])
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
			return true
		}
		return false
	})
}

func TestOneOfManyFetchesAndTheOthersWait(t *testing.T) {
	h, r, files, _ := published(t)
	h.slow(files["model.safetensors"])
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			last := source.Progress{}
			folder, err := r.Fetch(t.Context(), "owner/name", func(p source.Progress) { last = p })
			if err != nil {
				t.Error(err)
				return
			}
			same(t, folder, files, "README.md")
			if last.Done != last.Total {
				t.Errorf("the last progress is %+v", last)
			}
		})
	}
	wait.Wait()
	if got := parts(h.taken()); len(got) != 1 {
		t.Errorf("the weights were asked for %d times: %q", len(got), got)
	}
}

func TestProcessesFetchTogether(t *testing.T) {
	h, r, files, _ := published(t)
	h.slow(files["model.safetensors"])
	text, err := json.Marshal(errand{r.HubCache, r.Hub})
	if err != nil {
		t.Fatal(err)
	}
	var children []*exec.Cmd
	var outputs []*strings.Builder
	for range 3 {
		child, output := exec.Command(os.Args[0]), &strings.Builder{}
		child.Env = append(os.Environ(), childVariable+"="+string(text))
		child.Stdout, child.Stderr = output, output
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		children, outputs = append(children, child), append(outputs, output)
	}
	for i, child := range children {
		if err := child.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, outputs[i])
			continue
		}
		same(t, outputs[i].String(), files, "README.md")
	}
	if got := parts(h.taken()); len(got) != 1 {
		t.Errorf("the weights were asked for %d times: %q", len(got), got)
	}
}

func TestAKilledProcessLeavesWhatTheNextGoesOnWith(t *testing.T) {
	h, r, files, blob := published(t)
	weights := files["model.safetensors"]
	half := make(chan bool)
	h.intercept(func(server string, w http.ResponseWriter, r *http.Request) bool {
		if server != "cdn" || r.Header.Get("Range") != "" {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(weights)))
		w.Write(weights[:len(weights)/2])
		w.(http.Flusher).Flush()
		close(half)
		<-r.Context().Done()
		return true
	})
	text, err := json.Marshal(errand{r.HubCache, r.Hub})
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+string(text))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	for range 500 { // until the half is on disk
		if info, err := os.Stat(blob + ".incomplete"); err == nil && info.Size() == int64(len(weights)/2) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	child.Process.Kill()
	child.Wait()
	h.taken()
	same(t, fetch(t, r, "owner/name"), files, "README.md")
	if got, want := parts(h.taken()), fmt.Sprintf("bytes=%d-", len(weights)/2); len(got) != 1 || got[0] != want {
		t.Errorf("the parts asked for are %q, want %q", got, want)
	}
}
