package hf_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"headroom/models/hf"
)

// A key that transformers has a default for may be left out: the config reads as if the default stood there.
func TestKeysThatMayBeLeftOut(t *testing.T) {
	sizes := []string{"model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
		"dim", "n_layers", "n_heads", "hidden_dim"}
	for name, text := range map[string]string{"bert": bertBase, "distilbert": distilbertBase, "modernbert": modernbertOld,
		"roberta": string(edit(t, robertaBase, map[string]string{"type_vocab_size": "2", "layer_norm_eps": "1e-12", "max_position_embeddings": "512"}))} {
		t.Run(name, func(t *testing.T) {
			whole, err := hf.ParseConfig("c", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			drop := map[string]string{}
			for _, key := range keysOf(t, text) {
				if !slices.Contains(sizes, key) {
					drop[key] = ""
				}
			}
			bare, err := hf.ParseConfig("c", edit(t, text, drop))
			if err != nil {
				t.Fatal(err)
			}
			whole.Raw, bare.Raw = nil, nil
			if !reflect.DeepEqual(whole, bare) {
				t.Errorf("reads as\n%+v, want\n%+v", bare, whole)
			}
		})
	}
}

func TestSecondSpellingsOfDistilBERT(t *testing.T) {
	c, err := hf.ParseConfig("c", edit(t, distilbertBase, map[string]string{"dim": "", "hidden_size": "768", "n_heads": "", "num_attention_heads": "6"}))
	if err != nil || c.Hidden != 768 || c.Heads != 6 || len(c.Unread) != 0 {
		t.Errorf("reads as %+v, %v", c, err)
	}
}

// sliding_window is half the window in transformers 5, if local_attention is left out.
func TestTheWindowUnderItsOtherName(t *testing.T) {
	c, err := hf.ParseConfig("c", edit(t, modernbertOld, map[string]string{"local_attention": "", "sliding_window": "20"}))
	if err != nil || c.LocalAttention != 40 {
		t.Errorf("the window is %d, %v", c.LocalAttention, err)
	}
}

func TestKeysThatNobodyKnowsAreNamed(t *testing.T) {
	c, err := hf.ParseConfig("c", edit(t, modernbertNew, map[string]string{"new_key": "1", "embedding_size": "8", "id2label": "{}", "a_null": "null",
		"rope_parameters": `{"full_attention":{"rope_theta":9,"attention_factor":2},"sliding_attention":{"rope_theta":7},"rope_theta":3}`}))
	want := []string{"embedding_size", "new_key", "rope_parameters.full_attention.attention_factor", "rope_parameters.rope_theta"}
	if err != nil || !slices.Equal(c.Unread, want) {
		t.Errorf("unread are %q, %v", c.Unread, err)
	}
}

func TestAnUnknownFamilyIsNeitherMadeNorSaved(t *testing.T) {
	if _, err := hf.NewConfig(hf.Shape{ModelType: "gpt2"}); err == nil {
		t.Error("a config of gpt2 is made")
	}
	if err := hf.Save(t.TempDir()+"/x", hf.SaveModel{Config: hf.Config{ModelType: "gpt2", Raw: []byte(`{"model_type":"gpt2"}`)}}); err == nil {
		t.Error("a gpt2 is saved")
	}
	if specs := (hf.Config{ModelType: "gpt2"}).Params(); len(specs) != 0 {
		t.Errorf("gpt2 has parameters: %v", specs)
	}
}

func keysOf(t *testing.T, text string) []string {
	t.Helper()
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(values))
}
