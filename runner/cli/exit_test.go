package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"headroom/runner/cli"
)

// TestEachExitCodeOfTheTable covers each row that help prints.
func TestEachExitCodeOfTheTable(t *testing.T) {
	cases := map[int]func(t *testing.T) result{
		0: func(t *testing.T) result {
			return newPlace(t).run("version")
		},
		1: func(t *testing.T) result { // the work is done, and what it found cannot be written
			p := newPlace(t)
			p.out = full{}
			return p.run("version")
		},
		2: func(t *testing.T) result {
			return newPlace(t).run("plan", "no-such-sweep")
		},
		3: func(t *testing.T) result {
			p := newPlace(t)
			sweep := p.sample()
			p.ok("run", sweep, "model.rescale=1", "seed=1")
			var failing string
			for _, run := range decode[struct{ Runs []struct{ ID, State string } }](t, p.ok("plan", sweep, "--json")).Runs {
				if run.State == "new" {
					failing = run.ID
				}
			}
			p.extra = []string{"FAKE_FAIL=" + failing}
			return p.run("run", sweep)
		},
		130: func(t *testing.T) result {
			p := newPlace(t)
			sweep := p.sample()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			p.ctx = ctx
			return p.run("run", sweep)
		},
	}
	for code, provoke := range cases {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			r := provoke(t)
			if r.code != code {
				t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.stdout, r.stderr)
			}
			if code != 0 && !strings.HasPrefix(r.stderr, "headroom: ") && !strings.Contains(r.stderr, "\nheadroom: ") {
				t.Errorf("standard error does not begin with the program's name: %s", r.stderr)
			}
		})
	}
	var printed []int
	for _, m := range regexp.MustCompile(`(?m)^  (\d+) +\S`).FindAllStringSubmatch(newPlace(t).ok("help"), -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, n)
	}
	slices.Sort(printed)
	if want := []int{0, 1, 2, 3, 130}; !slices.Equal(printed, want) {
		t.Errorf("help prints the codes %v, want %v", printed, want)
	}
}

func TestHelpIsThis(t *testing.T) {
	p := newPlace(t)
	var b strings.Builder
	for _, command := range cli.Commands() {
		args := append(strings.Fields(command), "--help")
		b.WriteString("$ headroom " + strings.Join(args, " ") + "\n" + p.ok(args...) + "\n")
	}
	golden(t, "help.golden", b.String())
}

func TestQuietAndNoColorKeepStandardErrorAndEscapesAway(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	if r := p.run("run", sweep, "--quiet"); r.code != 0 || r.stderr != "" {
		t.Errorf("exit code %d, standard error %q", r.code, r.stderr)
	}
	p.width = 100
	run := decode[endDocument](t, lastOf(p.ok("run", sweep, "--json"))).Runs[0].ID
	if out := p.ok("show", run[:10]); !strings.Contains(out, "\x1b[") {
		t.Errorf("no colour on a terminal: %q", out)
	}
	if out := p.ok("show", run[:10], "--no-color"); strings.Contains(out, "\x1b[") {
		t.Errorf("colour with --no-color: %q", out)
	}
	p.extra = []string{"NO_COLOR=1"}
	if out := p.ok("show", run[:10]); strings.Contains(out, "\x1b[") {
		t.Errorf("colour with NO_COLOR: %q", out)
	}
}

func lastOf(lines string) string {
	all := strings.Split(strings.TrimSpace(lines), "\n")
	return all[len(all)-1]
}

func TestPlanMakesNoWorkspace(t *testing.T) {
	p := newPlace(t)
	p.ok("plan", p.sample())
	if _, err := os.Stat(filepath.Join(p.dir, "ws")); err == nil {
		t.Error("plan made the workspace")
	}
}
