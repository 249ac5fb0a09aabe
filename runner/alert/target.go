package alert

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"headroom/sweeps"
)

// target is one receiver: a webhook or a command.
type target interface {
	// name returns where messages go, without parts that could be secret.
	name() string
	// body returns what is sent for a message.
	body(m Message) ([]byte, error)
	// deliver tries once. After an error that is final no further try is made.
	deliver(ctx context.Context, m Message) error
}

// final is an error that another try would only repeat.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// later is an error of a receiver that says when it may be asked again.
type later struct {
	error
	wait time.Duration
}

func (l later) Unwrap() error { return l.error }

// targets returns the receivers of the table [alerts]. Its error is sweeps.Faults.
func targets(a sweeps.Alerts, getenv func(string) string) ([]target, error) {
	var faults sweeps.Faults
	fault := func(key, message, allowed string) {
		faults = append(faults, sweeps.Fault{File: a.File, Key: "alerts." + key, Message: message, Allowed: allowed})
	}
	expand := func(key, text string) string {
		full, missing := expandVariables(text, getenv)
		if len(missing) > 0 {
			fault(key, "needs $"+strings.Join(missing, ", $")+" of the environment, which is not set or empty", "")
		}
		return full
	}
	var list []target
	hook := webhook{contentType: a.ContentType, header: http.Header{}}
	topic := ""
	if a.Webhook != "" {
		at, err := url.Parse(expand("webhook", a.Webhook))
		switch {
		case len(faults) > 0:
		case err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "":
			// The address may hold a secret: what is wrong with it is not quoted.
			fault("webhook", "is no address", "http://HOST/PATH or https://HOST/PATH")
		case a.Template == sweeps.TemplateNtfy:
			path := strings.TrimSuffix(at.Path, "/")
			cut := strings.LastIndexByte(path, '/')
			if topic = path[cut+1:]; cut < 0 || topic == "" {
				fault("webhook", "names no topic, which template \"ntfy\" takes from its end", "https://ntfy.sh/TOPIC")
			}
			at.Path = path[:max(0, cut)] + "/"
		}
		hook.at = at
		for _, text := range a.Headers {
			name, value, _ := strings.Cut(expand("headers", text), ":")
			if value = strings.TrimSpace(value); strings.ContainsAny(value, "\r\n\x00") {
				fault("headers", "of "+name+": the value has the end of a line in it", "")
			}
			hook.header.Set(name, value)
		}
	}
	body, err := newForm(a.Template, topic, a.ContentType)
	if err != nil {
		fault("template", err.Error(), "fields: .ID .Kind .Sweep .Run .Label .Title .Text .Verdict .Step .Host .Time; functions: json, slack and those of text/template")
	}
	if len(faults) > 0 {
		return nil, faults
	}
	if a.Webhook != "" {
		hook.form = body
		hook.client = newClient()
		list = append(list, hook)
	}
	if len(a.Command) > 0 {
		args := a.Command
		if a.Shell {
			args = []string{"/bin/sh", "-c", a.Command[0]}
		}
		list = append(list, program{args: args, form: body})
	}
	return list, nil
}

// expandVariables replaces $NAME by the environment's value; "$$" is a "$".
func expandVariables(text string, getenv func(string) string) (full string, missing []string) {
	full = os.Expand(text, func(name string) string {
		if name == "$" {
			return "$"
		}
		value := getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	})
	return full, missing
}

// brief returns the text of a receiver's error on one line of limited length.
func brief(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:299]) + "…"
	}
	return text
}

// isFinal reports whether another try would fail too.
func isFinal(err error) bool {
	var f final
	return errors.As(err, &f)
}

// retryAfter returns how long a receiver asks to wait before the next try; 0 if it does not
// say.
func retryAfter(err error) time.Duration {
	var l later
	if errors.As(err, &l) {
		return l.wait
	}
	return 0
}

func statusText(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}
