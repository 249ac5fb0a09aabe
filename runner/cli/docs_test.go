package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsInTheDocumentsWork runs every line "$ headroom …" of a console
// block, page by page, in a folder with the sample sweep, its data and a model.
func TestCommandsInTheDocumentsWork(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		commands := consoleCommands(string(text))
		total += len(commands)
		if len(commands) == 0 {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			p, _ := steps(t)
			p.write("small.toml", replaced("[1, 4]", "[1, 4, 8]"))
			t.Chdir(p.dir)
			for _, command := range commands {
				if r := p.run(splitCommand(command)...); r.code != 0 {
					t.Errorf("headroom %s: exit code %d\n%s", command, r.code, r.stderr)
				}
			}
		})
	}
	if total < 20 {
		t.Errorf("only %d commands found in the documents", total)
	}
}

// TestTheTourOfTheReadme runs README's whole tour on one workspace: what it runs at the
// end is a part of what it ran first, and hides none of it.
func TestTheTourOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := steps(t)
	t.Chdir(p.dir)
	again := false
	for _, command := range consoleCommands(string(text)) {
		p.ok(splitCommand(command)...)
		again = again || strings.HasPrefix(command, "run demo seed=1 --only")
	}
	if !again {
		t.Fatal("the tour no longer runs a part of the demo again")
	}
	status := decode[endDocument](t, p.ok("status", "demo", "--json"))
	if len(status.Runs) != 36 || status.Former != 0 {
		t.Errorf("after the tour status has %d runs and %d former ones, want 36 and 0", len(status.Runs), status.Former)
	}
	if out := p.ok("report", "demo", "-o", filepath.Join(p.dir, "again")); !strings.Contains(out, "36 runs: 36 finished, 0 of them collapsed. Sweep demo, revision 0001.\n") {
		t.Errorf("after the tour the report has other runs:\n%s", out)
	}
	if out := p.ok("query", "SELECT sweep, count(*) FROM runs GROUP BY sweep", "--csv"); !strings.Contains(out, "\ndemo,36\n") {
		t.Errorf("after the tour the store has\n%s", out)
	}
}

var (
	consoleBlock  = regexp.MustCompile("(?s)```console\n(.*?)```")
	consoleLine   = regexp.MustCompile(`(?m)^\$ headroom (.*)$`)
	commandsParts = regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)
)

func consoleCommands(text string) []string {
	var commands []string
	for _, block := range consoleBlock.FindAllStringSubmatch(text, -1) {
		for _, line := range consoleLine.FindAllStringSubmatch(block[1], -1) {
			commands = append(commands, line[1])
		}
	}
	return commands
}

// splitCommand splits as a shell does, for what the documents use: plain words
// and words in quotes.
func splitCommand(command string) []string {
	var args []string
	for _, part := range commandsParts.FindAllString(command, -1) {
		if quote := part[:1]; quote == "'" || quote == `"` {
			part = part[1 : len(part)-1]
		}
		args = append(args, part)
	}
	return args
}

// TestLinksInTheDocumentsLeadSomewhere checks the relative links. What the demo
// writes is there once its report is kept.
func TestLinksInTheDocumentsLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil && !strings.HasPrefix(m[1], "docs/demo/") {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}
