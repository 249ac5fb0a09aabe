// Package alert tells people what happens to runs: by a request to an address or by a
// command, as [alerts] of the site's file says.
//
// Contract. Nothing here holds up a run: Send returns at once, and what it was given is
// delivered by one goroutine, in order, with few tries of bounded length. Each message is
// first written into the workspace's folder alerts, under the message's id: what has a file
// there is not sent again, so that a run that goes on from a checkpoint says nothing twice.
// A message whose process was killed, or whose receiver was away, stays there as waiting,
// and the next Sender of the sweep delivers it, for a day. It may then come twice; its id
// tells that it is the same.
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
	// Title says it in a few words, Text in a sentence.
	Title string `json:"title"`
	Text  string `json:"text"`
	// Verdict is the kind of collapse, or a finished run's verdict; "" if there is none.
	Verdict string `json:"verdict"`
	// Step is where it happened, -1 if that makes no sense.
	Step int       `json:"step"`
	Host string    `json:"host"`
	Time time.Time `json:"time"`
}

// Trial is the kind of a message that only tries the way.
const Trial = "trial"

const (
	// longest is how many characters of a text are sent.
	longest = 1000
	schema  = 1
)

// clean makes texts of others harmless, and bounds them.
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

// once returns a new id for each event of a kind that can repeat.
func once(kind, what string, at time.Time) string {
	return fmt.Sprintf("%s-%s-%d", kind, what, at.UnixNano())
}

// End says that a sweep is over, or where runs are left that were not asked for, that what
// was asked for is; counts is what became of its runs, in words.
func End(sweep, host, counts string, failed, left int, at time.Time) Message {
	title := sweep + " is over"
	if left > 0 {
		title = sweep + ": what was asked for is over"
	}
	if failed > 0 {
		title += fmt.Sprintf(", %d failed", failed)
	}
	return Message{ID: once(sweeps.AlertEnd, sweep, at), Kind: sweeps.AlertEnd, Sweep: sweep, Title: title, Text: counts, Step: -1, Host: host, Time: at.UTC()}
}

// Try is a message that tries the way to whoever is told.
func Try(host string, at time.Time) Message {
	return Message{ID: once(Trial, "headroom", at), Kind: Trial, Title: "headroom: a trial", Text: "This is how alerts of headroom come.", Step: -1, Host: host, Time: at.UTC()}
}
