package cli_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ofSweep is what claims SWEEP --json prints.
type ofSweep struct {
	Schema int `json:"schema"`
	Claims []struct {
		ID, Text, Source, Verdict, Why string
		Predicted                      *string
		Observed                       *float64
		Interval                       *[2]float64
		P                              *float64
		Queries, Seeds                 int
	} `json:"claims"`
}

const sweepClaims = `
[[claim]]
id        = "same"
text      = "Both factors score alike."
source    = "a test"
kind      = "equal"
points    = "model.rescale=4"
against   = "model.rescale=1"
on        = "./data"
measure   = "nDCG@10"
tolerance = 1.0
predicted = "OK"

[[claim]]
id     = "collapse"
text   = "Every run collapses."
source = "a test"
kind   = "collapses"
points = "model.rescale=1"
share  = 1

[[claim]]
id        = "number"
text      = "A number that nobody knows."
source    = "a test"
kind      = "value"
points    = "model.rescale=4"
on        = "./data"
measure   = "nDCG@10"
tolerance = 0.01

[[claim]]
id      = "elsewhere"
text    = "It helps elsewhere."
source  = "a test"
kind    = "better"
points  = "model.rescale=4"
against = "model.rescale=1"
on      = "beir:13"
measure = "nDCG@10"
`

// TestClaimsAboutASweep: verdicts and figures of a sweep that was run, with what was
// predicted before it.
func TestClaimsAboutASweep(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	sweep := p.sample()
	p.write("claims.toml", sweepClaims)
	p.write("small.toml", `claims = "claims.toml"`+"\n"+smallSweep)
	// Before it runs nothing is there, and nothing is written.
	before := decode[ofSweep](t, p.ok("claims", sweep, "--json"))
	for i, want := range []string{"not run", "not run", "unknown", "not run"} {
		if got := before.Claims[i]; got.Verdict != want {
			t.Errorf("before: %+v, want %s", got, want)
		}
	}
	// What a sweep can show is not known before it ran, nor by so few queries.
	p.ok("plan", sweep)
	if out := p.ok("plan", sweep, "--power"); !strings.Contains(out, "not known yet") {
		t.Errorf("plan --power says %q", out)
	}
	p.ok("run", sweep)
	power := decode[struct {
		Power *struct {
			Known bool
			More  []int
		}
	}](t, p.ok("plan", sweep, "--power", "--json")).Power
	if power == nil || power.Known || power.More == nil {
		t.Errorf("plan --power --json has %+v", power)
	}
	after := decode[ofSweep](t, p.ok("claims", sweep, "--json"))
	same, collapse, number, elsewhere := after.Claims[0], after.Claims[1], after.Claims[2], after.Claims[3]
	rows := decode[struct{ Rows []struct{ Value float64 } }](t, p.ok("query", "SELECT avg(value) AS value FROM scores JOIN runs USING (run) WHERE measure = 'nDCG@10' AND split = 'test' GROUP BY rescale ORDER BY rescale", "--json")).Rows
	if len(rows) != 2 {
		t.Fatalf("scores %+v", rows)
	}
	if number.Verdict != "unknown" || number.Observed == nil || math.Abs(*number.Observed-rows[1].Value) > 1e-12 || number.Seeds != 2 {
		t.Errorf("%+v, the store has %v", number, rows)
	}
	if same.Observed == nil || math.Abs(*same.Observed-(rows[1].Value-rows[0].Value)) > 1e-12 || same.Seeds != 2 || same.P != nil {
		t.Errorf("%+v, the store has %v", same, rows)
	}
	if same.Predicted == nil || *same.Predicted != "OK" || !strings.Contains(same.Why, "with 0 of 4 runs finished (sha256:") {
		t.Errorf("predicted: %+v", same)
	}
	if collapse.Verdict != "FAIL" || *collapse.Observed != 0 || collapse.Interval == nil || collapse.Interval[0] != 0 {
		t.Errorf("%+v", collapse)
	}
	if elsewhere.Verdict != "not run" || elsewhere.Predicted != nil {
		t.Errorf("%+v", elsewhere)
	}
	// The report has the same verdicts, a part of the sweep has none.
	p.ok("report", sweep, "-o", filepath.Join(p.dir, "out"), "--paper")
	table, err := os.ReadFile(filepath.Join(p.dir, "out", "claims.csv"))
	if err != nil || !strings.Contains(string(table), "\ncollapse,FAIL,") || !strings.Contains(string(table), "\nelsewhere,not run,") {
		t.Errorf("claims.csv: %v %s", err, table)
	}
	if page, err := os.ReadFile(filepath.Join(p.dir, "out", "report.html")); err != nil || !strings.Contains(string(page), "4 claims: ") || !strings.Contains(string(page), "Hotpot QA") {
		t.Errorf("report.html lacks claims or the paper's columns: %v", err)
	}
	p.ok("report", sweep, "-o", filepath.Join(p.dir, "part"), "seed=1")
	if _, err := os.Stat(filepath.Join(p.dir, "part", "claims.csv")); err == nil {
		t.Error("claims about a whole sweep stand in the report on a part")
	}
	// A prediction that changed after the run is shown as changed.
	p.write("claims.toml", strings.Replace(sweepClaims, `predicted = "OK"`, `predicted = "FAIL"`, 1))
	if got := decode[ofSweep](t, p.ok("claims", "small", "--json")).Claims[0]; *got.Predicted != "OK" || !strings.Contains(got.Why, `the file now predicts "FAIL"`) {
		t.Errorf("changed: %+v", got)
	}
	p.ok("run", sweep)
	if got := decode[ofSweep](t, p.ok("claims", "small", "--json")).Claims[0]; *got.Predicted != "FAIL" || !strings.Contains(got.Why, "with 4 of 4 runs finished") || !strings.Contains(got.Why, ", OK") {
		t.Errorf("recorded again: %+v", got)
	}
	text := p.ok("claims", "small")
	for _, want := range []string{"claim      verdict  predicted", "same       ", "collapse   FAIL     -          0.000", "\nnumber, unknown: A number that nobody knows.\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	var members struct{ Claims []map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(p.ok("claims", "small", "--json")), &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("id text source verdict why predicted observed interval p queries seeds") {
		if _, ok := members.Claims[3][name]; !ok || len(members.Claims[3]) != 11 {
			t.Errorf("%q is not in %v", name, members.Claims[3])
		}
	}
}

func TestASweepsClaimsAreReadBeforeItRuns(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.write("small.toml", `claims = "none.toml"`+"\n"+smallSweep)
	for _, command := range []string{"plan", "run", "claims"} {
		p.refused([]string{command, sweep}, `claims = "none.toml"`, filepath.Join(p.dir, "none.toml"), "allowed: a file")
	}
	p.write("none.toml", strings.Replace(sweepClaims, "share ", "shares", 1))
	for _, command := range []string{"plan", "run", "claims"} {
		p.refused([]string{command, sweep}, "claim.shares: unknown key", `claim "collapse": share: is missing`)
	}
	p.write("none.toml", strings.Replace(sweepClaims, "model.rescale=4", "model.rescal=4", 1))
	p.refused([]string{"claims", sweep}, "model.rescal: unknown key", `did you mean "model.rescale"?`)
	p.write("small.toml", "claims = 5\n"+smallSweep)
	p.refused([]string{"plan", sweep}, "claims", "a TOML file of claims")
	p.write("small.toml", "claims = \"\"\n"+smallSweep)
	p.refused([]string{"plan", sweep}, "claims", "is empty")
	p.refused([]string{"claims", "no-such-sweep"}, "no-such-sweep")
	// The shipped claims are those of a sweep that names none.
	p.write("small.toml", smallSweep)
	if got := decode[ofSweep](t, p.ok("claims", sweep, "--json")); len(got.Claims) < 10 || got.Claims[0].ID != "natural-head-collapses" {
		t.Errorf("%d claims", len(got.Claims))
	}
}
