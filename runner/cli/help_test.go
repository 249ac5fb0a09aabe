package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/runner/cli"
)

func TestHelpShowsThePagesOfTheDocuments(t *testing.T) {
	p := newPlace(t)
	page, err := os.ReadFile("../../docs/collapse.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"collapse", "collapse.md"} {
		if got := p.ok("help", topic); got != string(page) {
			t.Errorf("help %s is not the page:\n%s", topic, got)
		}
	}
	if got := decode[struct{ Topic, Text string }](t, p.ok("help", "collapse", "--json")); got.Topic != "collapse" || got.Text != string(page) {
		t.Errorf("help --json: %q", got)
	}
	// probe is a command and a page.
	if got := p.ok("help", "probe"); !strings.Contains(got, "headroom probe MODEL") || !strings.Contains(got, "headroom help probe.md") {
		t.Errorf("help probe:\n%s", got)
	}
	if got := p.ok("help", "probe.md"); !strings.HasPrefix(got, "# probe") {
		t.Errorf("help probe.md:\n%s", got)
	}
	if got, want := p.ok("help", "db", "check"), p.ok("db", "check", "--help"); got != want {
		t.Errorf("help db check:\n%s\nwant\n%s", got, want)
	}
	p.refused([]string{"help", "colapse"}, `"colapse"`, `did you mean "collapse"?`, "topics are alerts, architecture, ")
}

func TestAWordThatIsNoneIsComparedWithThoseThatAre(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		line, want string
	}{
		{"statsu", `unknown command "statsu" for "headroom"; did you mean "status"?`},
		{"eval", `did you mean "evaluate"?`},
		{"db rebiuld", `unknown command "rebiuld" for "headroom db"; did you mean "rebuild"?`},
		{"completion bahs", `did you mean "bash"?`},
		{"plan demo --onyl seed=1", `unknown flag: --onyl; did you mean "--only"?`},
		{"run demo --slot 2", `did you mean "--slots"?`},
		{"plan demo --jason", `did you mean "--json"?`},
	} {
		p.refused(strings.Fields(c.line), c.want)
	}
	for _, line := range []string{"xy", "db xy", "plan demo --zzzzzz", "plan demo -z"} {
		if r := p.run(strings.Fields(line)...); r.code != 2 || strings.Contains(r.stderr, "did you mean") {
			t.Errorf("headroom %s: exit code %d\n%s", line, r.code, r.stderr)
		}
	}
	for _, hidden := range []string{"worke"} { // what help hides is not suggested
		if r := p.run(hidden); r.code != 2 || strings.Contains(r.stderr, "did you mean") {
			t.Errorf("headroom %s: exit code %d\n%s", hidden, r.code, r.stderr)
		}
	}
}

func TestTheVersionIsSaidByCommandAndByFlag(t *testing.T) {
	p := newPlace(t)
	long := p.ok("version")
	if !strings.HasPrefix(long, "headroom "+cli.Version+" (") {
		t.Errorf("version prints %q", long)
	}
	if got := p.ok("--version"); got != long {
		t.Errorf("--version prints %q, version %q", got, long)
	}
	if got := decode[struct{ Version string }](t, p.ok("--version", "--json")); got.Version != cli.Version {
		t.Errorf("--version --json has version %q", got.Version)
	}
}

// completions are the words that the program gives a shell.
func (p *place) completions(args ...string) []string {
	p.t.Helper()
	var offered []string
	for _, line := range strings.Split(p.ok(append([]string{"__complete"}, args...)...), "\n") {
		if strings.HasPrefix(line, ":") { // the directive, which is the last
			return offered
		}
		word, _, _ := strings.Cut(line, "\t")
		offered = append(offered, word)
	}
	p.t.Fatalf("__complete %q gives no directive", args)
	return nil
}

func TestSweepsRunsKeysMeasuresAndCollectionsAreCompleted(t *testing.T) {
	p := newPlace(t)
	if got := p.completions("show", ""); len(got) > 0 {
		t.Errorf("runs of no workspace: %q", got)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "ws")); err == nil {
		t.Error("completion made the workspace")
	}
	sweep := p.sample()
	p.ok("run", sweep, "seed=1")
	labels := strings.Fields(strings.ReplaceAll(p.ok("query", "SELECT label FROM runs WHERE state = 'done' ORDER BY label", "--csv"), "label\n", ""))
	if len(labels) == 0 {
		t.Fatal("no run is done")
	}
	p.write("data/beir/tiny/corpus.jsonl", "")
	p.extra = []string{"HEADROOM_DATA=" + filepath.Join(p.dir, "data")}
	name := decode[struct{ Sweep string }](t, lastOf(p.ok("run", sweep, "seed=1", "--json"))).Sweep
	for _, c := range []struct {
		line []string
		want []string
	}{
		{[]string{"show", ""}, labels},
		{[]string{"show", labels[0]}, labels[:1]},
		{[]string{"show", labels[0], ""}, nil},
		{[]string{"diff", labels[0], labels[0]}, labels[:1]},
		{[]string{"evaluate", "--run", labels[0]}, labels[:1]},
		{[]string{"status", name}, []string{name}},
		{[]string{"plan", "dem"}, []string{"demo"}},
		{[]string{"plan", "demo", "train.st"}, []string{"train.steps="}},
		{[]string{"plan", "demo", "--only", "see"}, []string{"seed="}},
		{[]string{"evaluate", "qrels", "run", "nD"}, []string{"nDCG", "nDCG@", "nDCG@10"}},
		{[]string{"evaluate", "--model", "m", "--on", "data:"}, []string{"data:beir/tiny"}},
		{[]string{"evaluate", "--model", "m", "--on", "one", "builtin:demo-"}, []string{"builtin:demo-no-overlap"}},
		{[]string{"evaluate", "--model", "m", "--on", "beir:scif"}, []string{"beir:scifact"}},
		{[]string{"data", "get", "trec-dl:"}, []string{"trec-dl:19", "trec-dl:20"}},
		{[]string{"data", "where", "beir:1"}, []string{"beir:13"}},
		{[]string{"prepare", "rescale-m"}, []string{"rescale-mini"}},
		{[]string{"vectors", labels[0]}, labels[:1]},
		{[]string{"vectors", labels[0], "--on", "nano:scif"}, []string{"nano:scifact"}},
		{[]string{"mine", "builtin:demo-"}, []string{"builtin:demo-no-overlap"}},
		{[]string{"pretrain", "demo-b"}, []string{"demo-bert"}},
		{[]string{"help", "colla"}, []string{"collapse"}},
		{[]string{"statu"}, []string{"status"}},
	} {
		if got := p.completions(c.line...); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.line, got, c.want)
		}
	}
}

func TestEachShellGetsAScriptThatItCanRead(t *testing.T) {
	p := newPlace(t)
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			script := p.ok("completion", shell)
			if !strings.Contains(script, "__complete") {
				t.Fatalf("the script asks no program:\n%.200s", script)
			}
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not here to read its script", shell)
			}
			if out, err := exec.Command(program, "-n", p.write(shell+".script", script)).CombinedOutput(); err != nil {
				t.Errorf("%s -n: %v\n%s", shell, err, out)
			}
		})
	}
}
