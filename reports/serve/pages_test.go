package serve_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"

	"headroom/metrics/event"
	"headroom/reports/incident"
	"headroom/reports/serve"
)

func TestTheFirstPageShowsSweepsAlertsAndNews(t *testing.T) {
	s := four(t).open()
	s.page("/", `<a href="/sweeps/demo">demo</a>`, "Why?", "4 runs, 230 of 400 steps",
		">2 done</a>", ">1 failed</a>", ">1 new</a>", ">1 healthy</a>", ">1 empty</a>",
		"empty since step 40", "failed: no space left on device", "tiny-k1-s1</a> done, step 100 of 100")
}

func TestAnEmptyWorkspaceIsAPageThatWaits(t *testing.T) {
	s := newSite(t).open()
	s.page("/", "No sweep has been run in this workspace yet", "Nothing collapsed, failed, stalled or slowed down.")
}

func TestAWorkspaceThatIsNotThereIsWaitedFor(t *testing.T) {
	s := four(t)
	there := s.Root
	s.Root += "-later"
	s.open()
	s.page("/", "no workspace there")
	if code, _, _ := s.get("/sweeps/demo"); code != http.StatusNotFound {
		t.Errorf("a sweep of no workspace: %d", code)
	}
	if err := os.Rename(there, s.Root); err != nil {
		t.Fatal(err)
	}
	s.watcher.Look(t.Context())
	s.page("/sweeps/demo", "tiny-k1-s1")
}

func TestAWorkspaceThatIsDeletedKeepsItsPagesAndSaysSo(t *testing.T) {
	s := four(t).open()
	s.page("/sweeps/demo", `<p id="fault" class="fault" role="alert" hidden>`)
	if err := os.RemoveAll(s.Root); err != nil {
		t.Fatal(err)
	}
	s.watcher.Look(t.Context())
	s.page("/sweeps/demo", "tiny-k1-s1", "The workspace cannot be read now, and what is shown may be old")
	if code, _, text := s.get("/runs/" + id("a")); code != http.StatusOK || !strings.Contains(text, "tiny-k1-s1") {
		t.Errorf("the run's page: %d", code)
	}
	if code, _, _ := s.get("/api/curves?page=/sweeps/demo"); code != http.StatusServiceUnavailable {
		t.Errorf("its curves: %d, want 503", code)
	}
}

func TestASweepsTableIsFilteredSortedAndGrouped(t *testing.T) {
	s := four(t).open()
	labels := func(address string) string {
		var found []string
		for part := range strings.SplitSeq(s.page(address), `class="open">`) {
			label, _, _ := strings.Cut(part, "<")
			found = append(found, label)
		}
		return strings.Join(found[1:], " ")
	}
	for address, want := range map[string]string{
		"/sweeps/demo":                               "tiny-k1-s1 tiny-k1-s2 tiny-k8-s1 tiny-k8-s2",
		"/sweeps/demo?only=model.rescale%3D8":        "tiny-k8-s1 tiny-k8-s2",
		"/sweeps/demo?only=model.rescale%3D8,seed=1": "tiny-k8-s1",
		"/sweeps/demo?state=failed":                  "tiny-k8-s1",
		"/sweeps/demo?verdict=empty":                 "tiny-k1-s2",
		"/sweeps/demo?only=nonsense":                 "tiny-k1-s1 tiny-k1-s2 tiny-k8-s1 tiny-k8-s2",
		// Runs without the figure come last, whichever way it is sorted.
		"/sweeps/demo?sort=nDCG@10+%C2%B7+builtin:demo":  "tiny-k1-s2 tiny-k1-s1 tiny-k8-s1 tiny-k8-s2",
		"/sweeps/demo?sort=-nDCG@10+%C2%B7+builtin:demo": "tiny-k1-s1 tiny-k1-s2 tiny-k8-s1 tiny-k8-s2",
		"/sweeps/demo?sort=-seed":                        "tiny-k1-s2 tiny-k8-s2 tiny-k1-s1 tiny-k8-s1",
		"/sweeps/demo?seeds=1":                           "k=1 k=8",
	} {
		if got := labels(address); got != want {
			t.Errorf("%s shows %q, want %q", address, got, want)
		}
	}
	s.page("/sweeps/demo?only=nonsense", "This filter cannot be read, so that nothing is filtered")
	s.page("/sweeps/demo?only=seed%3D7", "No run is as the filter asks: of 4 runs.")
	// A collapsed seed is in no mean.
	s.page("/sweeps/demo?seeds=1", "1 empty, 1 healthy", "0.5000 (0.5000–0.5000, n=1)")
}

func TestAMapHasACellPerPlaceThatFilters(t *testing.T) {
	s := four(t).open()
	s.page("/sweeps/demo", `<td class="v-empty"><a href="/sweeps/demo?only=model.rescale%3D1" data-soft title="rescale 1: 2 runs, 1 empty, 1 healthy">empty 1/2</a>`,
		`<td class="v-failed"><a href="/sweeps/demo?only=model.rescale%3D8"`)
	s.page("/sweeps/demo?z=nDCG@10+%C2%B7+builtin:demo", `class="q9"`, "mean 0.5000 of 1 run")
	s.page("/sweeps/demo?only=model.rescale%3D1", `<td class="chosen v-empty"><a href="/sweeps/demo" `)
}

func TestARunsPageSaysWhyItCollapsed(t *testing.T) {
	s := four(t).open()
	s.page("/runs/"+id("b"), "tiny-k1-s2", "since step 40, stands", "share of queries without an active term above 0.1", "0.25 at step 40",
		`<tr class="inside"><td class="n">40</td>`, `<tr><td class="n">37</td>`, "--only", "model.rescale=1, seed=2", "0.1000")
	s.page("/runs/"+id("c"), "It failed: no space left on device")
	s.page("/runs/"+id("d"), "It has not begun.", "No run that is shown has begun")
	s.page("/runs/tiny-k8-s2", "It has not begun.")
	for _, address := range []string{"/runs/tiny-k8", "/runs/zzz", "/runs/", "/sweeps/zzz", "/nothing"} {
		if code, _, text := s.get(address); code != http.StatusNotFound || !strings.Contains(text, "Not here") {
			t.Errorf("%s: %d", address, code)
		}
	}
}

func TestChosenRunsStandSideBySide(t *testing.T) {
	s := four(t).open()
	s.page("/compare?run="+id("a")+","+id("b"), "2 runs side by side", `<th scope="row">seed</th><td>1</td><td>2</td>`,
		"tiny-k1-s2 minus tiny-k1-s1", "-0.4000", "-0.5000 to -0.3000", "<td>below</td>", "<b>0.5000</b>", "of 4 queries tiny-k1-s2 is better on 1, worse on 2, the same on 1", `<td>q-worst</td><td class="n">1.0000</td><td class="n">0.0000</td><td class="n">-1.0000</td></tr><tr><td>q-worse</td>`, "q-&lt;better&gt;")
	s.page("/compare?run="+id("a"), "Choose two runs or more")
}

func TestAWorkspacesTextIsNeverMarkup(t *testing.T) {
	s := newSite(t)
	hostile := `</script><script>alert(1)</script><img src=x onerror=alert(2)>'"` + "\u202e"
	s.sweep("demo", hostile, member{"a", hostile, 1, 1, 0}, member{"b", "=1+1", 2, 1, 0})
	l := s.attempt("a", 0, 100)
	s.steps(l, 0, 3)
	e := collapse("empty", 1, 2, true)
	e.Evidence.Rule, e.Evidence.Series = hostile, "loss"
	s.Add(l, e, event.Notice{Message: hostile}, event.Ended{State: event.StateFailed, Step: 3, Error: hostile})
	s.open()
	for _, address := range []string{"/", "/sweeps/demo", "/runs/" + id("a"), "/sweeps/demo?only=" + "%3C%2Fscript%3E%3Cscript%3E", "/compare?run=" + id("a") + "," + id("b"),
		"/runs/" + id("a") + "?text=%3Cscript%3E", "/sweeps/demo?series=%3Cscript%3Ealert(3)"} {
		text := s.page(address)
		for _, bad := range []string{"<script>alert", "<img src=x", "\u202e", "<script>\""} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q as it is", address, bad)
			}
		}
	}
	if _, _, text := s.get("/download/runs.csv?page=/sweeps/demo"); !strings.Contains(text, "'=1+1") {
		t.Errorf("a label is a formula in\n%s", text)
	}
}

func TestAnIncidentIsToldInFull(t *testing.T) {
	s := four(t)
	asked := 0
	s.options.Incident = func(_ context.Context, _, run string) (incident.Page, error) {
		asked++
		if run != id("b") {
			return incident.Page{}, fmt.Errorf("%w: it is healthy <b>and</b> no collapse was seen in it", serve.ErrArgument)
		}
		value := event.Value(math.NaN())
		return incident.Page{Label: "tiny-k1-s2", Verdict: "empty", Onset: collapse("empty", 40, 99, true), Episodes: []event.Episode{collapse("empty", 40, 99, true)},
			Steps: []int{39}, Curves: []incident.Curve{{Name: "<loss>", Values: []*event.Value{&value}}}, Notes: []string{"no probe set"}}, nil
	}
	s.open()
	s.page("/runs/"+id("b"), `<a href="/runs/`+id("b")+`/incident" id="incident">`)
	for range 2 {
		s.page("/runs/"+id("b")+"/incident", "How tiny-k1-s2 collapsed", "What the rules said, in order", "step 39", "&lt;loss&gt;", `<td class="n">nan</td>`, "no probe set", "show 00000000 --incident")
	}
	if asked != 1 {
		t.Errorf("a run that stands still was read %d times", asked)
	}
	s.page("/runs/"+id("a")+"/incident", "it is healthy &lt;b&gt;and&lt;/b&gt; no collapse was seen in it")
	if strings.Contains(s.page("/runs/"+id("a")), `id="incident"`) {
		t.Error("a healthy run's page leads to an incident")
	}
	if code, _, _ := s.get("/runs/zzz/incident"); code != http.StatusNotFound {
		t.Errorf("of no run: %d", code)
	}
}

// Below /api/ every answer is JSON, and says what is not there and what is.
func TestTheAPINamesWhatIsNotThere(t *testing.T) {
	s := four(t).open()
	for address, says := range map[string]string{
		"/api/nothing":                   "allowed: /api/, /api/sweeps/NAME",
		"/api/sweeps/nothing":            "the sweep nothing",
		"/api/runs/nothing":              "the run nothing",
		"/api/?w=nothing":                "the workspace w=nothing",
		"/api/compare?run=nothing":       "runs given: 1; allowed: two",
		"/api/compare?run=nothing&run=x": "the run nothing",
	} {
		code, head, text := s.get(address)
		if code/100 != 4 || !strings.Contains(text, says) || !strings.Contains(text, `"schema":1`) || !strings.HasPrefix(head.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %s %s; want %q", address, code, head.Get("Content-Type"), text, says)
		}
	}
}
