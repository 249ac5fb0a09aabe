// Package alert sends messages about runs to people: by a request to an address or by a
// command, as configured in [alerts] of the site's file.
//
// Contract. Alerts never delay a run: Send returns at once, and one goroutine delivers the
// messages in order, with a few tries of limited time. Each message is first written into
// the workspace's folder alerts, under its id. A message with a file there is not sent
// again, so that a resumed run sends nothing twice. If the process is killed or the
// receiver does not answer, the message waits there, and the next Sender of the sweep
// delivers it, for a day. A receiver may then get it twice, with the same id.
package alert

import (
	"fmt"
	"time"

	"headroom/internal/plain"
	"headroom/sweeps"
)

// Message is one thing that happened. Its fields are those of the JSON body and of templates.
type Message struct {
	Schema int `json:"schema"`
	// ID is the same for the same event, however often it is sent.
	ID string `json:"id"`
	// Kind is one of sweeps.AlertKinds, or Trial.
	Kind  string `json:"kind"`
	Sweep string `json:"sweep"`
	// Run is the id of the run, or of another job; "" if the message is of the sweep.
	Run   string `json:"run"`
	Label string `json:"label"`
	// Title is a few words, Text a sentence.
	Title string `json:"title"`
	Text  string `json:"text"`
	// Verdict is the kind of collapse, or a finished run's verdict; "" if there is none.
	Verdict string `json:"verdict"`
	// Step is the step at which it happened, -1 if it has none.
	Step int       `json:"step"`
	Host string    `json:"host"`
	Time time.Time `json:"time"`
}

// Trial is the kind of a test message.
const Trial = "trial"

const (
	// longest is the number of characters of a text that are sent.
	longest = 1000
	schema  = 1
)

// clean removes control characters from the texts, and shortens them.
func (m Message) clean() Message {
	m.Schema = schema
	for _, text := range []*string{&m.Sweep, &m.Label, &m.Title, &m.Text, &m.Host} {
		*text = plain.Line(*text)
		if runes := []rune(*text); len(runes) > longest {
			*text = string(runes[:longest-1]) + "…"
		}
	}
	return m
}

// uniqueID returns a new id for each event of a kind that can repeat.
func uniqueID(kind, what string, at time.Time) string {
	return fmt.Sprintf("%s-%s-%d", kind, what, at.UnixNano())
}

// End returns the message that a sweep is over, or, if runs are left that this command was
// not to do, that the command is over. counts says in words how its runs ended.
func End(sweep, host, counts string, failed, left int, at time.Time) Message {
	title := sweep + " is over"
	if left > 0 {
		title = sweep + ": what was asked for is over"
	}
	if failed > 0 {
		title += fmt.Sprintf(", %d failed", failed)
	}
	return Message{ID: uniqueID(sweeps.AlertEnd, sweep, at), Kind: sweeps.AlertEnd, Sweep: sweep, Title: title, Text: counts, Step: -1, Host: host, Time: at.UTC()}
}

// Try returns a test message.
func Try(host string, at time.Time) Message {
	return Message{ID: uniqueID(Trial, "headroom", at), Kind: Trial, Title: "headroom: a trial", Text: "This is how alerts of headroom come.", Step: -1, Host: host, Time: at.UTC()}
}
