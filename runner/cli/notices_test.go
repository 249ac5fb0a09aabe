package cli_test

import (
	"slices"
	"strings"
	"testing"
)

// Settings that are seldom meant are named on standard error and in the document, and nothing is refused for them.
func TestNoticesAreSaidByPlanAndRun(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	const want = "checkpoint.every = 100 is more than train.steps = 6"
	r := p.run("plan", sweep, "checkpoint.every=100", "--json")
	notices := decode[struct{ Notices []string }](t, r.stdout).Notices
	if r.code != 0 || len(notices) != 1 || !strings.HasPrefix(notices[0], want) || !strings.Contains(r.stderr, want) {
		t.Errorf("%+v", r)
	}
	if r := p.run("plan", sweep, "checkpoint.every=100", "--quiet"); r.code != 0 || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	if r := p.run("plan", sweep, "--json"); r.code != 0 || r.stderr != "" || !slices.Equal(decode[struct{ Notices []string }](t, r.stdout).Notices, []string{}) {
		t.Errorf("%+v", r)
	}
	if r := p.run("run", sweep, "checkpoint.every=100"); r.code != 0 || !strings.Contains(r.stderr, want) {
		t.Errorf("%+v", r)
	}
}

// Data that no batch can be made of would end each worker at its first step.
func TestDataThatNoBatchCanBeMadeOfIsRefused(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	rows := "query\tpositive\n"
	for _, word := range words {
		rows += "red\t" + word + "\n"
	}
	file := p.write("one.tsv", rows)
	for _, command := range []string{"plan", "run"} {
		p.refused([]string{command, sweep, "data.train=" + file}, "train.batch = 4", "only 1 of the 20 examples", "one.tsv:2 and", "one.tsv:3")
	}
	p.ok("run", sweep, "data.train="+file, "data.order=file")
}
