package alert_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headroom/runner/alert"
	"headroom/sweeps"
)

// receiver is a server that keeps what it gets and answers as a test says.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []string
	header []http.Header
	paths  []string
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	c := &receiver{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		c.got, c.header, c.paths = append(c.got, r.Method+" "+string(text)), append(c.header, r.Header), append(c.paths, r.URL.Path)
		n := len(c.got)
		c.mu.Unlock()
		if answer != nil {
			answer(n, w, r)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *receiver) messages() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.got...)
}

// settings reads a table [alerts] as a site's file has it.
func settings(t *testing.T, text string) sweeps.Alerts {
	t.Helper()
	site, err := sweeps.ParseSite("headroom.toml", []byte("[alerts]\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return *site.Alerts
}

// site is a workspace with a sender.
type site struct {
	t     *testing.T
	root  string
	mu    sync.Mutex
	notes []string
	clock func() time.Time
	// timeout bounds one try. It is long, so that on a busy machine every try comes to its end;
	// tests of receivers that hang shorten it.
	timeout time.Duration
}

func newSite(t *testing.T) *site {
	return &site{t: t, root: t.TempDir(), clock: time.Now, timeout: time.Minute}
}

func (s *site) sender(table string, environment ...string) *alert.Sender {
	s.t.Helper()
	sender, err := alert.New(alert.Options{
		Alerts: settings(s.t, table), Workspace: s.root, Sweep: "demo", Now: s.clock,
		Getenv: func(name string) string {
			for i := 0; i+1 < len(environment); i += 2 {
				if environment[i] == name {
					return environment[i+1]
				}
			}
			return ""
		},
		Note: func(text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.notes = append(s.notes, text)
		},
		Timeout: s.timeout, Pause: time.Millisecond,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return sender
}

func (s *site) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.notes, "\n")
}

// kept lists the files of the outbox by what they end in.
func (s *site) kept(suffix string) []string {
	s.t.Helper()
	found, err := filepath.Glob(filepath.Join(s.root, alert.Folder, "*"+suffix))
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

func collapse(run, verdict string) alert.Message {
	return alert.Message{ID: "collapse-" + run + "-" + verdict, Kind: sweeps.AlertCollapse, Sweep: "demo", Run: run, Label: "tiny-k1-s1", Title: "demo: tiny-k1-s1 collapsed (" + verdict + ")",
		Text: verdict + " since step 40", Verdict: verdict, Step: 40, Host: "node", Time: time.Now().UTC()}
}

// patience is longer than any try.
const patience = 2 * time.Minute

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
