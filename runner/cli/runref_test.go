package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// copies puts the same model into two folders of the place, and another into a third
// whose name is that of the first.
func (p *place) copies() {
	p.t.Helper()
	for _, name := range []string{"a/model", "b/model", "a/other"} {
		p.write(filepath.Dir(name)+"/here", "")
		if err := fakeModel(filepath.Join(p.dir, name)); err != nil {
			p.t.Fatal(err)
		}
	}
	config := filepath.Join(p.dir, "b/model/config.json")
	text, err := os.ReadFile(config)
	if err != nil {
		p.t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"num_attention_heads": 2`, `"num_attention_heads": 1`, 1)
	if changed == string(text) {
		p.t.Fatalf("no heads in %s", text)
	}
	p.write("b/model/config.json", changed)
}

func TestEveryLabelThatIsPrintedNamesItsRun(t *testing.T) {
	p := newPlace(t)
	p.sample()
	p.copies()
	one := strings.NewReplacer("[1, 4]", "[4]", "[1, 2]", "[1]", `name = "small"`, `name = "first"`, "recipe:tiny", "./a/model").Replace(smallSweep)
	p.write("first.toml", one)
	p.write("second.toml", strings.NewReplacer(`"first"`, `"second"`, "./a/model", "./a/other").Replace(one))
	first := lastLine(t, p.ok("run", filepath.Join(p.dir, "first.toml"), "--json"))
	second := lastLine(t, p.ok("run", filepath.Join(p.dir, "second.toml"), "--json")) // the same files, so the same run
	if second.Done != 0 || first.Runs[0].ID != second.Runs[0].ID || first.Runs[0].Label == second.Runs[0].Label {
		t.Fatalf("%+v and %+v", first, second)
	}
	for _, label := range []string{first.Runs[0].Label, second.Runs[0].Label, "model", "other"} {
		shown := decode[struct{ ID, Label string }](t, p.ok("show", label, "--json"))
		if shown.ID != first.Runs[0].ID || !strings.HasPrefix(shown.Label, label) {
			t.Errorf("show %s shows %+v", label, shown)
		}
	}
	// The label of a revision that is gone, too.
	p.write("second.toml", strings.NewReplacer(`"first"`, `"second"`, "[4]", "[8]").Replace(one))
	p.ok("run", filepath.Join(p.dir, "second.toml"), "--quiet")
	p.ok("show", second.Runs[0].Label)
	// A waiting run is found too.
	p.write("third.toml", strings.NewReplacer(`"first"`, `"third"`, "[4]", "[16, 32]").Replace(one))
	p.ok("run", filepath.Join(p.dir, "third.toml"), "--only", "model.rescale=16", "--quiet")
	p.refused([]string{"show", "model-k32"}, `find run "model-k32": model-k32-s1-`, "has not begun", "headroom run")
}

func TestBackbonesOfOneNameAreToldApart(t *testing.T) {
	p := newPlace(t)
	p.sample()
	p.copies()
	sweep := p.write("small.toml", strings.NewReplacer(`backbone = "recipe:tiny"`, "", "[grid]", "[grid]\n\"model.backbone\" = [\"./a/model\", \"./b/model\"]").Replace(smallSweep))
	end := lastLine(t, p.ok("run", sweep, "--json"))
	labels := map[string]int{}
	for _, r := range end.Runs {
		labels[r.Label[:len("a-model-")]]++
		p.ok("show", r.Label)
	}
	if labels["a-model-"] != 4 || labels["b-model-"] != 4 {
		t.Errorf("labels %v: %+v", labels, end.Runs)
	}
	if out := p.ok("run", sweep); !strings.Contains(out, "\nuntrained a/model ") || !strings.Contains(out, "\nuntrained b/model ") {
		t.Errorf("the baselines are not told apart:\n%s", out)
	}
	report := filepath.Join(p.dir, "report")
	out := p.ok("report", "small", "-o", report)
	for _, want := range []string{"\n| a/model ", "\n| b/model ", "\n| a/model, untrained "} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, filepath.Join(p.dir, "a/model")) {
		t.Errorf("the table has a path:\n%s", out)
	}
	if text, err := os.ReadFile(filepath.Join(report, "report.md")); err != nil || !strings.Contains(string(text), filepath.Join(p.dir, "b/model")) {
		t.Errorf("the whole report does not say where b/model lies: %v", err)
	}
	one := decode[endDocument](t, p.ok("plan", sweep, "--only", "model.backbone=~/a/", "--json"))
	if !strings.HasPrefix(one.Runs[0].Label, "a-model-") {
		t.Errorf("a part of the sweep has other labels: %+v", one.Runs[0])
	}
}
