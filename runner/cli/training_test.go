package cli_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	parquetgo "github.com/parquet-go/parquet-go"
)

// taught writes rows with two negatives and a teacher's scores, as ids beside the sample's collection.
func (p *place) taught() (jsonl, parquet string) {
	p.t.Helper()
	type row struct {
		Query    string    `parquet:"query_id"`
		Positive string    `parquet:"positive_id"`
		First    string    `parquet:"negative_id_1"`
		Second   string    `parquet:"negative_id_2"`
		Scores   []float64 `parquet:"scores,list"`
	}
	var lines strings.Builder
	var rows []row
	for i := range 12 {
		r := row{fmt.Sprintf("q%d", i), fmt.Sprintf("d%d", i), fmt.Sprintf("d%d", (i+5)%16), fmt.Sprintf("d%d", (i+9)%16), []float64{3, 1, float64(i) / 8}}
		rows = append(rows, r)
		fmt.Fprintf(&lines, `{"query_id":%q,"positive_id":%q,"negative_id_1":%q,"negative_id_2":%q,"scores":[3,1,%v]}`+"\n", r.Query, r.Positive, r.First, r.Second, r.Scores[2])
	}
	jsonl = p.write("data/taught.jsonl", lines.String())
	parquet = filepath.Join(p.dir, "data", "taught.parquet")
	if err := parquetgo.WriteFile(parquet, rows); err != nil {
		p.t.Fatal(err)
	}
	return jsonl, parquet
}

// TestHardNegativesAndTeachersAreTrainedOn: every loss from a file, and the same weights whatever the format: the
// order of its rows is the data's.
func TestHardNegativesAndTeachersAreTrainedOn(t *testing.T) {
	p := newPlace(t)
	p.role = "program"
	sweep := p.sample()
	jsonl, parquet := p.taught()
	p.write("small.toml", strings.NewReplacer("[1, 4]", "[4]", "[1, 2]", "[1]", `final = ["./data"]`, `final = []`).Replace(smallSweep))
	series := func(name string) int {
		return len(decode[struct{ Rows []struct{ Run string } }](t, p.ok("query", "SELECT run FROM series WHERE name = '"+name+"' AND value IS NOT NULL", "--json")).Rows)
	}
	for i, c := range []struct{ loss, series string }{{"infonce", "loss/contrastive"}, {"margin_mse", "loss/margin_mse"}, {"kl", "loss/kl"}} {
		weights := map[string]bool{}
		for _, file := range []string{jsonl, parquet} {
			end := lastLine(t, p.ok("run", sweep, "--json", "data.train="+file, "data.negatives=2", "loss.kind="+c.loss))
			added := end.Runs[len(end.Runs)-1]
			if added.State != "done" || added.Standing != "added" {
				t.Fatalf("%s on %s: %+v", c.loss, file, end)
			}
			weights[decode[struct{ Weights string }](t, p.ok("show", added.ID, "--json")).Weights] = true
		}
		if n := series(c.series); n != 12 {
			t.Errorf("%d points of %s", n, c.series)
		}
		if len(weights) != 1 {
			t.Errorf("%s ends with different weights: %v", c.loss, weights)
		}
		if i == 0 && series("loss/kl") != 0 {
			t.Error("a part that is not in the objective was recorded")
		}
	}
	p.refused([]string{"run", sweep, "data.train=" + jsonl, "data.negatives=3", "loss.kind=kl"}, "data.negatives", "taught.jsonl:1, has 2")
}

// TestARunOnAFileIsResumed: killed in the middle, it ends with the weights of one that was not.
func TestARunOnAFileIsResumed(t *testing.T) {
	weights := func(kill bool) map[string]string {
		p, sweep := realPlace(t)
		jsonl, _ := p.taught()
		args := []string{"run", sweep, "data.train=" + jsonl, "data.negatives=2", "loss.kind=margin_mse", "evaluate.final=[]"}
		if kill {
			cmd, _ := p.startSlow(args...)
			p.awaitStep(40)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
		}
		p.ok(args...)
		return p.weights()
	}
	want, got := weights(false), weights(true)
	if len(want) != 1 || len(got) != 1 {
		t.Fatalf("%v, %v", want, got)
	}
	for label, digest := range want {
		if got[label] != digest {
			t.Errorf("%s: %v after a kill, undisturbed %v", label, got, want)
		}
	}
}

// TestAModelOfTheHubIsFetchedForAFile: data that is a file is no reason to fetch nothing.
func TestAModelOfTheHubIsFetchedForAFile(t *testing.T) {
	p, model := steps(t)
	p.role = "program"
	endpoint, _ := hubServer(t, model)
	p.extra = []string{"HF_ENDPOINT=" + endpoint}
	jsonl, _ := p.taught()
	sweep := p.write("hub.toml", strings.NewReplacer("recipe:tiny", "owner/tiny", "[1, 4]", "[1]", `"seed" = [1, 2]`, `"seed" = [1]`).Replace(smallSweep))
	end := lastLine(t, p.ok("run", sweep, "--json", "data.train="+jsonl, "train.steps=2", "evaluate.final=[]"))
	if got := end.standings(); got != "file new, added done" {
		t.Errorf("%s: %+v", got, end)
	}
}
