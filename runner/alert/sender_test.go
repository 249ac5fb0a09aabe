package alert_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/runner/alert"
	"headroom/sweeps"
)

func TestAMessageIsPostedAsJSONOnce(t *testing.T) {
	s, c := newSite(t), newReceiver(t, nil)
	for range 2 { // a run that resumes from a checkpoint sends it again
		sender := s.sender("webhook = '" + c.URL + "/hook'")
		sender.Send(collapse("aa", "empty"))
		sender.Send(collapse("aa", "empty"))
		sender.Close(patience)
	}
	got := c.messages()
	if len(got) != 1 || !strings.HasPrefix(got[0], "POST ") || s.said() != "" {
		t.Fatalf("posted %q, said %q", got, s.said())
	}
	m := decode[alert.Message](t, got[0][5:])
	if m.Schema != 1 || m.Kind != "collapse" || m.Sweep != "demo" || m.Run != "aa" || m.Verdict != "empty" || m.Step != 40 || m.ID != "collapse-aa-empty" {
		t.Errorf("the message is %+v", m)
	}
	if h := c.header[0]; h.Get("Content-Type") != "application/json" {
		t.Errorf("its header is %v", h)
	}
	if len(s.kept(".json")) != 1 || len(s.kept(".waiting")) != 0 {
		t.Errorf("kept: %v, waiting: %v", s.kept(".json"), s.kept(".waiting"))
	}
}

func TestOnlyWhatIsAskedForIsSent(t *testing.T) {
	s, c := newSite(t), newReceiver(t, nil)
	sender := s.sender("on = ['end', 'done']\nwebhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Send(alert.End("demo", "node", "1 run: 1 done", 0, 0, time.Now()))
	sender.Close(patience)
	if got := c.messages(); len(got) != 1 || !strings.Contains(got[0], "demo is over") {
		t.Errorf("posted %q", got)
	}
}

func TestAReceiverThatRecoversGetsIt(t *testing.T) {
	s := newSite(t)
	c := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	sender := s.sender("webhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if got := c.messages(); len(got) != 3 || s.said() != "" || len(s.kept(".json")) != 1 {
		t.Errorf("%d tries, said %q, kept %v", len(got), s.said(), s.kept(".json"))
	}
}

func TestWhatIsNotDeliveredWaitsForTheNextSender(t *testing.T) {
	s := newSite(t)
	away := true
	c := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		if away {
			http.Error(w, "try <later>", http.StatusBadGateway)
		}
	})
	table := "webhook = '" + c.URL + "/secret-path'"
	sender := s.sender(table)
	sender.Send(collapse("aa", "empty"))
	sender.Send(collapse("bb", "empty"))
	sender.Close(patience)
	// The first is tried four times, the second once: the receiver is known to be away.
	if got := c.messages(); len(got) != 5 || len(s.kept(".waiting")) != 2 || !strings.Contains(s.said(), "502 Bad Gateway: try <later>") || strings.Contains(s.said(), "secret-path") {
		t.Errorf("%d tries, waiting %v, said %q", len(got), s.kept(".waiting"), s.said())
	}
	away = false
	sender = s.sender(table) // too early: the other may still be at it
	sender.Close(patience)
	if n := len(c.messages()); n != 5 {
		t.Errorf("what another process may be sending was sent: %d", n)
	}
	s.clock = func() time.Time { return time.Now().Add(10 * time.Minute) }
	sender = s.sender(table)
	sender.Close(patience)
	if got := c.messages(); len(got) != 7 || len(s.kept(".waiting")) != 0 || len(s.kept(".json")) != 2 {
		t.Errorf("%d tries, waiting %v", len(got), s.kept(".waiting"))
	}
}

func TestWhatWaitsIsGivenUpAfterADay(t *testing.T) {
	s := newSite(t)
	c := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	table := "webhook = '" + c.URL + "'"
	sender := s.sender(table)
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	tries := len(c.messages())
	s.clock = func() time.Time { return time.Now().Add(25 * time.Hour) }
	s.sender(table).Close(patience)
	if kept := s.kept(".json"); len(c.messages()) != tries || len(kept) != 1 || !strings.Contains(read(t, kept[0]), "given up after a day") {
		t.Errorf("%d tries more, kept %v", len(c.messages())-tries, kept)
	}
}

// A receiver that accepts and never answers costs the run's end no more than the patience: nobody
// waits for the end of a try, which is far away.
func TestAReceiverThatStallsHoldsNobodyUp(t *testing.T) {
	s := newSite(t)
	release := make(chan struct{})
	c := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	sender := s.sender("webhook = '" + c.URL + "'")
	began := time.Now()
	for i := range 200 {
		sender.Send(collapse(fmt.Sprintf("run%d", i), "empty"))
	}
	sender.Close(100 * time.Millisecond)
	if took := time.Since(began); took > s.timeout/2 {
		t.Errorf("200 messages were taken and the sender closed after %v", took)
	}
	if n := len(s.kept(".waiting")); n != 200 {
		t.Errorf("%d of 200 wait for the next sender", n)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	s := newSite(t)
	elsewhere := newReceiver(t, nil)
	for _, code := range []int{301, 302, 303, 307, 308} {
		c := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, code) })
		sender := s.sender("webhook = '"+c.URL+"'\nheaders = ['Authorization: Bearer $TOKEN']", "TOKEN", "hidden")
		sender.Send(collapse(fmt.Sprint(code), "empty"))
		sender.Close(patience)
		if len(c.messages()) != 1 || c.header[0].Get("Authorization") != "Bearer hidden" || !strings.Contains(s.said(), "leads to "+elsewhere.URL+"; redirects are not followed") {
			t.Errorf("%d: %d tries, said %q", code, len(c.messages()), s.said())
		}
	}
	if len(elsewhere.messages()) > 0 {
		t.Error("a redirect was followed")
	}
	if strings.Contains(s.said(), "hidden") {
		t.Error("a secret was said")
	}
}

func TestARefusalIsFinal(t *testing.T) {
	s := newSite(t)
	c := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "invalid_payload\x1b[2J", http.StatusBadRequest)
	})
	sender := s.sender("webhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if len(c.messages()) != 1 || !strings.Contains(s.said(), `it answered 400 Bad Request: invalid_payload\x1b[2J`) || len(s.kept(".json")) != 1 {
		t.Errorf("%d tries, said %q", len(c.messages()), s.said())
	}
}

func TestAReceiverThatIsNotThere(t *testing.T) {
	s := newSite(t)
	c := httptest.NewServer(nil)
	address := c.URL
	c.Close()
	sender := s.sender("webhook = '" + address + "/secret-path'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if !strings.Contains(s.said(), "connection refused") || strings.Contains(s.said(), "secret-path") || len(s.kept(".waiting")) != 1 {
		t.Errorf("said %q", s.said())
	}
}

func TestWhatIsAskedToWaitWaits(t *testing.T) {
	s := newSite(t)
	var at []time.Time
	c := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		at = append(at, time.Now())
		if n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	sender := s.sender("webhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if len(at) != 2 || at[1].Sub(at[0]) < time.Second {
		t.Errorf("asked at %v", at)
	}
}

func TestACommandGetsTheMessage(t *testing.T) {
	s := newSite(t)
	out := filepath.Join(t.TempDir(), "out")
	sender := s.sender(`command = ["/bin/sh", "-c", "cat >> ` + out + `; echo $HEADROOM_ALERT $HEADROOM_VERDICT $HEADROOM_STEP >> ` + out + `"]`)
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	text := read(t, out)
	if !strings.Contains(text, `"run":"aa"`) || !strings.HasSuffix(text, "collapse empty 40\n") || s.said() != "" {
		t.Errorf("the command got %q, said %q", text, s.said())
	}
	// One text is a line for the shell, in which no text of a message is a word.
	sender = s.sender("command = 'printf \"%s\" \"$HEADROOM_TEXT\" > " + out + "'")
	hostile := collapse("bb", "empty")
	hostile.Text = "$(touch " + out + ".hacked); `id`\n"
	sender.Send(hostile)
	sender.Close(patience)
	if text := read(t, out); text != "$(touch "+out+".hacked); `id`\\n" {
		t.Errorf("the shell got %q", text)
	}
	if _, err := os.Stat(out + ".hacked"); err == nil {
		t.Error("a message was run as a command")
	}
}

// A command that hangs, and a child of its own that holds its output, are killed.
func TestACommandThatHangsIsKilledWithAllThatItStarted(t *testing.T) {
	s := newSite(t)
	s.timeout = time.Second
	pid := filepath.Join(t.TempDir(), "pid")
	sender := s.sender("command = 'sleep 300 & echo $! > " + pid + "; sleep 300'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if !strings.Contains(s.said(), "it did not end in time and was killed") {
		t.Errorf("said %q", s.said())
	}
	child := strings.TrimSpace(read(t, pid))
	late := time.Now().Add(20 * time.Second)
	for {
		state, err := os.ReadFile("/proc/" + child + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("its child %s lives on: %s", child, state)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestACommandThatFailsIsSaid(t *testing.T) {
	s := newSite(t)
	sender := s.sender("command = 'echo no such channel >&2; exit 3'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	missing := s.sender("command = ['/nowhere/notify']")
	missing.Send(collapse("bb", "empty"))
	missing.Close(patience)
	for _, want := range []string{"exit status 3: no such channel", "command notify: it cannot be started: "} {
		if !strings.Contains(s.said(), want) {
			t.Errorf("said %q, which lacks %q", s.said(), want)
		}
	}
}

// Both receivers get the message. A receiver that does not answer does not stop the other, which does not get the
// message again.
func TestOfTwoReceiversEachIsToldOnce(t *testing.T) {
	s := newSite(t)
	out := filepath.Join(t.TempDir(), "out")
	away := true
	c := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		if away {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	table := "webhook = '" + c.URL + "'\ncommand = 'echo once >> " + out + "'"
	sender := s.sender(table)
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	away = false
	s.clock = func() time.Time { return time.Now().Add(time.Hour) }
	s.sender(table).Close(patience)
	if text := read(t, out); text != "once\n" || len(c.messages()) != 5 || len(s.kept(".json")) != 1 {
		t.Errorf("the command was called for %q, the webhook %d times", text, len(c.messages()))
	}
}

func TestADamagedMessageIsSaidAndHarmsNothing(t *testing.T) {
	s, c := newSite(t), newReceiver(t, nil)
	s.root = filepath.Join(s.root, strings.Repeat("a-long-name/", 30)) // the message names the file all the same
	folder := filepath.Join(s.root, alert.Folder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.waiting": "{", "b.waiting": "{}", "c.waiting": `{"message":{"id":"../x","sweep":"demo"}}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s.clock = func() time.Time { return time.Now().Add(time.Hour) }
	sender := s.sender("webhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	for _, want := range []string{"a.waiting", "b.waiting", "c.waiting", "delete the file"} {
		if !strings.Contains(s.said(), want) {
			t.Errorf("said %q, which lacks %q", s.said(), want)
		}
	}
	if len(c.messages()) != 1 {
		t.Errorf("posted %q", c.messages())
	}
}

// A workspace in which nothing can be written still has its alerts.
func TestWithoutAPlaceToRememberItIsSent(t *testing.T) {
	s, c := newSite(t), newReceiver(t, nil)
	if err := os.WriteFile(filepath.Join(s.root, alert.Folder), []byte("in the way"), 0o666); err != nil {
		t.Fatal(err)
	}
	sender := s.sender("webhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if len(c.messages()) != 1 || !strings.Contains(s.said(), "cannot be kept") {
		t.Errorf("posted %d, said %q", len(c.messages()), s.said())
	}
}

func TestEveryUsualKindIsOneThatThereIs(t *testing.T) {
	for _, kind := range sweeps.AlertsUsual() {
		if !slices.Contains(sweeps.AlertKinds(), kind) {
			t.Errorf("%q is usual and is none", kind)
		}
	}
}
