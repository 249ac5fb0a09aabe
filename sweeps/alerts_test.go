package sweeps_test

import (
	"slices"
	"strings"
	"testing"

	"headroom/sweeps"
)

func TestAlertKeys(t *testing.T) {
	site, err := sweeps.ParseSite("headroom.toml", []byte(`[alerts]
on = "failure"
webhook = "https://ntfy.sh/runs"
headers = ["Authorization: Bearer $TOKEN"]
command = ["notify-send", "headroom"]
template = "{{.Text}}"
content_type = "text/plain; charset=utf-8"
stall = 600
`))
	if err != nil {
		t.Fatal(err)
	}
	a := site.Alerts
	if a.File != "headroom.toml" || !slices.Equal(a.On, []string{"failure"}) || a.Webhook != "https://ntfy.sh/runs" || len(a.Headers) != 1 ||
		!slices.Equal(a.Command, []string{"notify-send", "headroom"}) || a.Shell || a.Template != "{{.Text}}" || a.ContentType != "text/plain; charset=utf-8" || a.Stall != 600 {
		t.Errorf("alerts are %+v", a)
	}
	usual, err := sweeps.ParseSite("headroom.toml", []byte("[alerts]\ncommand = 'mail -s headroom me'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a := usual.Alerts; !slices.Equal(a.On, []string{"collapse", "failure", "stall", "end"}) || a.Template != "json" || a.ContentType != "application/json" || a.Stall != 60 || !a.Shell {
		t.Errorf("by default alerts are %+v", a)
	}
}

func TestWhatAlertKeysRefuse(t *testing.T) {
	for text, want := range map[string]string{
		"[alerts]\n":                                               "alerts.webhook, alerts.command: one of them, or both, says who is told",
		"[alerts]\nwebhok = 'x'\n":                                 "headroom.toml: alerts.webhok = \"x\": unknown key; allowed: alerts.on, alerts.webhook",
		"[alerts]\nWebhook = 'x'\n":                                "unknown key",
		"alerts = 3\n":                                             "alerts = 3: is not a table",
		"[[alerts]]\nwebhook = 'x'\n":                              "is not a table",
		"[alerts]\nwebhook = ''\n":                                 "alerts.webhook",
		"[alerts]\nwebhook = 3\n":                                  "is an integer",
		"[alerts]\ncommand = []\n":                                 "is empty",
		"[alerts]\ncommand = ['', 'x']\n":                          "names no program",
		"[alerts]\ncommand = [1]\n":                                "alerts.command",
		"[alerts]\ncommand = 'x'\non = ['colapse']\n":              "element 1 is \"colapse\", which is no kind of event; allowed: collapse, failure, stall, done, end",
		"[alerts]\ncommand = 'x'\nstall = 0\n":                     "is out of range; allowed: seconds, 1 to 86400",
		"[alerts]\ncommand = 'x'\nstall = '1m'\n":                  "is a string",
		"[alerts]\ncommand = 'x'\ntemplate = 'teams'\n":            "is no template; allowed: \"json\", \"slack\", \"ntfy\"",
		"[alerts]\nwebhook = 'x'\nheaders = ['no header']\n":       "element 1 is no header",
		"[alerts]\nwebhook = 'x'\nheaders = [\"A: b\\nC: d\"]\n":   "element 1 is no header",
		"[alerts]\ncommand = 'x'\nheaders = ['A: b']\n":            "there is no webhook",
		"[alerts]\ncommand = 'x'\ntemplate = 'ntfy'\n":             "takes the topic from the webhook's address",
		"[alerts]\ncommand = 'x'\ncontent_type = \"a/b\\r\\nX\"\n": "is no type of content",
	} {
		_, err := sweeps.ParseSite("headroom.toml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis refused with %v\nwant %q", text, err, want)
		}
	}
	_, err := sweeps.Parse("small.toml", []byte("name = 'small'\n[alerts]\nwebhook = 'x'\n"))
	if err == nil || !strings.Contains(err.Error(), "alerts.webhook: is not allowed in a sweep's file; allowed: [alerts] in headroom.toml") {
		t.Errorf("a sweep's file with alerts is refused with %v", err)
	}
}
