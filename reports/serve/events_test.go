package serve_test

import (
	"bufio"
	"context"
	"encoding/json"
	"html"
	"io"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
)

// curvesPart is what a page draws, as far as tests look at it.
type curvesPart struct {
	Cursor string `json:"cursor"`
	Series []struct {
		Name   string `json:"name"`
		Curves []struct {
			ID     string     `json:"id"`
			Runs   int        `json:"runs"`
			From   int        `json:"from"`
			Bucket int        `json:"bucket"`
			Steps  []int      `json:"steps"`
			Values []*float64 `json:"values"`
			Low    []*float64 `json:"low"`
			High   []*float64 `json:"high"`
			Bad    []struct {
				Step int    `json:"step"`
				Word string `json:"word"`
			} `json:"bad"`
		} `json:"curves"`
	} `json:"series"`
}

type newsPart struct {
	id     string
	Parts  map[string]string `json:"parts"`
	Rows   map[string]string `json:"rows"`
	Curves *curvesPart       `json:"curves"`
	Redraw bool              `json:"redraw"`
	Fault  string            `json:"fault"`
}

// listen opens the stream of a page and hands over its news.
func (s *site) listen(page string, header ...string) <-chan newsPart {
	s.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", s.server.URL+page, nil)
	if err != nil {
		s.T.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		s.T.Fatalf("%s: %d, %v", page, answer.StatusCode, answer.Header)
	}
	all, done := make(chan newsPart, 100), make(chan struct{})
	s.T.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		defer answer.Body.Close()
		in, id := bufio.NewReader(answer.Body), ""
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if text, is := strings.CutPrefix(line, "id: "); is {
				id = strings.TrimSpace(text)
			}
			if text, is := strings.CutPrefix(line, "data: "); is {
				n := newsPart{id: id}
				if json.Unmarshal([]byte(text), &n) == nil {
					select {
					case all <- n:
					case <-r.Context().Done(): // nobody waits for news any more
						return
					}
				}
			}
		}
	}()
	return all
}

// next waits for news of which something holds.
func next(t *testing.T, all <-chan newsPart, what string, holds func(newsPart) bool) newsPart {
	t.Helper()
	late := time.After(60 * time.Second)
	for {
		select {
		case n := <-all:
			if holds(n) {
				return n
			}
		case <-late:
			t.Fatalf("no news: %s", what)
		}
	}
}

func (s *site) curves(address string) curvesPart {
	s.T.Helper()
	code, _, text := s.get(address)
	var c curvesPart
	if err := json.Unmarshal([]byte(text), &c); err != nil || code != http.StatusOK {
		s.T.Fatalf("%s: %d %v\n%s", address, code, err, text)
	}
	return c
}

var liveAddress = regexp.MustCompile(`data-live="([^"]*)"`)

// TestEveryPageThatChangesHasAStream opens the stream that each page itself names.
func TestEveryPageThatChangesHasAStream(t *testing.T) {
	s := four(t).open().watch()
	for _, page := range []string{"/", "/sweeps/demo", "/sweeps/demo?seeds=1&only=model.rescale%3D1", "/runs/" + id("b")} {
		found := liveAddress.FindStringSubmatch(s.page(page))
		if found == nil {
			t.Errorf("%s names no stream", page)
			continue
		}
		n := next(t, s.listen(html.UnescapeString(found[1])), page, func(newsPart) bool { return true })
		if len(n.Parts) == 0 {
			t.Errorf("a page %s that has nothing is sent nothing", page)
		}
	}
}

func TestOnlyNewPointsTravel(t *testing.T) {
	s := four(t)
	d := s.attempt("d", 0, 100)
	s.steps(d, 0, 10)
	s.open().watch()
	const page = "/api/live?page=%2Fsweeps%2Fdemo%3Fband%3D0%26series%3Dloss"
	have := s.curves(strings.Replace(page, "live", "curves", 1))
	if len(have.Series) != 1 || len(have.Series[0].Curves) != 4 {
		t.Fatalf("the page draws %+v", have)
	}
	all := s.listen(page + "&after=" + have.Cursor)
	s.steps(d, 10, 15)
	n := next(t, all, "five steps of a run", func(n newsPart) bool { return n.Curves != nil })
	if len(n.Curves.Series[0].Curves) != 1 {
		t.Fatalf("news of %d curves, want that of one run", len(n.Curves.Series[0].Curves))
	}
	c := n.Curves.Series[0].Curves[0]
	if c.ID != id("d") || c.From != 10 || len(c.Steps) == 0 || c.Steps[0] != 10 || len(n.Rows) != 1 || n.Rows[id("d")] == "" {
		t.Errorf("news are %+v, rows %d", c, len(n.Rows))
	}
	// A page that comes back with the id of the last event gets what it missed, and no more.
	s.steps(d, 15, 20)
	again := next(t, s.listen(page, "Last-Event-ID", n.id), "what was missed", func(n newsPart) bool { return n.Curves != nil || n.Redraw })
	if again.Redraw || again.Curves.Series[0].Curves[0].From < 10 {
		t.Errorf("after coming back: %+v", again)
	}
	// Another attempt begins again: everything of it is sent.
	s.Add(d, event.Ended{State: event.StateInterrupted, Step: 20, Seconds: 1})
	s.steps(s.attempt("d", 5, 100), 5, 8)
	next(t, all, "another attempt", func(n newsPart) bool {
		return n.Curves != nil && n.Curves.Series[0].Curves[0].From == 0
	})
	// A cursor of another server, or none that can be read, draws again.
	for _, cursor := range []string{"00000000-1-0-", "nonsense", "--------", "a-1-b-1/1.x"} {
		next(t, s.listen(page+"&after="+cursor), "with "+cursor, func(n newsPart) bool { return n.Redraw })
	}
}

func TestACollapseIsNews(t *testing.T) {
	s := four(t)
	d := s.attempt("d", 0, 100)
	s.steps(d, 0, 50)
	s.open().watch()
	all := s.listen("/api/live?page=%2F")
	next(t, all, "the page", func(newsPart) bool { return true })
	began := time.Now()
	s.Add(d, collapse("identical", 45, 50, true))
	next(t, all, "a collapse", func(n newsPart) bool { return strings.Contains(n.Parts["alerts"], "identical since step 45") })
	t.Logf("flagged after %v", time.Since(began))
}

func TestCurvesKeepSpikesBandsAndWhatIsNoNumber(t *testing.T) {
	s := newSite(t)
	s.sweep("demo", "", member{"a", "k1-s1", 1, 1, 0}, member{"b", "k1-s2", 1, 2, 0})
	for i, name := range []string{"a", "b"} {
		l := s.attempt(name, 0, 5000)
		for step := range 5000 {
			v := event.Value(1 + i)
			if i == 0 && step == 2345 {
				v = 1e6
			}
			if i == 1 && step == 4000 {
				v = event.Value(math.Inf(-1))
			}
			if err := l.Append(event.Step{Step: step, Values: map[string]event.Value{"loss": v}}); err != nil {
				t.Fatal(err)
			}
		}
		s.Add(l)
	}
	s.open()
	band := s.curves("/api/curves?width=100&page=%2Fsweeps%2Fdemo%3Fseries%3Dloss").Series[0].Curves
	if len(band) != 1 || band[0].Runs != 2 || band[0].Bucket != 50 || len(band[0].Steps) != 100 || *band[0].Values[0] != 1.5 || *band[0].Low[0] != 1 || *band[0].High[0] != 2 {
		t.Fatalf("the band is %+v", band)
	}
	if *band[0].High[2345/50] != 1e6 || len(band[0].Bad) != 1 || band[0].Bad[0].Word != "-inf" {
		t.Errorf("the spike is %v, what is no number %v", *band[0].High[2345/50], band[0].Bad)
	}
	one := s.curves("/api/curves?width=100&page=%2Fsweeps%2Fdemo%3Fseries%3Dloss%26band%3D0%26from%3D2340%26to%3D2350").Series[0].Curves[0]
	if one.Bucket != 1 || len(one.Steps) != 10 || one.Steps[5] != 2345 || *one.Values[5] != 1e6 {
		t.Errorf("zoomed: %+v", one)
	}
}

func TestARunOfOneStepAndCurvesOfNothingButNaN(t *testing.T) {
	s := newSite(t)
	s.sweep("demo", "", member{"a", "one", 1, 1, 0}, member{"b", "nan", 2, 1, 0})
	s.Add(s.attempt("a", 0, 1), event.Step{Step: 0, Values: map[string]event.Value{"loss": 3}}, event.Ended{State: event.StateDone, Step: 1})
	b := s.attempt("b", 0, 5)
	for step := range 5 {
		s.Add(b, event.Step{Step: step, Values: map[string]event.Value{"loss": event.Value(math.NaN())}})
	}
	s.open()
	for _, file := range []string{"curves.csv", "curves.svg", "runs.csv"} {
		if code, h, text := s.get("/download/" + file + "?page=%2Fsweeps%2Fdemo"); code != http.StatusOK || text == "" || !strings.Contains(h.Get("Content-Disposition"), file) {
			t.Errorf("%s: %d", file, code)
		}
	}
	_, _, text := s.get("/download/curves.csv?page=%2Fsweeps%2Fdemo")
	if !strings.Contains(text, "loss,one,"+id("a")+",1,0,3,,") || !strings.Contains(text, "loss,nan,"+id("b")+",1,4,nan,,") {
		t.Errorf("as a file:\n%s", text)
	}
	s.page("/runs/"+id("a"), "step 1 of 1")
}

func TestASlowReaderHoldsNothing(t *testing.T) {
	s := four(t).open()
	// Streams beyond the bound are refused with a message; streams that end make room.
	for range 3 {
		answer, err := http.Get(s.server.URL + "/api/live?page=%2F")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAtLeast(answer.Body, make([]byte, 8), 8); err != nil {
			t.Error(err)
		}
		answer.Body.Close()
	}
	for _, bad := range []string{"/api/live", "/api/live?page=http%3A%2F%2Fevil.example%2F", "/api/live?page=%2F%2Fevil.example", "/api/live?page=x"} {
		if code, _, _ := s.get(bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
}
