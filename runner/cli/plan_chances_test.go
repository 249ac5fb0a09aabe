package cli_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// Plan predicts for each run that is not trained yet what probe predicts for its settings, from what
// it keeps the second time; a large backbone waits until it is asked for.
func TestPlanShowsTheChanceOfCollapse(t *testing.T) {
	p, model := steps(t)
	sweep := filepath.Join(p.dir, "small.toml")
	ours := "model.backbone=" + model
	weights := filepath.Join(model, "model.safetensors")
	files, err := filepath.Glob(filepath.Join(model, "*"))
	if err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour)
	for _, path := range files { // nothing is kept of files that are seconds old
		if err := os.Chtimes(path, time.Time{}, then); err != nil {
			t.Fatal(err)
		}
	}
	type prediction struct {
		ID, Rescale                            string
		InfoNCE, Pressure, Chance, LambdaAlone float64
		SafeFrom                               *float64 `json:"safe_from"`
	}
	type planned struct {
		Runs    []struct{ ID, State string }
		Chances []prediction
	}
	first := decode[planned](t, p.ok("plan", sweep, ours, "--json"))
	settings := decode[struct {
		Models []struct{ Settings []prediction }
	}](t, p.ok("probe", model, "--backend", "go", "--sweep", sweep, "--json")).Models[0].Settings
	if len(first.Chances) != len(first.Runs) || len(first.Runs) != 4 || len(settings) != 2 {
		t.Fatalf("%d runs, %d chances, %d settings", len(first.Runs), len(first.Chances), len(settings))
	}
	for i, c := range first.Chances {
		want := settings[i/2] // two seeds of each k
		want.ID, want.Rescale = first.Runs[i].ID, ""
		if c.InfoNCE <= 0 || c.Chance <= 0 || c.InfoNCE != want.InfoNCE || c.Pressure != want.Pressure || c.Chance != want.Chance || c.ID != want.ID {
			t.Errorf("run %d is predicted as %+v, probe says %+v", i, c, want)
		}
	}
	table := p.ok("plan", sweep, ours)
	for _, want := range []string{"chance of collapse", "λ alone", "safe from k", "Never a gate"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	// The same files are not probed again: not even their bytes are looked at.
	whole, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		if err := errors.Join(os.WriteFile(weights, text, 0o666), os.Chtimes(weights, time.Time{}, then)); err != nil {
			t.Fatal(err)
		}
	}
	write(append(slices.Clone(whole[:len(whole)/2]), make([]byte, len(whole)-len(whole)/2)...))
	if again := decode[planned](t, p.ok("plan", sweep, ours, "--json")); !reflect.DeepEqual(again, first) {
		t.Errorf("the second time %+v, the first %+v", again, first)
	}
	write(whole)
	p.ok("run", sweep, ours, "--quiet")
	if done := p.ok("plan", sweep, ours); strings.Contains(done, "chance of collapse") {
		t.Errorf("of finished runs the verdict is known:\n%s", done)
	}
	other := filepath.Join(model, "other.safetensors")
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(other, 20<<20); err != nil {
		t.Fatal(err)
	}
	if r := p.run("plan", sweep, ours, "seed=3"); r.code != 0 || strings.Contains(r.stdout, "λ alone") || !strings.Contains(r.stderr, "plan --chances probes") {
		t.Errorf("a backbone of 20 MiB is probed by the way, or it is not said: %+v", r)
	}
	if large := decode[planned](t, p.ok("plan", sweep, ours, "seed=3", "--chances", "--json")); len(large.Chances) != 2 {
		t.Errorf("and not where it is asked for: %+v", large.Chances)
	}
}
