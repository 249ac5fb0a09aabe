package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/metrics/event"
)

// again adds, to a finished run, an attempt that trained a number of its steps, and then the events.
func (p *place) again(run string, steps int, events ...event.Event) {
	p.t.Helper()
	log, err := event.Create(filepath.Join(p.dir, "ws", "runs", run))
	if err != nil {
		p.t.Fatal(err)
	}
	all := []event.Event{event.Started{Run: run, Attempt: log.Attempt(), Host: "here", Steps: 40, Facts: event.Facts{Batch: 4, Candidates: 4, Vocab: 10, Loss: "infonce"}}}
	for step := range steps {
		all = append(all, event.Step{Step: step, Values: map[string]event.Value{"loss": 1, "seconds": 0.5}})
	}
	for _, e := range append(all, events...) {
		if err := log.Append(e); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		p.t.Fatal(err)
	}
}

func TestARecoveredRunIsMarkedWhereverItsVerdictIs(t *testing.T) {
	p := newPlace(t)
	path := p.sample()
	runs := lastLine(t, p.ok("run", path, "--json")).Runs
	p.again(runs[0].ID, 6,
		event.Episode{Detector: "empty", Version: 1, Verdict: "empty", Severity: event.SeverityCollapse, FirstStep: 1, LastStep: 2,
			Evidence: event.Evidence{Series: "empty/query", Rule: "a rule"}},
		event.Judged{Verdict: "healthy", Chain: []string{"empty"}}, event.Ended{State: event.StateDone, Step: 6, Weights: "sha256:aa"})
	const mark = "healthy (recovered from empty at 1–2)"
	for _, args := range [][]string{
		{"show", runs[0].ID}, {"status", "small"}, {"diff", runs[0].ID, runs[1].ID},
		{"query", "SELECT verdict || ' (recovered from ' || recovered || ')' FROM runs"},
	} {
		if text := p.ok(args...); strings.Count(text, mark) != 1 {
			t.Errorf("headroom %s has not one mark:\n%s", strings.Join(args, " "), text)
		}
	}
	if text := p.ok("plan", path, "--json"); !strings.Contains(text, "finished: it recovered from empty") {
		t.Errorf("plan does not say it:\n%s", text)
	}
	if d := decode[struct{ Verdict, Recovered string }](t, p.ok("show", runs[0].ID, "--json")); d.Verdict != "healthy" || d.Recovered != "empty at 1–2" {
		t.Errorf("show: %+v", d)
	}
	p.ok("report", "small", "-o", filepath.Join(p.dir, "report"))
	files := p.texts("report")
	for _, name := range []string{"report.md", "runs.csv", "runs.md"} {
		if text := files[filepath.Join(p.dir, "report", name)]; !strings.Contains(text, mark) {
			t.Errorf("%s has no mark:\n%s", name, text)
		}
	}
}

// A run that a collapse ended early shows the steps that it has, and what that saved.
func TestAStoppedRunSaysWhatItSaved(t *testing.T) {
	p := newPlace(t)
	p.sample()
	p.write("long.toml", strings.Replace(smallSweep, "steps = 6", "steps = 40", 1))
	runs := lastLine(t, p.ok("run", filepath.Join(p.dir, "long.toml"), "--json")).Runs
	p.again(runs[0].ID, 10, event.Judged{Verdict: "empty", Chain: []string{"empty"}}, event.Ended{State: event.StateDone, Step: 10, Weights: "sha256:aa"})
	text := p.ok("show", runs[0].ID)
	if !strings.Contains(text, "done, step 10 of 40, verdict: empty\nstopped early by stability.stop: 30 steps were not trained, which saved about 15s\n") {
		t.Errorf("got\n%s", text)
	}
	if text := p.ok("show", runs[1].ID); strings.Contains(text, "stopped early") || !strings.Contains(text, "step 40 of 40") {
		t.Errorf("a whole run:\n%s", text)
	}
}

// The incident of a run that recovered, beside a healthy one of another seed; and none of that one.
func TestShowTellsAnIncident(t *testing.T) {
	p := newPlace(t)
	runs := lastLine(t, p.ok("run", p.sample(), "--json")).Runs
	p.again(runs[0].ID, 6,
		event.Episode{Detector: "empty", Version: 1, Verdict: "empty", Severity: event.SeverityCollapse, FirstStep: 3, LastStep: 4, LastHealthy: event.Some(2),
			Evidence: event.Evidence{Series: "empty/query", Rule: "a rule"}},
		event.Judged{Verdict: "healthy", Chain: []string{"empty"}}, event.Ended{State: event.StateDone, Step: 6, Weights: "sha256:aa"})
	text := p.ok("show", runs[0].ID, "--incident")
	for _, want := range []string{"# Incident: ", "verdict: healthy (recovered from empty at 3–4)", "empty from step 3 to 4; the last healthy step is 2.", "## The steps around the onset", "| seed | 1 "} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	d := decode[struct {
		Onset   event.Episode
		Nearest struct{ ID string }
	}](t, p.ok("show", runs[0].ID, "--incident", "--json"))
	if d.Onset.FirstStep != 3 || d.Nearest.ID != runs[1].ID {
		t.Errorf("as JSON: %+v", d)
	}
	p.ok("report", "small", "-o", filepath.Join(p.dir, "report"))
	page, err := os.ReadFile(filepath.Join(p.dir, "report", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h2>Incidents</h2>", `id="incident-` + runs[0].ID + `"`, `href="#incident-` + runs[0].ID + `"`, "empty from step 3 to 4; the last healthy step is 2.", "The steps around the onset"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("report.html lacks %q", want)
		}
	}
	if strings.Contains(string(page), "incident-"+runs[1].ID) {
		t.Error("report.html tells an incident of a run that has none")
	}
	p.refused([]string{"show", runs[1].ID, "--incident"}, "no incident: it is healthy and no collapse was seen in it")
}
