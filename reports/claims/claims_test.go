package claims_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"headroom/experiments"
	"headroom/reports/claims"
	"headroom/sweeps"
)

const every = `
[[claim]]
id = "a"
text = "rescaling helps"
source = "a paper"
kind = "better"
points = "model.rescale=4"
against = "model.rescale=1"
on = "builtin:demo"
measure = "nDCG@10"
at = { flops = 8 }
predicted = "OK"

[[claim]]
id = "b"
text = "tying does not matter"
source = "a paper"
kind = "equal"
points = "model.tie=keep"
against = "model.tie=untie"
on = "builtin:demo"
measure = "RR@10"
tolerance = 0.01

[[claim]]
id = "c"
text = "it collapses"
source = "a paper"
kind = "collapses"
points = "model.rescale=1, model.backbone=~ettin"
share = 0.5

[[claim]]
id = "d"
text = "a number that is not known"
source = "a paper"
kind = "value"
points = "model.rescale=8"
on = "beir:13"
measure = "nDCG@10"
tolerance = 0.001

[[claim]]
id = "e"
text = "vectors"
source = "a test"
kind = "vectors"
points = "model.backbone=owner/name"
on = "data:published"
tolerance = 1e-4
`

func TestEveryKindParses(t *testing.T) {
	list, err := claims.Parse("c.toml", []byte(every))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 5 {
		t.Fatalf("%d claims", len(list))
	}
	better, equal, collapses, value, vectors := list[0], list[1], list[2], list[3], list[4]
	run := sweeps.Defaults()
	run.Model.Rescale = sweeps.Rescale{K: 4}
	if !better.Points.Match(run) || better.Against.Match(run) || better.Measure != "nDCG@10" || *better.At != (claims.Cost{Name: "flops", Value: 8}) || better.Predicted != claims.OK {
		t.Errorf("better: %+v", better)
	}
	if equal.Tolerance != 0.01 || equal.At != nil || equal.Predicted != "" {
		t.Errorf("equal: %+v", equal)
	}
	if collapses.Share != 0.5 || value.Value != nil || vectors.On != "data:published" || vectors.Points.Expression != "model.backbone=owner/name" {
		t.Errorf("others: %+v %+v %+v", collapses, value, vectors)
	}
}

func TestAllFaultsOfAFileAreToldAtOnce(t *testing.T) {
	text := `
title = "x"
[[claim]]
id = "a"
text = ""
source = "s"
kind = "better"
points = "model.rescal=4"
on = "builtin:demo"
measure = "nDCG@0"
at = { flops = -1 }
tolerance = 0.1
Share = 1
[[claim]]
id = "a"
text = "t"
source = "s"
kind = "vectors"
points = "model.backbone=x"
on = "data:published"
tolerance = nan
predicted = "maybe"
[[claim]]
kind = "worse"
[[claim]]
id = "same"
text = "t"
source = "s"
kind = "better"
points = "seed=[1,2]"
against = "seed=[2,1]"
on = "c"
measure = "nDCG@10"
`
	_, err := claims.Parse("c.toml", []byte(text))
	if err == nil {
		t.Fatal("it was read")
	}
	for _, want := range []string{
		`c.toml: title: unknown key; allowed: [[claim]]`, `claim.Share: unknown key; allowed: id, text`, `claim "a": text: is empty`,
		`claim "a": against: is missing: kind "better" needs it`, `claim "a": tolerance: does not belong to kind "better"; allowed: points, against, on, measure, at`,
		`model.rescal: unknown key`, `measure: `, `at: flops = -1; allowed: { flops = X }`, `claim "a": id: is there twice`, `tolerance: NaN is out of range`,
		`claim "same": against: "seed=[2,1]" chooses the same runs as points`,
		`predicted: "maybe" is no verdict; allowed: "OK", "OKish", "FAIL"`, `claim 3: id: is missing`, `kind: "worse" is unknown; allowed: "better"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told of in\n%v", want, err)
		}
	}
	for text, want := range map[string]string{"": "claim: there is none", "[[claim]\n": "c.toml:2:", "[[claim]]\nid = 5": "c.toml: claim 1: id: 5 is no text; allowed: a text",
		"claim = 1": "c.toml: claim: is not an array of tables; allowed: [[claim]]", "[claim]\nid = 'a'": "claim: is not an array of tables",
		"[[claim]]\nid = 'a'\nshare = 'x'": `claim "a": share: x is no number; allowed: a number`,
		"[[claim]]\nid = 'a'\nat = 5":      `claim "a": at: 5 is no table; allowed: { flops = X }`, "[[claim]]\nid = 'a'\nat = { flops = 'x' }": `claim "a": at: flops = x is no number`} {
		if _, err := claims.Parse("c.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestVectorsAreJudgedByTheGreatestDifference(t *testing.T) {
	list, err := claims.Parse("c.toml", []byte(every))
	if err != nil {
		t.Fatal(err)
	}
	c := list[4]
	published, err := claims.ReadPublished("s.tsv", strings.NewReader("model\tarchitecture\td0\td1\nowner/name\tbert\t1.5\t20\nowner/other\tbert\t1\t2\n"))
	if err != nil {
		t.Fatal(err)
	}
	row, ok := c.Row(published)
	if !ok || row.Model != "owner/name" {
		t.Fatalf("row %+v, %v", row, ok)
	}
	for _, test := range []struct {
		dots []float64
		want claims.Verdict
	}{
		{[]float64{1.5, 20.00009}, claims.OK}, {[]float64{1.5, 20.0002}, claims.Fail}, {[]float64{math.NaN(), 20}, claims.Fail}, {[]float64{1.5}, claims.Unknown},
	} {
		if j := claims.JudgeVectors(c, row, test.dots); j.Verdict != test.want {
			t.Errorf("%v: %+v, want %s", test.dots, j, test.want)
		}
	}
	text, err := json.Marshal(claims.JudgeVectors(c, row, []float64{1.5, 20}))
	if err != nil || !strings.Contains(string(text), `"verdict":"OK"`) || !strings.Contains(string(text), `"observed":[1.5,20]`) || !strings.Contains(string(text), `"predicted":null,"observed":[1.5,20],"interval":null,"p":null,"queries":0,"seeds":0}`) {
		t.Errorf("%s, %v", text, err)
	}
	if one, err := json.Marshal(claims.Figures{0.25}); err != nil || string(one) != "0.25" {
		t.Errorf("one figure is %s, %v", one, err)
	}
}

func TestPublishedFiguresThatCannotBeReadAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "is empty", "a\tb\tc\n": ":1: is no head", "model\tarchitecture\td\nx\ty\n": ":2: has 2 columns, the head 3", "model\tarchitecture\td\nx\ty\tz\n": `:2: d: "z" is not a number`,
	} {
		if _, err := claims.ReadPublished("s.tsv", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestTheShippedClaimsAreSound(t *testing.T) {
	name, text, err := experiments.Published()
	if err != nil {
		t.Fatal(err)
	}
	list, err := claims.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 16 || list[0].ID != "splade-tiny" || list[0].Tolerance != 1e-4 {
		t.Errorf("%d claims, the first %+v", len(list), list[0])
	}
	for _, c := range list {
		if c.Kind != claims.Vectors || c.On != "data:published" {
			t.Errorf("%+v", c)
		}
	}
}

// TestThePapersClaimsAreSound: no number of a table that is not at hand, no prediction.
func TestThePapersClaimsAreSound(t *testing.T) {
	name, text, err := experiments.Paper()
	if err != nil {
		t.Fatal(err)
	}
	list, err := claims.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[claims.Kind]int{}
	for _, c := range list {
		kinds[c.Kind]++
		if c.Value != nil || c.Predicted != "" || !strings.Contains(c.Source, "arXiv 2606.18811") {
			t.Errorf("%+v", c)
		}
	}
	if kinds[claims.Better] == 0 || kinds[claims.Equal] == 0 || kinds[claims.Collapses] == 0 || kinds[claims.Value] == 0 {
		t.Errorf("kinds %v", kinds)
	}
}
