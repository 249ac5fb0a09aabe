package report_test

import (
	"regexp"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/report"
)

// pageOf is report.html of an input.
func pageOf(t *testing.T, in *compare.Input) string {
	t.Helper()
	text, err := report.Page(compared(t, in), report.Extras{})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestPageHoldsTogether follows the links of the page and the keys of its numbers.
func TestPageHoldsTogether(t *testing.T) {
	in := sample.Lambda()
	in.Runs[0].Episodes = append(in.Runs[0].Episodes, compare.Episode{Kind: "spike", Severity: "warning", Series: "loss", FirstStep: 7, LastStep: 9,
		Rule: "loss above 3 times its median", Observed: compare.Series{Steps: []int{7, 8}, Values: []float64{41.25, 39}}})
	text := pageOf(t, in)
	if len(text) > 3<<20 {
		t.Errorf("report.html has %d bytes, want 3 MiB at most", len(text))
	}
	seen := map[string]bool{}
	for _, found := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if seen[found[1]] {
			t.Errorf("two places have the id %q", found[1])
		}
		seen[found[1]] = true
	}
	links := 0
	for _, found := range regexp.MustCompile(`href"?[=:]"#?([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if links++; !seen[found[1]] && found[1] != "data:," {
			t.Errorf("a link leads to %q, which is not there", found[1])
		}
	}
	if links < 40 {
		t.Errorf("only %d links", links)
	}
	_, data, _ := strings.Cut(text, `id="sources">`)
	keys := map[string]bool{}
	for _, found := range regexp.MustCompile(`"key":"([^"]*)"`).FindAllStringSubmatch(data, -1) {
		if keys[found[1]] {
			t.Errorf("two sources have the key %q", found[1])
		}
		keys[found[1]] = true
	}
	numbers := 0
	for _, found := range regexp.MustCompile(`data-from="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		numbers++
		for _, key := range strings.Fields(found[1]) {
			if !keys[key] {
				t.Errorf("a number is made of %q, which no source has", key)
			}
		}
	}
	if numbers < 200 {
		t.Errorf("only %d numbers say what they were made of", numbers)
	}
	for _, want := range []string{"loss above 3 times its median", "7: 41.25, 8: 39", in.Runs[0].ID, in.Runs[0].Evaluations[0].ID, in.Runs[0].Evaluations[0].QrelsDigest,
		"regularizer.lambda_query = 0.01 | 0.1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestPageOfFoulNames gives every name the words that a browser would take for markup.
func TestPageOfFoulNames(t *testing.T) {
	const foul = `</style></script><img src=x onerror=alert(1)>&"'` + "\u202e\n{{.}}"
	in := sample.Demo()
	in.Sweep, in.Question, in.Notes = "s"+foul, "q"+foul, []string{"n" + foul}
	for i := range in.Runs {
		r := &in.Runs[i]
		r.Label += foul
		r.Backbone += foul
		r.Error, r.Beside = "e"+foul, "b"+foul
		for j := range r.Episodes {
			r.Episodes[j].Series += foul
		}
		for j := range r.Evaluations {
			r.Evaluations[j].Dataset += foul
		}
		r.Config = append([]compare.Setting(nil), r.Config...)
		for j := range r.Config {
			if r.Config[j].Key == "data.train" {
				r.Config[j].Value += foul
			}
		}
	}
	text := pageOf(t, in)
	for _, bad := range []string{"<img", "\u202e", "ZgotmplZ"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q as it is", bad)
		}
	}
	if n := strings.Count(text, "</style>"); n != strings.Count(text, "<style>") {
		t.Errorf("%d ends of stylesheets", n)
	}
	if n := strings.Count(text, "</script>"); n != 2 {
		t.Errorf("%d ends of scripts, want 2", n)
	}
}

// TestPageOfNothing writes pages of sweeps that have nothing to show.
func TestPageOfNothing(t *testing.T) {
	one := sample.Demo()
	one.Runs = one.Runs[4:5]
	collapsed := sample.Demo()
	for i := range collapsed.Runs {
		collapsed.Runs[i].Verdict = "empty"
	}
	unmeasured := sample.Demo()
	unmeasured.Baselines = nil
	for i := range unmeasured.Runs {
		unmeasured.Runs[i].Evaluations = nil
	}
	for name, want := range map[string]struct {
		in   *compare.Input
		text string
	}{
		"no run":         {&compare.Input{Sweep: "none"}, "nothing is shown yet"},
		"one run":        {one, "no factor is compared"},
		"all collapsed":  {collapsed, "every seed collapsed"},
		"not measured":   {unmeasured, "Nothing is measured yet."},
		"nothing is run": {&compare.Input{Sweep: "new", Runs: []compare.Run{{ID: "ab", Label: "x", Backbone: "x", Rescale: 1, State: "new"}}}, "nothing is shown yet"},
	} {
		if text := pageOf(t, want.in); !strings.Contains(text, want.text) {
			t.Errorf("%s: the page lacks %q", name, want.text)
		}
	}
}
