package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/internal/spacetest"
	"headroom/metrics/event"
	"headroom/reports/live"
	"headroom/reports/serve"
	"headroom/sweeps"
)

// site is a workspace that a test writes as the program would, and the page of it.
type site struct {
	*spacetest.Space
	watcher *live.Watcher
	options serve.Options
	server  *httptest.Server
}

func id(name string) string { return spacetest.ID(name) }

func newSite(t testing.TB) *site {
	s := &site{Space: &spacetest.Space{T: t, Root: filepath.Join(t.TempDir(), "ws")}}
	s.options = serve.Options{Documents: papers{}, Now: time.Now, Command: "headroom"}
	s.Write("workspace.json", `{"id":"0123456789abcdef0123456789abcdef","format":1}`)
	return s
}

// open serves the workspace as it is now.
func (s *site) open() *site {
	s.T.Helper()
	s.watcher = live.New(live.Options{Root: s.Root, CacheDir: s.T.TempDir(), Now: time.Now, Every: 20 * time.Millisecond, Idle: 20 * time.Millisecond})
	s.options.Places = []*serve.Place{{Name: "ws", Watcher: s.watcher}}
	server, err := serve.New(s.options)
	if err != nil {
		s.T.Fatal(err)
	}
	s.server = httptest.NewServer(server.Handler())
	s.T.Cleanup(s.server.Close)
	s.watcher.Look(context.Background())
	return s
}

// forget closes the workspace, as when the program ends.
func (s *site) forget() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.watcher.Watch(ctx)
}

// watch looks at the workspace until the test ends.
func (s *site) watch() *site {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.watcher.Watch(ctx); close(done) }()
	s.T.Cleanup(func() { cancel(); <-done })
	return s
}

// member is a run of a sweep.
type member struct {
	name, label string
	rescale     float64
	seed        int64
	lambda      float64
}

// sweep writes a revision of a sweep.
func (s *site) sweep(name, question string, members ...member) {
	s.T.Helper()
	type run struct {
		Run      string          `json:"run"`
		Label    string          `json:"label"`
		Backbone string          `json:"backbone"`
		Rescale  float64         `json:"rescale"`
		Seed     int64           `json:"seed"`
		Config   json.RawMessage `json:"config"`
	}
	var runs []run
	for _, m := range members {
		c := sweeps.Defaults()
		c.Model.Backbone, c.Model.Rescale.K, c.Seed = "recipe:tiny", m.rescale, m.seed
		c.Data.Train, c.Train.Steps, c.Evaluate.Final = "builtin:demo", 100, []string{"builtin:demo"}
		if m.lambda > 0 {
			c.Regularizer.LambdaDocument = m.lambda
		}
		config, err := c.JSON()
		if err != nil {
			s.T.Fatal(err)
		}
		runs = append(runs, run{id(m.name), m.label, "recipe:tiny", m.rescale, m.seed, config})
	}
	text, err := json.Marshal(struct {
		Schema   int    `json:"schema"`
		Sweep    string `json:"sweep"`
		Question string `json:"question"`
		Revision string `json:"revision"`
		Runs     []run  `json:"runs"`
	}{1, name, question, "0001", runs})
	if err != nil {
		s.T.Fatal(err)
	}
	s.Write("sweeps/"+name+"/0001.json", string(text))
}

// attempt opens the log of a run's next attempt.
func (s *site) attempt(run string, from, steps int) *event.Log {
	s.T.Helper()
	return s.Log(run, from, steps, event.Facts{Batch: 4, Candidates: 4, Vocab: 100, Loss: "infonce"})
}

// steps appends steps with a loss that falls.
func (s *site) steps(l *event.Log, from, to int) {
	s.T.Helper()
	for step := from; step < to; step++ {
		s.Add(l, event.Step{Step: step, Values: map[string]event.Value{"loss": event.Value(4 / (1 + float64(step)/20)), "active/document": event.Value(100 - step/2), "seconds": .1}})
	}
}

func collapse(kind string, first, last int, stands bool) event.Episode {
	return event.Episode{Detector: kind, Version: 1, Verdict: kind, Severity: event.SeverityCollapse, FirstStep: first, LastStep: last, Stands: stands,
		Evidence: event.Evidence{Series: "empty/query", Rule: "share of queries without an active term above 0.1", Threshold: .1, Window: 5,
			Observed: []event.Point{{Step: first, Value: .25}}}}
}

// evaluated writes an evaluation of a run.
func (s *site) evaluated(run string, ndcg, flops float64) {
	s.T.Helper()
	s.Evaluation("runs/"+id(run)+"/evaluations", "e-"+run, "test", ndcg, flops)
}

// four is a sweep of two factors and two seeds: healthy, collapsed, running, not begun.
func four(t testing.TB) *site {
	s := newSite(t)
	s.sweep("demo", "Why?", member{"a", "tiny-k1-s1", 1, 1, 0}, member{"b", "tiny-k1-s2", 1, 2, 0}, member{"c", "tiny-k8-s1", 8, 1, 0}, member{"d", "tiny-k8-s2", 8, 2, 0})
	a := s.attempt("a", 0, 100)
	s.steps(a, 0, 100)
	s.Add(a, event.Judged{Verdict: "healthy", Chain: []string{}}, event.Ended{State: event.StateDone, Step: 100, Seconds: 10, Weights: "w"})
	s.evaluated("a", .5, 2)
	b := s.attempt("b", 0, 100)
	s.steps(b, 0, 100)
	s.Add(b, collapse("empty", 40, 99, true), event.Judged{Verdict: "empty", Chain: []string{"empty"}}, event.Ended{State: event.StateDone, Step: 100, Seconds: 10, Weights: "w"})
	s.evaluated("b", .1, .5)
	c := s.attempt("c", 0, 100)
	s.steps(c, 0, 30)
	s.Add(c, event.Ended{State: event.StateFailed, Step: 30, Seconds: 3, Error: "no space left on device"})
	return s
}

// get asks for an address and returns the answer's code, header and text.
func (s *site) get(address string, header ...string) (int, http.Header, string) {
	s.T.Helper()
	return s.ask("GET", address, nil, header...)
}

func (s *site) ask(method, address string, body io.Reader, header ...string) (int, http.Header, string) {
	s.T.Helper()
	r, err := http.NewRequest(method, s.server.URL+address, body)
	if err != nil {
		s.T.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// page asks for a page that must be there and have all of the texts in it.
func (s *site) page(address string, texts ...string) string {
	s.T.Helper()
	code, _, text := s.get(address)
	if code != http.StatusOK {
		s.T.Fatalf("%s: %d\n%s", address, code, text)
	}
	for _, want := range texts {
		if !strings.Contains(text, want) {
			s.T.Errorf("%s lacks %q:\n%s", address, want, text)
		}
	}
	return text
}

// papers are documents that say what they were asked for.
type papers struct{}

type paper struct {
	Schema int      `json:"schema"`
	Asked  []string `json:"asked"`
}

func (papers) Status(_ context.Context, root, sweep string, only []string) (any, error) {
	if len(only) > 0 && only[0] == "nonsense" {
		return nil, fmt.Errorf("%w: nonsense", serve.ErrArgument)
	}
	return paper{1, append([]string{"status", filepath.Base(root), sweep}, only...)}, nil
}

func (papers) Show(_ context.Context, _, run string) (any, error) {
	return paper{1, []string{"show", run}}, nil
}

func (papers) Diff(_ context.Context, _, a, b string, queries bool) (any, error) {
	if a == b {
		return nil, errors.New("the same")
	}
	if queries {
		return json.RawMessage(`{"schema":1,"evaluations":[{"dataset":"builtin:demo","measures":[{"measure":"nDCG@10","a":0.5,"b":0.1,"difference":-0.4,"low":-0.5,"high":-0.3,"queries":20,"queries_that_differ":18,
			"per_query":{"q-worse":{"a":1,"b":0.25},"q-worst":{"a":1,"b":0},"q-same":{"a":0.5,"b":0.5},"q-<better>":{"a":0,"b":0.125}}}]}]}`), nil
	}
	return json.RawMessage(`{"schema":1,"evaluations":[{"dataset":"builtin:demo","measures":[{"measure":"nDCG@10","a":0.5,"b":0.1,"difference":-0.4,"low":-0.5,"high":-0.3,"queries":20,"queries_that_differ":18}]}]}`), nil
}
