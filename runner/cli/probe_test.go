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

// Each distinct setting of the sweep is listed with how it starts; rules of a calibration
// make chances of that, with λ alone beside them.
func TestProbeForetellsTheSettingsOfASweep(t *testing.T) {
	p, model := steps(t)
	p.write("texts.jsonl", `{"_id":"1","text":"red stone. river boat"}`+"\n"+`{"_id":"2","text":"stone river. red red boat"}`+"\n")
	p.write("rules/rule.json", `{"schema":1,"sweep":"s","runs":40,"lost":9,"backbones":2,
		"pressure":{"intercept":100,"slope":20,"auc_left_out":0.93},"lambda":{"intercept":2,"slope":1,"auc_left_out":0.8}}`)
	args := []string{"probe", model, "--texts", filepath.Join(p.dir, "texts.jsonl"), "--backend", "go", "--sweep", filepath.Join(p.dir, "small.toml")}
	type setting struct {
		Rescale               string
		LR, Pressure, InfoNCE float64
		LambdaQuery           float64  `json:"lambda_query"`
		LambdaDocument        float64  `json:"lambda_document"`
		Ramp                  float64  `json:"ramp_steps"`
		Chance, LambdaAlone   *float64 `json:",omitempty"`
		SafeFrom              *float64 `json:"safe_from"`
	}
	type document struct {
		Models []struct {
			Step0    map[string]float64
			Settings []setting
		}
	}
	m := decode[document](t, p.ok(append(args, "--json")...)).Models[0]
	if len(m.Settings) != 2 || m.Settings[0].Rescale != "1" || m.Settings[1].Rescale != "4" || m.Settings[0].Chance == nil {
		t.Fatalf("settings of two k and two seeds: %+v", m.Settings)
	}
	s := m.Settings[0]
	if want := m.Step0["infonce"] / m.Step0["ln_candidates"]; math.Abs(s.InfoNCE-want) > 1e-12 || m.Settings[1].InfoNCE == s.InfoNCE {
		t.Errorf("at k = 1 InfoNCE is %v, want %v; at 4 %v", s.InfoNCE, want, m.Settings[1].InfoNCE)
	}
	if want := (s.LambdaQuery + s.LambdaDocument) / 2 * s.InfoNCE * s.LR / s.Ramp; math.Abs(s.Pressure-want) > 1e-12*want || want <= 0 {
		t.Errorf("pressure %v, want %v", s.Pressure, want)
	}
	args = append(args, "--calibration", filepath.Join(p.dir, "rules"))
	s = decode[document](t, p.ok(append(args, "--json")...)).Models[0].Settings[0]
	if want := 1 / (1 + math.Exp(-100-20*math.Log10(s.Pressure))); s.Chance == nil || math.Abs(*s.Chance-want) > 1e-9 {
		t.Errorf("chance %v, want %v", s.Chance, want)
	}
	table := p.ok(args...)
	for _, want := range []string{"Before training, on ", "chance of collapse", "λ alone", "safe from k", "chances by 40 runs of which 9 were lost, over 2 backbones; AUC on backbones left out: pressure 0.93, λ alone 0.8"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	p.refused([]string{"probe", model, "--calibration", "rules"}, "--calibration says nothing without --sweep")
	p.refused([]string{"probe", model, "--sweep", filepath.Join(p.dir, "small.toml"), "--calibration", p.dir}, "there is no rule.json", "judge SWEEP --calibration writes one")
}
