package alert_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"headroom/metrics/event"
	"headroom/runner/alert"
	"headroom/runner/pool"
)

// TestMain is the worker of the test's pool too: WORKER says what it does.
func TestMain(m *testing.M) {
	switch os.Getenv("HEADROOM_ALERT_TEST_WORKER") {
	case "":
		os.Exit(m.Run())
	default:
		os.Exit(worker(os.Args[1]))
	}
}

func worker(what string) int {
	say := func(m pool.Message) { _ = m.Write(os.Stdout) } // a parent that is gone reads nothing
	episode := event.Episode{Detector: "empty", Verdict: "empty", Severity: event.SeverityCollapse, FirstStep: 40, LastStep: 44, Stands: true,
		Evidence: event.Evidence{Series: "empty/query", Rule: "share above 0.1", Observed: []event.Point{{Step: 44, Value: .25}}}}
	say(pool.Message{Type: pool.TypeProgress, Phase: pool.PhaseTrain, Step: 45, Steps: 100, Rate: 1000})
	switch what {
	case "collapse":
		say(pool.Message{Type: pool.TypeCollapse, Episode: &episode})
		say(pool.Message{Type: pool.TypeProgress, Phase: pool.PhaseEvaluate, Step: 2505, Steps: 2505})
		say(pool.Message{Type: pool.TypeResult, Result: &pool.Answer{Verdict: "empty"}})
	case "fail":
		os.Stderr.WriteString("headroom: no space left on device\n")
		return 1
	case "silent":
		time.Sleep(3500 * time.Millisecond)
		say(pool.Message{Type: pool.TypeProgress, Phase: pool.PhaseTrain, Step: 100, Steps: 100, Rate: 1000})
	}
	return 0
}

func TestWhatHappensInAPoolIsTold(t *testing.T) {
	s, c := newSite(t), newReceiver(t, nil)
	sender := s.sender("on = ['collapse', 'failure', 'stall', 'done']\nstall = 1\nwebhook = '" + c.URL + "'")
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var jobs []pool.Job
	for _, what := range []string{"collapse", "fail", "silent"} {
		jobs = append(jobs, pool.Job{ID: what, Kind: "run", Label: "run-" + what, Args: []string{what}})
	}
	_, err = pool.Run(t.Context(), jobs, pool.Options{Executable: executable, Env: append(os.Environ(), "HEADROOM_ALERT_TEST_WORKER=1"), Slots: 3,
		Render: alert.NewWatch(sender, "demo", "node", nil)})
	if err == nil {
		t.Error("a job failed, and the pool says nothing of it")
	}
	sender.Close(patience)
	all := strings.Join(c.messages(), "\n")
	for _, want := range []string{
		`"title":"demo: run-collapse collapsed (empty)","text":"empty since step 40 (empty/query: share above 0.1; 0.25 at step 44)","verdict":"empty","step":40`,
		`"title":"demo: run-collapse is done","text":"empty","verdict":"empty","step":45`,
		`"title":"demo: run-fail failed","text":"exit code 1: no space left on device"`,
		`"title":"demo: run-silent is silent","text":"no step for `,
	} {
		if strings.Count(all, want) != 1 {
			t.Errorf("%d times %s in\n%s", strings.Count(all, want), want, all)
		}
	}
	if n := len(c.messages()); n != 5 { // run-silent is done, too
		t.Errorf("%d messages:\n%s", n, all)
	}
}

// A process that is killed leaves what it could not deliver to the next.
func TestAKilledSenderLosesNothing(t *testing.T) {
	s, c := newSite(t), newReceiver(t, nil)
	deaf := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	sender := s.sender("webhook = '" + deaf.URL + "'")
	sender.Send(collapse("aa", "empty"))
	for len(deaf.messages()) == 0 {
		time.Sleep(time.Millisecond)
	}
	// As if it had been killed here: it has no time for anything.
	s.clock = func() time.Time { return time.Now().Add(time.Hour) }
	s.sender("webhook = '" + c.URL + "'").Close(patience)
	if got := c.messages(); len(got) != 1 || !strings.Contains(got[0], "collapse-aa-empty") {
		t.Errorf("the next sender delivered %q", got)
	}
	sender.Close(0)
}
