package cli_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProbePrintsATableAndTheContractsDocument(t *testing.T) {
	p, model := steps(t)
	p.write("texts.jsonl", `{"_id":"1","text":"red stone. river boat"}`+"\n"+`{"_id":"2","text":"stone river. red red boat"}`+"\n"+`{"_id":"3","text":"red"}`+"\n")
	args := []string{"probe", model, model, "--texts", filepath.Join(p.dir, "texts.jsonl"), "--backend", "go"}
	table := p.ok(args...)
	for _, want := range []string{"head row norm, mean", "InfoNCE", "ln(candidates)", "0.6931", "k by auto-norm", "k by auto-score", "bert"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	type report struct {
		Model, Architecture string
		Parameters          int64
		Vocab               int
		Tied                *bool
		Head                struct {
			RowNorm  map[string]float64 `json:"row_norm"`
			BiasMean *float64           `json:"bias_mean"`
		}
		Step0      map[string]float64
		SuggestedK map[string]float64 `json:"suggested_k"`
	}
	out := decode[struct {
		Schema int
		Models []report
	}](t, p.ok(append(args, "--json")...))
	if out.Schema != 1 || len(out.Models) != 2 {
		t.Fatalf("got %+v", out)
	}
	m := out.Models[1]
	if m.Model != model || m.Architecture != "bert" || m.Parameters < 1 || m.Vocab < 1 || m.Tied == nil || m.Head.BiasMean == nil {
		t.Errorf("got %+v", m)
	}
	for _, c := range []struct {
		in   map[string]float64
		keys string
	}{
		{m.Head.RowNorm, "mean p05 p50 p95 max"}, {m.SuggestedK, "auto_norm auto_score"},
		{m.Step0, "active_query active_document score_mean score_sd infonce ln_candidates"},
	} {
		for key := range strings.FieldsSeq(c.keys) {
			if _, ok := c.in[key]; !ok {
				t.Errorf("no %q in %v", key, c.in)
			}
		}
	}
	if math.Abs(m.Step0["ln_candidates"]-math.Log(2)) > 1e-12 {
		t.Errorf("chance level %v of two pairs", m.Step0["ln_candidates"])
	}
}

func TestProbeNamesTheModelThatFails(t *testing.T) {
	p, model := steps(t)
	broken := filepath.Join(p.dir, "broken")
	if err := fakeModel(broken); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(broken, "model.safetensors"), 100); err != nil {
		t.Fatal(err)
	}
	p.ok("probe", model, "--backend", "go") // makes the built-in collection, which a refusal would otherwise leave behind
	p.refused([]string{"probe", model, broken, "--backend", "go"}, broken, "model.safetensors")
	p.refused([]string{"probe", model, "nobody/nothing"}, "nobody/nothing")
	p.refused([]string{"probe"}, "usage")
	p.refused([]string{"probe", model, "--texts", p.write("few.jsonl", `{"_id":"1","text":"red"}`+"\n")}, "few.jsonl", "at least 2")
	p.refused([]string{"probe", model, "--backend", "cuda"}, "--backend")
}
