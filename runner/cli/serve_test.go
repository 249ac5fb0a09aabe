package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lines keeps what a command prints, for a test to read meanwhile.
type lines struct {
	mu      sync.Mutex
	text    strings.Builder
	written func() // is called after each piece of it; nil for nothing
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written != nil {
		defer l.written()
	}
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wait returns what has been printed once it has a text in it.
func (l *lines) wait(t *testing.T, want string) string {
	t.Helper()
	for range 600 {
		if text := l.String(); strings.Contains(text, want) {
			return text
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%q was never printed", want)
	return ""
}

// served runs the page of a place until the test ends and returns what it printed.
func served(t *testing.T, p *place, args ...string) string {
	t.Helper()
	out := &lines{}
	ctx, cancel := context.WithCancel(t.Context())
	p.out, p.ctx = out, ctx
	ended := make(chan result, 1)
	go func() { ended <- p.run(append([]string{"serve"}, args...)...) }()
	t.Cleanup(func() {
		cancel()
		if r := <-ended; r.code != 0 && r.code != 130 {
			t.Errorf("serve ended with code %d: %s", r.code, r.stderr)
		}
	})
	return out.wait(t, "/")
}

func fetched(t *testing.T, address string) (int, string) {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// TestServeGivesTheSameDocumentsAsTheCommands compares each with what --json prints.
func TestServeGivesTheSameDocumentsAsTheCommands(t *testing.T) {
	p, _ := steps(t)
	p.write("small.toml", replaced("[1, 4]", "[1, 4, 8]"))
	t.Chdir(p.dir)
	p.ok("run", "small.toml", "--quiet")
	var status struct {
		Runs []struct{ ID, Label string } `json:"runs"`
	}
	if err := json.Unmarshal([]byte(p.ok("status", "--json")), &status); err != nil || len(status.Runs) < 2 {
		t.Fatalf("status has %d runs, %v", len(status.Runs), err)
	}
	a, b := status.Runs[0].ID, status.Runs[1].ID
	same := map[string]string{
		"api/":             p.ok("status", "--json"),
		"api/sweeps/small": p.ok("status", "small", "--json"),
		"api/sweeps/small?only=model.rescale%3D4": p.ok("status", "small", "--only", "model.rescale=4", "--json"),
		"api/runs/" + a:                      p.ok("show", a, "--json"),
		"api/compare?run=" + a + "&run=" + b: p.ok("diff", a, b, "--json"),
	}
	out := served(t, p)
	url := strings.TrimSpace(strings.TrimPrefix(out, "listening on "))
	if !strings.HasPrefix(url, "http://127.0.0.1:") || strings.Contains(out, "token") {
		t.Fatalf("printed %q", out)
	}
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) { // until the workspace has been read
		if _, text := fetched(t, url); strings.Contains(text, "/sweeps/small") {
			break
		}
		if time.Now().After(late) {
			t.Fatal("the page never has the sweep")
		}
	}
	compact := func(text string) string {
		var document any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			return text
		}
		again, _ := json.Marshal(document) // what was just read can be written
		return string(again)
	}
	for address, want := range same {
		code, got := fetched(t, url+address)
		if code != http.StatusOK || compact(got) != compact(want) {
			t.Errorf("%s: %d\n got %s\nwant %s", address, code, compact(got), compact(want))
		}
	}
	for address, want := range map[string]int{"api/sweeps/none": 404, "api/runs/none": 404, "api/sweeps/small?only=nonsense": 400, "api/compare?run=" + a: 400} {
		if code, text := fetched(t, url+address); code != want || !strings.Contains(text, `"schema":1`) || !strings.Contains(text, `"error"`) {
			t.Errorf("%s: %d, want %d: %s", address, code, want, text)
		}
	}
	// A text's vector comes out of a process of its own.
	if code, text := fetched(t, url+"runs/"+a+"?text=some+words"); code != http.StatusOK || !strings.Contains(text, `<form action="#vectors"`) {
		t.Errorf("a text's vector: %d\n%s", code, text)
	}
}

func TestServeWithoutAWorkspaceWaitsForOne(t *testing.T) {
	p := newPlace(t)
	out := served(t, p, "-w", p.dir+"/one", "-w", p.dir+"/two")
	url := strings.TrimSpace(strings.TrimPrefix(out, "listening on "))
	if code, text := fetched(t, url); code != http.StatusOK || !strings.Contains(text, "2 workspaces") {
		t.Errorf("%d\n%s", code, text)
	}
	if code, _ := fetched(t, url+"?w=three"); code != http.StatusNotFound {
		t.Errorf("a workspace that is not served: %d", code)
	}
}

func TestServeRefusesWhatItCannotServe(t *testing.T) {
	p := newPlace(t)
	p.write("file", "text")
	p.refused([]string{"serve", "-w", p.dir + "/file"}, "is a file; a folder is allowed")
	p.refused([]string{"serve", "--listen", "8000"}, `--listen is "8000"; allowed: HOST:PORT`)
	p.refused([]string{"serve", "--listen", "127.0.0.1:99999"}, `--listen is "127.0.0.1:99999"; allowed: HOST:PORT such as 127.0.0.1:8000, with a port from 0 to 65535`)
	p.extra = []string{"HEADROOM_TOKEN=short"}
	p.refused([]string{"serve", "--listen", "0.0.0.0:0"}, "$HEADROOM_TOKEN has 5 characters; at least 16 are needed")
}

func TestServeBeyondThisMachineAsksForAToken(t *testing.T) {
	p := newPlace(t)
	p.extra = []string{"HEADROOM_TOKEN=0123456789abcdef-of-mine"}
	out := served(t, p, "--listen", "0.0.0.0:0", "--json")
	var d struct {
		Listening string `json:"listening"`
		With      string `json:"with_token"`
	}
	if err := json.Unmarshal([]byte(out), &d); err != nil || !strings.HasSuffix(d.With, "/?token=0123456789abcdef-of-mine") {
		t.Fatalf("printed %q: %v", out, err)
	}
	port := d.Listening[strings.LastIndexByte(d.Listening, ':'):]
	if code, _ := fetched(t, "http://127.0.0.1"+port); code != http.StatusUnauthorized {
		t.Errorf("without the token: %d", code)
	}
}
