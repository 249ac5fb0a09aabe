package alert_test

import (
	"strings"
	"testing"

	"headroom/runner/alert"
)

func noEnvironment(string) string { return "" }

func TestTemplatesWithNames(t *testing.T) {
	s := newSite(t)
	c := newReceiver(t, nil)
	m := collapse("aa", "empty")
	m.Text = `<!channel> & "quotes"`
	for _, form := range []string{"slack", "ntfy"} {
		sender := s.sender("template = '" + form + "'\nwebhook = '" + c.URL + "/base/my-topic'")
		m.ID = form
		sender.Send(m)
		sender.Close(patience)
	}
	got := c.messages()
	if len(got) != 2 {
		t.Fatalf("posted %q; said %s", got, s.said())
	}
	slack := decode[struct{ Text string }](t, got[0][5:])
	if slack.Text != "*demo: tiny-k1-s1 collapsed (empty)*\n&lt;!channel&gt; &amp; \"quotes\"" || c.paths[0] != "/base/my-topic" {
		t.Errorf("Slack gets %q at %s", slack.Text, c.paths[0])
	}
	// ntfy takes JSON at its root, with the topic in it.
	ntfy := decode[struct {
		Topic, Title, Message string
		Priority              int
		Tags                  []string
	}](t, got[1][5:])
	if ntfy.Topic != "my-topic" || ntfy.Message != m.Text || ntfy.Priority != 4 || ntfy.Tags[0] != "collapse" || c.paths[1] != "/base/" {
		t.Errorf("ntfy gets %+v at %s", ntfy, c.paths[1])
	}
}

func TestATemplateOfOnesOwn(t *testing.T) {
	s := newSite(t)
	c := newReceiver(t, nil)
	sender := s.sender("template = '{{.Label}}: {{.Text}}'\ncontent_type = 'text/plain'\nwebhook = '" + c.URL + "'")
	sender.Send(collapse("aa", "empty"))
	sender.Close(patience)
	if got := c.messages(); len(got) != 1 || got[0] != "POST tiny-k1-s1: empty since step 40" || c.header[0].Get("Content-Type") != "text/plain" {
		t.Errorf("posted %q", got)
	}
}

func TestBadSettingsAreSaidBeforeAnythingRuns(t *testing.T) {
	for table, want := range map[string]string{
		"template = '{{.Nothing}}'\nwebhook = 'http://h/'":                            "alerts.template: of a message of kind \"collapse\" cannot be filled in",
		"template = '{{.Text'\nwebhook = 'http://h/'":                                 "alerts.template: cannot be read",
		"template = '{\"text\": \"{{.Title}}\"}'\nwebhook = 'http://h/'":              "comes to no JSON",
		"template = '{{json .Nope}}'\nwebhook = 'http://h/'":                          "fields: .ID .Kind .Sweep",
		"template = '{{range $i := 100000}}xxxxxxxxxx{{end}}'\nwebhook = 'http://h/'": "at most 65536 are sent",
		"webhook = '$SLACK_WEBHOOK'":                                                  "alerts.webhook: needs $SLACK_WEBHOOK of the environment, which is not set or empty",
		"webhook = 'https://h/'\nheaders = ['Authorization: Bearer ${NTFY_TOKEN}']":   "alerts.headers: needs $NTFY_TOKEN",
		"webhook = 'ftp://h/secret'":                                                  "alerts.webhook: is no address; allowed: http://HOST/PATH",
		"webhook = 'ntfy.sh/secret'":                                                  "alerts.webhook: is no address",
		"webhook = 'https://ntfy.sh/'\ntemplate = 'ntfy'":                             "names no topic",
		"webhook = 'https://ntfy.sh'\ntemplate = 'ntfy'":                              "names no topic",
	} {
		err := alert.Check(settings(t, table), noEnvironment)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "headroom.toml: alerts.") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s\nis refused with %v\nwant %q", table, err, want)
		}
	}
}
