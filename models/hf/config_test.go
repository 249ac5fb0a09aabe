package hf_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/models/family"
	"headroom/models/hf"
)

// The configs below have the fields of published models.
const (
	bertBase = `{"architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "gradient_checkpointing": false,
		"hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02,
		"intermediate_size": 3072, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert",
		"num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0, "position_embedding_type": "absolute",
		"type_vocab_size": 2, "use_cache": true, "vocab_size": 30522}`
	distilbertBase = `{"activation": "gelu", "attention_dropout": 0.1, "dim": 768, "dropout": 0.1, "hidden_dim": 3072,
		"initializer_range": 0.02, "max_position_embeddings": 512, "model_type": "distilbert", "n_heads": 12, "n_layers": 6,
		"pad_token_id": 0, "qa_dropout": 0.1, "sinusoidal_pos_embds": false, "tie_weights_": true, "vocab_size": 30522}`
	robertaBase = `{"attention_probs_dropout_prob": 0.1, "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu",
		"hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072,
		"layer_norm_eps": 1e-05, "max_position_embeddings": 514, "model_type": "roberta", "num_attention_heads": 12,
		"num_hidden_layers": 12, "pad_token_id": 1, "type_vocab_size": 1, "vocab_size": 50265}`
	modernbertOld = `{"attention_bias": false, "attention_dropout": 0.0, "classifier_activation": "gelu",
		"classifier_bias": false, "decoder_bias": true, "embedding_dropout": 0.0, "global_attn_every_n_layers": 3,
		"global_rope_theta": 160000.0, "hidden_activation": "gelu", "hidden_size": 768, "initializer_range": 0.02,
		"intermediate_size": 1152, "layer_norm_eps": 1e-05, "local_attention": 128, "local_rope_theta": 10000.0,
		"max_position_embeddings": 8192, "mlp_bias": false, "mlp_dropout": 0.0, "model_type": "modernbert",
		"norm_bias": false, "norm_eps": 1e-05, "num_attention_heads": 12, "num_hidden_layers": 22, "pad_token_id": 50283,
		"position_embedding_type": "absolute", "vocab_size": 50368}`
	modernbertNew = `{"model_type": "modernbert", "vocab_size": 100, "hidden_size": 8, "intermediate_size": 6,
		"num_hidden_layers": 3, "num_attention_heads": 2, "hidden_activation": "gelu", "max_position_embeddings": 64,
		"norm_eps": 1e-05, "local_attention": 10, "pad_token_id": 3, "rope_parameters": {
		"full_attention": {"rope_type": "default", "rope_theta": 5000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 70}},
		"layer_types": ["sliding_attention", "full_attention", "sliding_attention"]}`
)

func TestParseConfigOfEachFamily(t *testing.T) {
	biased := func(c hf.Config) hf.Config {
		c.NormBias, c.AttentionBias, c.MLPBias, c.ClassifierBias, c.DecoderBias = true, true, true, true, true
		return c
	}
	every := make([]bool, 22)
	for i := 0; i < len(every); i += 3 {
		every[i] = true
	}
	for name, want := range map[string]struct {
		text   string
		config hf.Config
		tokens int
		count  int64 // of the tied model, as published or worked out in transformers
	}{
		"bert": {bertBase, biased(hf.Config{ModelType: "bert", Vocab: 30522, Embedding: 768, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072,
			Positions: 512, TypeVocab: 2, PadID: 0, NormEps: 1e-12, Activation: "gelu", HeadActivation: "gelu",
			EmbeddingDropout: 0.1, HiddenDropout: 0.1, AttentionDropout: 0.1, TieWordEmbeddings: true, InitStd: 0.02}), 512, 109514298},
		"distilbert": {distilbertBase, biased(hf.Config{ModelType: "distilbert", Vocab: 30522, Embedding: 768, Hidden: 768, Layers: 6, Heads: 12,
			Intermediate: 3072, Positions: 512, NormEps: 1e-12, Activation: "gelu", HeadActivation: "gelu",
			EmbeddingDropout: 0.1, HiddenDropout: 0.1, AttentionDropout: 0.1, TieWordEmbeddings: true, InitStd: 0.02}), 512, 66985530},
		"roberta": {robertaBase, biased(hf.Config{ModelType: "roberta", Vocab: 50265, Embedding: 768, Hidden: 768, Layers: 12, Heads: 12,
			Intermediate: 3072, Positions: 514, TypeVocab: 1, PadID: 1, NormEps: 1e-5, Activation: "gelu", HeadActivation: "gelu",
			EmbeddingDropout: 0.1, HiddenDropout: 0.1, AttentionDropout: 0.1, TieWordEmbeddings: true, InitStd: 0.02}), 512, 124697433},
		"modernbert": {modernbertOld, hf.Config{ModelType: "modernbert", Vocab: 50368, Embedding: 768, Hidden: 768, Layers: 22, Heads: 12,
			Intermediate: 1152, Positions: 8192, PadID: 50283, NormEps: 1e-5, Activation: "gelu", HeadActivation: "gelu",
			TieWordEmbeddings: true, InitStd: 0.02, LocalAttention: 128, GlobalTheta: 160000, LocalTheta: 10000, LayerGlobal: every,
			DecoderBias: true}, 8192, 149655232},
		"modernbert in the newer form": {modernbertNew, hf.Config{ModelType: "modernbert", Vocab: 100, Embedding: 8, Hidden: 8, Layers: 3, Heads: 2,
			Intermediate: 6, Positions: 64, PadID: 3, NormEps: 1e-5, Activation: "gelu", HeadActivation: "gelu",
			TieWordEmbeddings: true, InitStd: 0.02, LocalAttention: 10, GlobalTheta: 5000, LocalTheta: 70,
			LayerGlobal: []bool{false, true, false}, DecoderBias: true}, 64, 800 + 8 + 3*(192+64+8+96+48) + 2*8 + 8 + 64 + 8 + 100},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hf.ParseConfig("config.json", []byte(want.text))
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Raw) != want.text {
				t.Error("Raw is not the text")
			}
			got.Raw = nil
			if !reflect.DeepEqual(got, want.config) {
				t.Errorf("config is\n%+v, want\n%+v", got, want.config)
			}
			if got.MaxTokens() != want.tokens {
				t.Errorf("longest text is %d", got.MaxTokens())
			}
			if n := got.ParameterCount(true); n != want.count {
				t.Errorf("has %d parameters, want %d", n, want.count)
			}
			if more := got.ParameterCount(false) - want.count; more != int64(got.Vocab*got.Hidden) {
				t.Errorf("an own decoder has %d parameters", more)
			}
		})
	}
}

func TestSpellingsOfActivations(t *testing.T) {
	for spelt, want := range map[string]string{"gelu": hf.GELU, "gelu_python": hf.GELU, "gelu_new": hf.GELUTanh,
		"gelu_pytorch_tanh": hf.GELUTanh, "relu": hf.ReLU, "silu": hf.SiLU, "swish": hf.SiLU} {
		c, err := hf.ParseConfig("c", edit(t, bertBase, map[string]string{"hidden_act": fmt.Sprintf("%q", spelt)}))
		if err != nil || c.Activation != want || c.HeadActivation != want {
			t.Errorf("%s reads as %q and %q, %v", spelt, c.Activation, c.HeadActivation, err)
		}
	}
	c, err := hf.ParseConfig("c", edit(t, robertaBase, map[string]string{"hidden_act": `"relu"`}))
	if err != nil || c.Activation != hf.ReLU || c.HeadActivation != hf.GELU {
		t.Errorf("RoBERTa's head has %q (%v), transformers fixes it to gelu", c.HeadActivation, err)
	}
}

func TestBothFormsOfModernBERTMayStandTogetherIfTheyAgree(t *testing.T) {
	both := map[string]string{"global_rope_theta": "5000.0", "local_rope_theta": "70"}
	if _, err := hf.ParseConfig("c", edit(t, modernbertNew, both)); err != nil {
		t.Errorf("agreeing thetas are refused: %v", err)
	}
	// rope_parameters without a theta takes it from the older key, as transformers does.
	c, err := hf.ParseConfig("c", edit(t, modernbertNew, map[string]string{"local_rope_theta": "71",
		"rope_parameters": `{"full_attention":{"rope_type":"default","rope_theta":9},"sliding_attention":{"rope_type":"default"}}`}))
	if err != nil || c.GlobalTheta != 9 || c.LocalTheta != 71 {
		t.Errorf("thetas are %v and %v, %v", c.GlobalTheta, c.LocalTheta, err)
	}
}

// edit replaces, adds or (with "") removes members of a JSON object.
func edit(t testing.TB, text string, changes map[string]string) []byte {
	t.Helper()
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		if v == "" {
			delete(values, k)
		} else {
			values[k] = json.RawMessage(v)
		}
	}
	out, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFaultyConfigs(t *testing.T) {
	for name, bad := range map[string]struct {
		base    string
		changes map[string]string
		words   []string
	}{
		"no model_type":        {bertBase, map[string]string{"model_type": ""}, []string{`"model_type"`, "missing"}},
		"empty model_type":     {bertBase, map[string]string{"model_type": `""`}, []string{`"model_type"`, "empty"}},
		"unknown model_type":   {bertBase, map[string]string{"model_type": `"gpt2"`}, []string{`"gpt2"`, family.Names()}},
		"model_type in caps":   {bertBase, map[string]string{"model_type": `"BERT"`}, []string{`"BERT"`}},
		"model_type a number":  {bertBase, map[string]string{"model_type": `7`}, []string{`"model_type"`, "string"}},
		"a size missing":       {bertBase, map[string]string{"hidden_size": ""}, []string{`"hidden_size"`, "missing"}},
		"a size null":          {bertBase, map[string]string{"vocab_size": "null"}, []string{`"vocab_size"`, "missing"}},
		"a size zero":          {bertBase, map[string]string{"num_hidden_layers": "0"}, []string{`"num_hidden_layers"`, "range"}},
		"a size negative":      {bertBase, map[string]string{"intermediate_size": "-1"}, []string{`"intermediate_size"`, "-1"}},
		"a size absurd":        {bertBase, map[string]string{"vocab_size": "1000000000000"}, []string{`"vocab_size"`, "range"}},
		"a size beyond int64":  {bertBase, map[string]string{"vocab_size": "1e30"}, []string{`"vocab_size"`, "whole"}},
		"a size a fraction":    {bertBase, map[string]string{"hidden_size": "768.5"}, []string{`"hidden_size"`, "whole"}},
		"a size a string":      {bertBase, map[string]string{"hidden_size": `"768"`}, []string{`"hidden_size"`, "whole"}},
		"heads do not divide":  {bertBase, map[string]string{"num_attention_heads": "7"}, []string{`"num_attention_heads"`, "7", "768"}},
		"epsilon null":         {bertBase, map[string]string{"layer_norm_eps": "null"}, []string{`"layer_norm_eps"`, "null"}},
		"epsilon zero":         {bertBase, map[string]string{"layer_norm_eps": "0"}, []string{`"layer_norm_eps"`}},
		"epsilon large":        {bertBase, map[string]string{"layer_norm_eps": "3"}, []string{`"layer_norm_eps"`}},
		"dropout 1":            {bertBase, map[string]string{"hidden_dropout_prob": "1"}, []string{`"hidden_dropout_prob"`}},
		"dropout negative":     {bertBase, map[string]string{"hidden_dropout_prob": "-0.1"}, []string{`"hidden_dropout_prob"`}},
		"unknown activation":   {bertBase, map[string]string{"hidden_act": `"mish"`}, []string{`"hidden_act"`, `"mish"`, "gelu_new"}},
		"pad beyond vocab":     {bertBase, map[string]string{"pad_token_id": "30522"}, []string{`"pad_token_id"`, "30522"}},
		"relative positions":   {bertBase, map[string]string{"position_embedding_type": `"relative_key"`}, []string{`"position_embedding_type"`, "absolute"}},
		"a decoder":            {bertBase, map[string]string{"is_decoder": "true"}, []string{`"is_decoder"`}},
		"causal":               {modernbertNew, map[string]string{"is_causal": "true"}, []string{`"is_causal"`, "true is not supported", "false"}},
		"causal BERT":          {bertBase, map[string]string{"is_causal": "true"}, []string{`"is_causal"`}},
		"an encoder-decoder":   {bertBase, map[string]string{"is_encoder_decoder": "true"}, []string{`"is_encoder_decoder"`}},
		"pruned heads":         {bertBase, map[string]string{"pruned_heads": `{"0":[1]}`}, []string{`"pruned_heads"`}},
		"layers of own kinds":  {bertBase, map[string]string{"per_layer_config": `{"0":{}}`}, []string{`"per_layer_config"`}},
		"type of numbers":      {bertBase, map[string]string{"dtype": `"float8"`}, []string{`"dtype"`, "float8", "bfloat16"}},
		"cross attention":      {bertBase, map[string]string{"add_cross_attention": "true"}, []string{`"add_cross_attention"`}},
		"tie not a bool":       {bertBase, map[string]string{"tie_word_embeddings": `"no"`}, []string{`"tie_word_embeddings"`}},
		"quantized":            {bertBase, map[string]string{"quantization_config": "{}"}, []string{`"quantization_config"`}},
		"own code":             {bertBase, map[string]string{"auto_map": "{}"}, []string{`"auto_map"`}},
		"BERT's key in Distil": {distilbertBase, map[string]string{"hidden_size": "64"}, []string{`"hidden_size"`, "64", "contradicts dim 768"}},
		"RoBERTa without pad":  {robertaBase, map[string]string{"pad_token_id": "null"}, []string{`"pad_token_id"`}},
		"RoBERTa too short":    {robertaBase, map[string]string{"max_position_embeddings": "2"}, []string{`"max_position_embeddings"`}},
		"theta null":           {modernbertOld, map[string]string{"local_rope_theta": "null"}, []string{`"local_rope_theta"`, "null"}},
		"theta negative":       {modernbertOld, map[string]string{"local_rope_theta": "-1"}, []string{`"local_rope_theta"`}},
		"pattern 0":            {modernbertOld, map[string]string{"global_attn_every_n_layers": "0"}, []string{`"global_attn_every_n_layers"`}},
		"two windows":          {modernbertOld, map[string]string{"sliding_window": "63"}, []string{`"sliding_window"`, "63", "contradicts local_attention 128"}},
		"another head width":   {modernbertOld, map[string]string{"head_dim": "32"}, []string{`"head_dim"`, "64"}},
		"odd head width":       {modernbertNew, map[string]string{"num_attention_heads": "8"}, []string{`"num_attention_heads"`, "odd"}},
		"scaled rotation":      {modernbertNew, map[string]string{"rope_scaling": "{}"}, []string{`"rope_scaling"`}},
		"layer types short":    {modernbertNew, map[string]string{"layer_types": `["full_attention"]`}, []string{`"layer_types"`, "1 entries"}},
		"layer type unknown":   {modernbertNew, map[string]string{"layer_types": `["full_attention","full_attention","x"]`}, []string{"layer_types[2]", `"x"`}},
		"layer types no list":  {modernbertNew, map[string]string{"layer_types": `"full"`}, []string{`"layer_types"`}},
		"patterns contradict":  {modernbertNew, map[string]string{"global_attn_every_n_layers": "3"}, []string{`"layer_types"`, "contradicts"}},
		"thetas contradict":    {modernbertNew, map[string]string{"global_rope_theta": "160000"}, []string{"160000", "5000", "contradicts"}},
		"rope no object":       {modernbertNew, map[string]string{"rope_parameters": "3"}, []string{`"rope_parameters"`}},
		"yarn": {modernbertNew, map[string]string{"rope_parameters": `{"full_attention":{"rope_type":"yarn","rope_theta":9},"sliding_attention":{"rope_theta":9}}`},
			[]string{`"yarn"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hf.ParseConfig("some/config.json", edit(t, bad.base, bad.changes))
			if err == nil {
				t.Fatal("is accepted")
			}
			for _, word := range append(bad.words, "some/config.json") {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message lacks %q: %v", word, err)
				}
			}
		})
	}
}

func TestTextThatIsNoConfig(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{", `{"model_type":`, `{"a":1,"a":2}`, "{}x", `{"model_type": NaN}`, strings.Repeat("[", 100000)} {
		if _, err := hf.ParseConfig("some/config.json", []byte(text)); err == nil || !strings.Contains(err.Error(), "some/config.json") {
			t.Errorf("%.20q gives %v", text, err)
		}
	}
}

func TestAllFaultsOfAConfigAreToldAtOnce(t *testing.T) {
	_, err := hf.ParseConfig("c", edit(t, bertBase, map[string]string{"hidden_size": "", "vocab_size": "-3", "hidden_act": `"x"`, "num_hidden_layers": "null"}))
	if err == nil {
		t.Fatal("is accepted")
	}
	for _, field := range []string{"hidden_size", "vocab_size", "hidden_act", "num_hidden_layers"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("message lacks %q: %v", field, err)
		}
	}
}

// FuzzParseConfig: no panic, and what is accepted is safe to build from.
func FuzzParseConfig(f *testing.F) {
	for _, text := range []string{bertBase, distilbertBase, robertaBase, modernbertOld, modernbertNew} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := hf.ParseConfig("c", text)
		if err != nil {
			return
		}
		if c.Heads < 1 || c.Hidden%c.Heads != 0 || c.Vocab < 1 || c.MaxTokens() < 1 || c.PadID >= c.Vocab || !(c.NormEps > 0) || math.IsInf(c.NormEps, 0) {
			t.Fatalf("accepted %+v", c)
		}
		if c.Graph() == family.Rotary && (len(c.LayerGlobal) != c.Layers || !(c.GlobalTheta > 0) || !(c.LocalTheta > 0) || c.HeadDim()%2 != 0) {
			t.Fatalf("accepted %+v", c)
		}
		names := map[string]bool{}
		for _, p := range c.Params() {
			if names[p.Name] || slices.Contains(p.Shape, 0) {
				t.Fatalf("parameter %q %v", p.Name, p.Shape)
			}
			names[p.Name] = true
		}
		if !names[c.EmbeddingName()] || !names[c.DecoderName()] || names[c.DecoderBiasName()] != c.DecoderBias {
			t.Fatalf("embedding or decoder are not parameters of %+v", c)
		}
		out, err := c.JSON(!c.TieWordEmbeddings)
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		if again, err := hf.ParseConfig("c", out); err != nil || again.TieWordEmbeddings == c.TieWordEmbeddings {
			t.Fatalf("reads back as %+v, %v", again, err)
		}
	})
}
