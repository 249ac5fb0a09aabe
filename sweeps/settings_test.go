package sweeps_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/metrics/stability"
	"headroom/sweeps"
)

func TestSettingsTakeThePlaceOfThresholds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.toml")
	if err := os.WriteFile(path, []byte("[stability.empty]\nshare = 0.2\nsteps = 7\n[stability.stalled]\nlosses = []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := sweeps.LoadSettings(path)
	if err != nil {
		t.Fatal(err)
	}
	line, err := sweeps.ParseSettings([]string{"stability.empty.share=0.3", "stability.spike.window = 9"})
	if err != nil {
		t.Fatal(err)
	}
	all := append(file, line...)
	got, err := all.ApplyTo(stability.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	if got.Empty != (stability.EmptyRule{Share: .3, Steps: 7}) || got.Spike.Window != 9 || len(got.Stalled.Losses) != 0 || got.Identical != stability.Defaults().Identical {
		t.Errorf("%+v", got)
	}
	if want := []string{"stability.empty.share = 0.2", "stability.empty.steps = 7", "stability.stalled.losses = []", "stability.empty.share = 0.3", "stability.spike.window = 9"}; !slices.Equal(all.Lines(), want) {
		t.Errorf("%q", all.Lines())
	}
}

func TestSettingsThatCannotBeMeantAreRefused(t *testing.T) {
	for arg, want := range map[string]string{
		"stability.empty.shar=1":           `unknown key; allowed: in stability.empty: share, steps; did you mean "stability.empty.share"?`,
		"empty.share=1":                    `did you mean "stability.empty.share"?`,
		"train.steps=1":                    "train.steps = \"1\": unknown key; allowed: [stability]",
		"stability.empty.share=2":          "out of range; allowed: number, 0 ≤ x ≤ 1",
		"stability.empty.share=[0.1]":      "an array",
		"stability.empty.steps=0":          "too small",
		"stability.empty.steps=1.5":        "is a number with a fraction",
		"stability.empty.share=":           "is not a TOML value",
		"stability.empty":                  "cannot read setting",
		"stability.stop=true":              "is no threshold",
		"stability.scale_shock.factor=3":   "a detector that is gone",
		"stability.dense.terms=3":          "a detector that is gone",
		"stability.stalled.losses=['nil']": "allowed: a list of",
	} {
		_, err := sweeps.ParseSettings([]string{arg})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", arg, err)
		}
	}
	if _, err := sweeps.ParseSettings([]string{"stability.empty.steps=1", "stability.empty.steps=2"}); err == nil || !strings.Contains(err.Error(), "set twice") {
		t.Errorf("%v", err)
	}
	folder := t.TempDir()
	for text, want := range map[string]string{
		"":                             "sets no threshold",
		"[stability.empty\n":           ":1: not valid TOML",
		"[stability.empty]\nshar=1\n":  `did you mean "stability.empty.share"?`,
		"[stability]\nempty.steps=0\n": "too small",
		"name = \"x\"\n":               "unknown key; allowed: [stability]",
	} {
		path := filepath.Join(folder, "rules.toml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := sweeps.LoadSettings(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := sweeps.LoadSettings(folder); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestThresholdsTheWrongWayRoundAreRefusedInASweep(t *testing.T) {
	for args, want := range map[string]string{
		"stability.no_progress.low=1.2":  "stability.no_progress.low = 1.2: is not below stability.no_progress.high = 1.05",
		"stability.stalled.accuracy=0.6": "stability.stalled.accuracy = 0.6: is above stability.identical.accuracy = 0.5",
		"stability.scale_shock.factor=3": "unknown key: a threshold of a detector that is gone; allowed: a file without it",
	} {
		_, err := sweeps.Parse("s.toml", []byte(base), args)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// A run that an older program began has the thresholds of a detector that is gone.
func TestAConfigurationOfAnOlderProgramIsRead(t *testing.T) {
	run := only(t, base)
	text := append(run.TOML(), []byte("\n[stability.scale_shock]\nfactor = 3.0\nrecovery = 5\n[stability.dense]\nshare = 0.1\nterms = 1000\n")...)
	got, err := sweeps.ParseRun(text)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.TOML()) != string(run.TOML()) {
		t.Errorf("got\n%s", got.TOML())
	}
}

// So has a revision of a sweep that an older program kept; a message asks the user to remove them from a file.
func TestASweepThatAnOlderProgramKeptIsRead(t *testing.T) {
	want, err := sweeps.Parse("s.toml", []byte(base))
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{
		"\n[stability.scale_shock]\nfactor = 3.0\nrecovery = 5\n",
		"\n[stability.scale_shock]\n",
		"\n[grid]\n\"stability.scale_shock.factor\" = [2.0, 3.0]\n",
		"\n[[zip]]\n\"stability.scale_shock.factor\" = [2.0, 3.0]\n",
		"\n[[exclude]]\n\"stability.scale_shock.factor\" = 2.0\n",
	} {
		text := []byte(base + more)
		got, err := sweeps.ParseKept("s.toml", text)
		if err != nil {
			t.Errorf("%s: %v", more, err)
			continue
		}
		if g, w := expand(t, got), expand(t, want); len(g) != 1 || string(g[0].TOML()) != string(w[0].TOML()) {
			t.Errorf("%s: %d points, the first\n%s", more, len(g), g[0].TOML())
		}
		if _, err := sweeps.Parse("s.toml", text); err == nil && !strings.HasSuffix(more, "shock]\n") {
			t.Errorf("a file with %s is taken", more)
		}
	}
	if _, err := sweeps.ParseKept("s.toml", []byte(base+"\n[stability.scale_shok]\nfactor = 3.0\n")); err == nil {
		t.Error("a misspelt key of a kept revision is ignored")
	}
}

func TestVariantsAreWhatAKeyAccepts(t *testing.T) {
	th := stability.Defaults()
	other := th
	other.Empty.Share = .4
	var got []string
	for _, v := range sweeps.Variants([]string{stability.Empty, stability.NonFinite}, th, other) {
		if v.Detector != strings.Split(v.Key, ".")[1] {
			t.Errorf("%+v", v)
		}
		got = append(got, v.Settings.Lines()...)
	}
	want := "stability.non_finite.recovery = 3, 4, 5, 6, 10; stability.empty.share = 0.05, 0.08, 0.1, 0.125, 0.2, 0.32, 0.4, 0.5, 0.8; stability.empty.steps = 3, 4, 5, 6, 10"
	var wanted []string
	for _, part := range strings.Split(want, "; ") {
		key, values, _ := strings.Cut(part, " = ")
		for _, v := range strings.Split(values, ", ") {
			wanted = append(wanted, key+" = "+v)
		}
	}
	if !slices.Equal(got, wanted) {
		t.Errorf("got %q", got)
	}
}
