package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// inbox is a server that keeps what is posted to it.
type inbox struct {
	*httptest.Server
	mu   sync.Mutex
	got  []string
	code int
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	b := &inbox{code: http.StatusOK}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		b.mu.Lock()
		b.got = append(b.got, string(text))
		b.mu.Unlock()
		w.WriteHeader(b.code)
	}))
	t.Cleanup(b.Close)
	return b
}

// take returns what has come since the last time.
func (b *inbox) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.got
	b.got = nil
	return got
}

type alertMessage struct {
	Kind, Sweep, Label, Title, Text, Verdict string
	Step                                     int
}

func TestARunTellsOfCollapsesFailuresAndItsEnd(t *testing.T) {
	p, in := newPlace(t), newInbox(t)
	sweep := p.sample()
	p.write("small.toml", strings.Replace(smallSweep, "[1, 2]", "[1]", 1))
	p.write("headroom.toml", "[alerts]\nwebhook = '"+in.URL+"'\n")
	p.extra = []string{"FAKE_COLLAPSE=identical"}
	if r := p.run("run", sweep); r.code != 0 || !strings.Contains(r.stderr, "collapsed: identical since step 1 (cosine/query: cosine above 0.95; 0.99 at step 1)") {
		t.Fatalf("code %d\n%s", r.code, r.stderr)
	}
	got := in.take()
	if len(got) != 3 {
		t.Fatalf("told %q", got)
	}
	m := decode[alertMessage](t, got[0])
	if m.Kind != "collapse" || m.Verdict != "identical" || m.Step != 1 || m.Sweep != "small" || !strings.Contains(m.Title, m.Label) {
		t.Errorf("first %+v", m)
	}
	if m = decode[alertMessage](t, got[2]); m.Kind != "end" || m.Title != "small is over" || m.Text != "2 runs: 2 done; verdicts: 2 identical" {
		t.Errorf("last %+v", m)
	}
	if p.ok("run", sweep); len(in.take()) > 0 {
		t.Error("where nothing was to be done somebody was told")
	}
	p.write("small.toml", strings.Replace(smallSweep, "[1, 2]", "[6]", 1))
	p.ok("run", sweep, "--only", "model.rescale=1")
	if got := in.take(); len(got) != 2 || !strings.Contains(got[1], "small: what was asked for is over") {
		t.Errorf("of a part, told %q", got)
	}
	p.write("small.toml", strings.Replace(smallSweep, "[1, 2]", "[7]", 1))
	planned := decode[struct {
		Runs []struct{ ID, State string }
	}](t, p.ok("plan", sweep, "--json"))
	p.extra = []string{"FAKE_FAIL=" + planned.Runs[0].ID}
	if r := p.run("run", sweep, "--json"); r.code != 3 {
		t.Fatalf("code %d\n%s", r.code, r.stderr)
	}
	got = in.take()
	if len(got) != 2 || !strings.Contains(got[0], `"kind":"failure"`) || !strings.Contains(got[0], "exit code 1: tensor of the wrong shape") || !strings.Contains(got[1], "is over, 1 failed") {
		t.Errorf("told %q", got)
	}
}

// Somebody who is away changes no exit code and no result.
func TestAlertsThatDoNotArriveChangeNoResult(t *testing.T) {
	p, in := newPlace(t), newInbox(t)
	sweep := p.sample()
	in.code = http.StatusNotFound
	p.write("headroom.toml", "[alerts]\nwebhook = '"+in.URL+"/token'\n")
	r := p.run("run", sweep)
	if r.code != 0 || !strings.Contains(r.stderr, "small is over\" was not delivered to webhook "+in.URL+": it answered 404 Not Found") || strings.Contains(r.stderr, "/token") {
		t.Errorf("code %d\n%s", r.code, r.stderr)
	}
}

func TestBadAlertsAreRefusedBeforeAnythingRuns(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	for text, want := range map[string]string{
		"[alerts]\nwebhok = 'x'\n":                                  "unknown key",
		"[alerts]\nwebhook = '$NOT_SET'\n":                          "alerts.webhook: needs $NOT_SET of the environment",
		"[alerts]\nwebhook = 'http://h/'\ntemplate = '{{.Nope}}'\n": "alerts.template",
	} {
		p.write("headroom.toml", text)
		p.refused([]string{"run", sweep}, "headroom.toml", want)
		p.refused([]string{"alert", sweep}, "headroom.toml", want)
	}
}

func TestAlertsAreTried(t *testing.T) {
	p, in := newPlace(t), newInbox(t)
	sweep := p.sample()
	p.refused([]string{"alert", sweep}, "there is no such table in "+p.dir)
	out := filepath.Join(p.dir, "out")
	p.write("headroom.toml", "[alerts]\ntemplate = 'slack'\nwebhook = '"+in.URL+"/token'\ncommand = 'cat > "+out+"'\n")
	if text := p.ok("alert", sweep, "--dry-run"); !strings.Contains(text, "webhook "+in.URL+" would get:\n{\"text\": \"*headroom: a trial*") || strings.Contains(text, "token") {
		t.Errorf("dry:\n%s", text)
	}
	if _, err := os.Stat(out); err == nil || len(in.take()) > 0 {
		t.Error("a dry run sent something")
	}
	if text := p.ok("alert", sweep); text != "webhook "+in.URL+": delivered\ncommand of the shell: delivered\n" {
		t.Errorf("said %q", text)
	}
	if got := in.take(); len(got) != 1 || !strings.Contains(got[0], "This is how alerts of headroom come.") {
		t.Errorf("told %q", got)
	}
	in.code = http.StatusForbidden
	if r := p.run("alert", sweep); r.code != 1 || !strings.Contains(r.stderr, "it answered 403 Forbidden") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
}

// On a cluster each task sends alerts about its runs, and the last one sends the alert that the sweep is over.
func TestTasksOfAClusterSendAlerts(t *testing.T) {
	p, in := newPlace(t), newInbox(t)
	p.stubSlurm(nil)
	sweep := p.sample()
	p.write("small.toml", strings.NewReplacer("[1, 2]", "[1]", "[1, 4]", "[1]").Replace(smallSweep))
	p.write("headroom.toml", "[alerts]\nwebhook = '$INBOX'\n")
	p.refused([]string{"submit", sweep}, "headroom.toml", "needs $INBOX of the environment")
	p.extra = append(p.extra, "INBOX="+in.URL, "FAKE_COLLAPSE=identical")
	d := decode[submitDocument](t, p.ok("submit", sweep, "--json"))
	before := p.extra
	p.extra = append(before, "SLURM_ARRAY_TASK_ID=0", "SLURM_ARRAY_JOB_ID=101")
	tell := func(array string) string {
		t.Helper()
		out := p.ok("task", "--submission", "small/"+d.Submission, "--array", array)
		if strings.Contains(out, "no alert") {
			t.Errorf("%s: %s", array, out)
		}
		return strings.Join(in.take(), "\n")
	}
	if got := tell("backbones0"); got != "" {
		t.Errorf("a backbone that is made is no news: %s", got)
	}
	if got := tell("runs0"); strings.Count(got, `"kind":`) != 1 || !strings.Contains(got, `"kind":"collapse","sweep":"small","run":"`+d.Runs[0]) {
		t.Errorf("a run's task tells %s", got)
	}
	if got := tell("runs0"); got != "" {
		t.Errorf("started once more it tells %s", got)
	}
	p.role = "program" // that makes the report
	got := tell("report0")
	p.role = "fake"
	if strings.Count(got, `"kind":`) != 1 || !strings.Contains(got, `"title":"small is over"`) || !strings.Contains(got, "1 run: 1 done; verdicts: 1 identical") {
		t.Errorf("the report's task tells %s", got)
	}
	// What a node does not know keeps no task from its work.
	p.extra = append(before[:len(before)-2:len(before)-2], "FAKE_COLLAPSE=identical", "SLURM_ARRAY_TASK_ID=0", "SLURM_ARRAY_JOB_ID=101")
	if out := p.ok("task", "--submission", "small/"+d.Submission, "--array", "runs0"); !strings.Contains(out, "no alerts are sent from here: ") {
		t.Errorf("the task says %s", out)
	}
}
