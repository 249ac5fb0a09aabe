package family_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/family"
)

// A family without a reference checkpoint would be a claim that nothing holds: package hf loads and saves each of
// these folders, and runner/engine computes with them.
func TestEveryFamilyHasAReferenceCheckpoint(t *testing.T) {
	for _, name := range strings.Split(family.Names(), ", ") {
		folders, err := filepath.Glob("../../internal/reference/testdata/" + name + "-*/reference.json")
		if err != nil || len(folders) == 0 {
			t.Errorf("%s has none (%v)", name, err)
		}
		f, err := family.ByName(name)
		if err != nil || f.Name != name || f.Class == "" || f.Graph == 0 || f.Params.Decoder == "" || f.Params.Word == "" {
			t.Errorf("%s is %+v, %v", name, f, err)
		}
	}
}

func TestAnUnknownFamilyIsAnError(t *testing.T) {
	for _, name := range []string{"", "BERT", "bert ", "gpt2", "modern"} {
		if f, err := family.ByName(name); err == nil || f.Name != "" || !strings.Contains(err.Error(), family.Names()) {
			t.Errorf("%q is %q, %v", name, f.Name, err)
		}
	}
}

func TestWhatTheTableSays(t *testing.T) {
	if got := family.New(); !slices.Equal(got, []string{"bert", "modernbert"}) {
		t.Errorf("new models are of %q", got)
	}
	for _, want := range []struct {
		name                         string
		positions, pad, first, limit int
	}{{"bert", 512, 0, 0, 512}, {"roberta", 514, 1, 2, 512}, {"roberta", 23, 3, 4, 19}, {"modernbert", 8192, 50283, 0, 8192}} {
		f, err := family.ByName(want.name)
		if err != nil || f.FirstPosition(want.pad) != want.first || f.MaxTokens(want.positions, want.pad) != want.limit {
			t.Errorf("%s: the first position is %d, the longest text %d (%v)", want.name, f.FirstPosition(want.pad), f.MaxTokens(want.positions, want.pad), err)
		}
	}
	for name, want := range map[string]bool{
		"bert bert.pooler.dense.weight": true, "bert cls.seq_relationship.bias": true, "bert cls.predictions.bias": false,
		"bert bert.encoder.layer.0.output.dense.bias": false, "roberta bert.pooler.dense.weight": false,
		"electra discriminator_predictions.dense.weight": true, "modernbert model.layers.3.attn.rotary_emb.inv_freq": true,
		"modernbert model.layers.3.attn.Wo.weight": false,
	} {
		who, tensor, _ := strings.Cut(name, " ")
		if f, err := family.ByName(who); err != nil || f.MayIgnore(tensor) != want {
			t.Errorf("%s may be ignored: %v, %v", name, f.MayIgnore(tensor), err)
		}
	}
}
