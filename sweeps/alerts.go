package sweeps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Alerts is the table [alerts] of a site's file: which messages about runs are sent, and to whom. Nothing
// in it changes a run.
type Alerts struct {
	// File is the file that has the table.
	File string
	// On are the kinds of events that are sent; by default AlertsUsual.
	On []string
	// Webhook is the address that a POST goes to, "" for none; $NAME in it and in Headers is
	// the environment's.
	Webhook string
	// Headers are further headers of that request, as "Name: value".
	Headers []string
	// Command is a program with its arguments, or one text for the shell; none for none.
	Command []string
	// Shell is true if Command is one text for the shell.
	Shell bool
	// Template is what is sent: "json", "slack", "ntfy", or a text/template.
	Template string
	// ContentType is the Content-Type of what is sent.
	ContentType string
	// Stall is the least silence in seconds that is called a stall.
	Stall int
}

// The kinds of events in AlertKinds.
const (
	AlertCollapse = "collapse" // a run has collapsed
	AlertFailure  = "failure"  // a job failed
	AlertStall    = "stall"    // a run in training is silent
	AlertDone     = "done"     // a run is done
	AlertEnd      = "end"      // a sweep is over
)

// AlertKinds are the kinds of events that can be sent.
func AlertKinds() []string {
	return []string{AlertCollapse, AlertFailure, AlertStall, AlertDone, AlertEnd}
}

// AlertsUsual are the kinds of a table without the key on.
func AlertsUsual() []string {
	return []string{AlertCollapse, AlertFailure, AlertStall, AlertEnd}
}

// The templates that have names.
const (
	TemplateJSON  = "json"
	TemplateSlack = "slack"
	TemplateNtfy  = "ntfy"
)

var (
	alertHeader = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+:[^\r\n\x00]*$`)
	alertType   = regexp.MustCompile(`^[a-z]+/[A-Za-z0-9.+-]+(; *[a-z]+=[A-Za-z0-9-]+)?$`)
)

// readAlerts reads a key of [alerts].
func (s *Site) readAlerts(doc *document, l leaf, faults *Faults) {
	if len(l.path) == 1 {
		if !l.table {
			faults.add(Fault{File: doc.file, Key: "alerts", Value: shortText(doc.any(l.value)), Message: "is not a table"})
			return
		}
		s.Alerts = newAlerts(doc.file)
		return
	}
	if s.Alerts == nil {
		s.Alerts = newAlerts(doc.file)
	}
	a := s.Alerts
	fault := func(message, allowed string) {
		faults.add(Fault{File: doc.file, Key: l.key(), Value: shortText(doc.any(l.value)), Message: message, Allowed: allowed})
	}
	list := func(allowed string, wrong func(string) string) []string {
		var texts References
		if err := doc.md.PrimitiveDecode(l.value, &texts); err != nil {
			fault("is "+kindOf(doc.any(l.value)), allowed)
			return nil
		}
		if len(texts) == 0 {
			fault("is empty", allowed)
		}
		for i, text := range texts {
			if problem := wrong(text); problem != "" {
				fault(fmt.Sprintf("element %d %s", i+1, problem), allowed)
			}
		}
		return texts
	}
	switch l.key() {
	case "alerts.on":
		a.On = list(strings.Join(AlertKinds(), ", "), func(text string) string {
			if !slices.Contains(AlertKinds(), text) {
				return fmt.Sprintf("is %q, which is no kind of event", text)
			}
			return ""
		})
	case "alerts.webhook":
		a.Webhook = doc.string(l, `an address such as "https://ntfy.sh/TOPIC" or "$NAME" of the environment`, notEmpty, faults)
	case "alerts.headers":
		a.Headers = list(`texts such as "Authorization: Bearer $TOKEN"`, func(text string) string {
			if !alertHeader.MatchString(text) {
				return "is no header"
			}
			return ""
		})
	case "alerts.command":
		a.Command = list("a line for the shell, or an array of a program and its arguments", func(text string) string {
			if strings.ContainsRune(text, 0) {
				return "holds a NUL"
			}
			return ""
		})
		_, a.Shell = doc.any(l.value).(string)
		if len(a.Command) > 0 && strings.TrimSpace(a.Command[0]) == "" {
			fault("names no program", "a line for the shell, or an array of a program and its arguments")
		}
	case "alerts.template":
		const allowed = `"json", "slack", "ntfy", or a template of Go such as '{"text": {{json .Text}}}'`
		a.Template = doc.string(l, allowed, func(text string) string {
			if text != TemplateJSON && text != TemplateSlack && text != TemplateNtfy && !strings.Contains(text, "{{") {
				return "is no template"
			}
			return ""
		}, faults)
	case "alerts.content_type":
		a.ContentType = doc.string(l, `such as "text/plain"`, func(text string) string {
			if !alertType.MatchString(text) {
				return "is no type of content"
			}
			return ""
		}, faults)
	case "alerts.stall":
		const allowed = "seconds, 1 to 86400"
		if err := doc.md.PrimitiveDecode(l.value, &a.Stall); err != nil {
			fault("is "+kindOf(doc.any(l.value)), allowed)
		} else if a.Stall < 1 || a.Stall > 86400 {
			fault("is out of range", allowed)
		}
	default:
		keys := alertKeys()
		faults.add(Fault{File: doc.file, Key: l.key(), Value: shortText(doc.any(l.value)), Message: "unknown key", Allowed: strings.Join(keys, ", "), Near: nearest(l.key(), keys)})
	}
}

func newAlerts(file string) *Alerts {
	return &Alerts{File: file, On: AlertsUsual(), Template: TemplateJSON, ContentType: "application/json", Stall: 60}
}

func alertKeys() []string {
	return []string{"alerts.on", "alerts.webhook", "alerts.headers", "alerts.command", "alerts.template", "alerts.content_type", "alerts.stall"}
}

// check finds keys of the table that need another key.
func (a *Alerts) check(faults *Faults) {
	switch {
	case a.Webhook == "" && len(a.Command) == 0:
		faults.add(Fault{File: a.File, Key: "alerts.webhook, alerts.command", Message: "one of them, or both, says who is told", Allowed: "webhook, command"})
	case a.Webhook == "" && len(a.Headers) > 0:
		faults.add(Fault{File: a.File, Key: "alerts.headers", Message: "are of the webhook's request, and there is no webhook"})
	case a.Webhook == "" && a.Template == TemplateNtfy:
		faults.add(Fault{File: a.File, Key: "alerts.template", Message: "takes the topic from the webhook's address, and there is no webhook"})
	}
}
