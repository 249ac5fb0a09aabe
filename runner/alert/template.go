package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
	"time"

	"headroom/sweeps"
)

// form turns a message into what is sent.
type form struct {
	template *template.Template // nil for the message as JSON
	json     bool               // the result must be JSON
}

// mostBody is the greatest size of what is sent.
const mostBody = 64 << 10

// namedTemplate returns a template by its name.
func namedTemplate(name, topic string) (text string, ok bool) {
	switch name {
	case sweeps.TemplateSlack:
		return `{"text": {{printf "*%s*\n%s" (slack .Title) (slack .Text) | json}}}`, true
	case sweeps.TemplateNtfy:
		quoted, _ := json.Marshal(topic) // a string is always JSON
		return `{"topic": ` + "{{`" + strings.ReplaceAll(string(quoted), "`", "") + "`}}" + `, "title": {{json .Title}}, "message": {{json .Text}}, ` +
			`"priority": {{if or (eq .Kind "collapse") (eq .Kind "failure")}}4{{else}}3{{end}}, "tags": [{{json .Kind}}]}`, true
	}
	return "", false
}

// newForm reads a template and tries it on a message of every kind.
func newForm(name, topic, contentType string) (form, error) {
	f := form{json: strings.HasPrefix(contentType, "application/json")}
	if name == sweeps.TemplateJSON {
		return f, nil
	}
	text, ok := namedTemplate(name, topic)
	if !ok {
		text = name
	}
	parsed, err := template.New("alerts").Funcs(template.FuncMap{"json": quoteJSON, "slack": escapeSlack}).Parse(text)
	if err != nil {
		return f, fmt.Errorf("cannot be read: %s", problem(err))
	}
	f.template = parsed
	for _, kind := range append(sweeps.AlertKinds(), Trial) {
		m := Message{Kind: kind, Sweep: "a \"sweep\"", Label: "<label>", Title: "it's\\", Text: "text & text", Time: time.Unix(0, 0).UTC(), Step: -1}
		if _, err := f.body(m.clean()); err != nil {
			return f, fmt.Errorf("of a message of kind %q %s", kind, problem(err))
		}
	}
	return f, nil
}

// problem returns the text of a template's error without the package's prefix.
func problem(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "template: "), "alerts:")
}

// body returns what is sent for a message.
func (f form) body(m Message) ([]byte, error) {
	if f.template == nil {
		return json.Marshal(m)
	}
	var out bytes.Buffer
	if err := f.template.Execute(&out, m); err != nil {
		return nil, fmt.Errorf("cannot be filled in: %s", problem(err))
	}
	switch {
	case out.Len() > mostBody:
		return nil, fmt.Errorf("comes to %d bytes; at most %d are sent", out.Len(), mostBody)
	case f.json && !json.Valid(out.Bytes()):
		return nil, fmt.Errorf("comes to no JSON: %.200s (texts need {{json .Text}}; for another form than JSON set alerts.content_type)", out.String())
	}
	return out.Bytes(), nil
}

func quoteJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// escapeSlack keeps a text from being markup for Slack.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
