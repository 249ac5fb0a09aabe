package cli_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
)

// queriesOf are the queries of a page, by the words of the paragraph above each.
func queriesOf(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	paragraph := ""
	for _, part := range strings.Split(string(text), "\n\n") {
		if !strings.HasPrefix(part, "```console") {
			paragraph = strings.TrimSpace(part)
			continue
		}
		for _, command := range consoleCommands(part + "\n") {
			if args := splitCommand(command); args[0] == "query" {
				found[paragraph] = args[1]
			}
		}
	}
	return found
}

// TestTheQueriesOfTheStoresPageAnswerTheirSentences runs each on a workspace in which a
// run is of two sweeps, one was added, one is former, one waits and some collapsed.
func TestTheQueriesOfTheStoresPageAnswerTheirSentences(t *testing.T) {
	p := newPlace(t)
	sweep := p.sample()
	p.write("other.toml", strings.NewReplacer(`"small"`, `"other"`, "[1, 4]", "[1]").Replace(smallSweep))
	p.extra = []string{"FAKE_COLLAPSE=identical"}
	p.ok("run", sweep, "--quiet", "--only", "model.rescale=1, seed=1") // collapses
	p.extra = nil
	p.ok("run", sweep, "--quiet", "--only", "seed=[1,2], model.rescale=[1,4]")
	p.ok("run", sweep, "--quiet", "train.steps=3", "--only", "model.rescale=4, seed=1") // added
	p.write("small.toml", strings.Replace(smallSweep, "[1, 4]", "[1, 8]", 1))
	p.ok("run", sweep, "--quiet", "--only", "model.rescale=8, seed=1") // k = 4 is former, k = 8 with seed 2 waits
	p.ok("run", p.dir+"/other.toml", "--quiet")

	queries := queriesOf(t, "../../docs/store.md")
	answer := func(sentence string) [][]string {
		t.Helper()
		for paragraph, query := range queries {
			if strings.HasPrefix(paragraph, sentence) {
				delete(queries, paragraph)
				rows, err := csv.NewReader(strings.NewReader(p.ok("query", query, "--csv"))).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				return rows[1:]
			}
		}
		t.Fatalf("the page has no query under %q", sentence)
		return nil
	}
	column := func(rows [][]string, columns ...int) string {
		var lines []string
		for _, row := range rows {
			var cells []string
			for _, c := range columns {
				cells = append(cells, row[c])
			}
			lines = append(lines, strings.Join(cells, " "))
		}
		return strings.Join(lines, "; ")
	}

	var want []string
	for _, r := range decode[endDocument](t, p.ok("status", "small", "--json")).Runs {
		want = append(want, r.Label+" "+r.State)
	}
	if len(want) != 5 {
		t.Fatalf("the workspace is not what the test needs: %q", want)
	}
	if got := column(answer("The runs of a sweep, one row each"), 0, 1); got != strings.Join(want, "; ") {
		t.Errorf("the runs of a sweep: %s, status has %s", got, want)
	}
	// Six runs trained: four of six steps of the first file, one of three, k = 8.
	losses := answer("The first five losses of each run")
	count := map[string]int{}
	for _, row := range losses {
		count[row[0]]++
	}
	if len(count) != 6 || len(losses) != 5*5+3 {
		t.Errorf("losses of each run: %v", count)
	}
	all := p.ok("query", "SELECT label, avg(value) AS loss FROM series JOIN runs USING (run) WHERE name = 'loss' GROUP BY label ORDER BY label", "--csv")
	if got := "label,loss\n" + strings.ReplaceAll(column(answer("The mean of the last hundred losses"), 0, 1)+"; ", "; ", "\n"); strings.ReplaceAll(got, " ", ",") != all || len(count) != strings.Count(all, "\n")-1 {
		t.Errorf("means of the last losses: %s, of all %s", got, all)
	}
	if got, want := column(answer("The mean nDCG@10 of each backbone and k"), 0, 2, 3, 4), "data 1.0 2 0.5; data 4.0 3 0.5; data 8.0 1 0.5"; strings.ReplaceAll(got, ".0 ", " ") != strings.ReplaceAll(want, ".0 ", " ") {
		t.Errorf("means: %s, want %s", got, want)
	}
	if got := answer("Effectiveness and cost per query and document, for each run"); len(got) != 6 || got[0][1] != "data" || got[0][2] != "0.5" {
		t.Errorf("costs: %q", got)
	}
	if got := answer("The points of each run's cost curves"); len(got) != 0 {
		t.Errorf("curves of a sweep without any: %q", got)
	}
	if got := answer("The collapses that stood at the end"); len(got) != 1 || !strings.HasPrefix(got[0][0], "tiny-k1-s1-") || column(got, 1, 2, 3) != "identical 1 5" {
		t.Errorf("collapsed runs: %q", got)
	}
	for paragraph := range queries {
		t.Errorf("nothing checks the query under %q", paragraph)
	}
}
