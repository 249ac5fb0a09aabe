package hf_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/hf"
)

func TestWritingAChangedConfigKeepsWhatItDoesNotKnow(t *testing.T) {
	c, err := hf.ParseConfig("c", edit(t, bertBase, map[string]string{"my_note": `"kept"`, "torch_dtype": `"float16"`, "hidden_act": `"gelu_pytorch_tanh"`}))
	if err != nil {
		t.Fatal(err)
	}
	c.HiddenDropout, c.EmbeddingDropout, c.AttentionDropout, c.InitStd = 0, 0, 0, 1
	out, err := c.JSON(false)
	if err != nil {
		t.Fatal(err)
	}
	text := string(out)
	for _, want := range []string{`"my_note": "kept"`, `"hidden_dropout_prob": 0.0`, `"attention_probs_dropout_prob": 0.0`,
		`"initializer_range": 1.0`, `"tie_word_embeddings": false`, `"hidden_act": "gelu_pytorch_tanh"`, `"dtype": "float32"`} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, "torch_dtype") {
		t.Error("the dtype of the source is still there")
	}
}

// TestModernBERTIsWrittenForBothVersions: transformers 4 does not read rope_parameters and layer_types.
func TestModernBERTIsWrittenForBothVersions(t *testing.T) {
	for name, c := range map[string]struct{ types, every string }{
		"a regular pattern":    {`["full_attention","sliding_attention","full_attention"]`, `"global_attn_every_n_layers": 2`},
		"one global layer":     {`["full_attention","sliding_attention","sliding_attention"]`, `"global_attn_every_n_layers": 3`},
		"global layers only":   {`["full_attention","full_attention","full_attention"]`, `"global_attn_every_n_layers": 1`},
		"an irregular pattern": {`["sliding_attention","full_attention","full_attention"]`, ""},
	} {
		config, err := hf.ParseConfig("c", edit(t, modernbertNew, map[string]string{"layer_types": c.types}))
		if err != nil {
			t.Fatal(err)
		}
		out, err := config.JSON(true)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range []string{`"global_rope_theta": 5000.0`, `"local_rope_theta": 70.0`, c.every, `"rope_parameters"`, `"layer_types"`} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: lacks %s:\n%s", name, want, out)
			}
		}
		if c.every == "" && strings.Contains(string(out), "global_attn_every_n_layers") {
			t.Errorf("%s is given as a period:\n%s", name, out)
		}
	}
}

func TestNewConfig(t *testing.T) {
	bert := hf.Shape{ModelType: "bert", Vocab: 500, Hidden: 32, Layers: 2, Heads: 4, Intermediate: 64, Positions: 128,
		Tie: true, InitStd: 0.05, Dropout: 0.1, CLS: 2, SEP: 3, PAD: 0}
	modern := bert
	modern.ModelType, modern.Dropout, modern.LocalAttention, modern.GlobalEvery = "modernbert", 0, 16, 3
	modern.Layers, modern.LocalTheta = 5, 500
	c, err := hf.NewConfig(bert)
	if err != nil {
		t.Fatal(err)
	}
	if c.ModelType != "bert" || c.TypeVocab != 2 || c.NormEps != 1e-12 || c.HiddenDropout != 0.1 || c.EmbeddingDropout != 0.1 ||
		c.AttentionDropout != 0.1 || c.InitStd != 0.05 || !c.TieWordEmbeddings || !c.DecoderBias || c.Activation != hf.GELU {
		t.Errorf("BERT's is %+v", c)
	}
	m, err := hf.NewConfig(modern)
	if err != nil {
		t.Fatal(err)
	}
	if m.ModelType != "modernbert" || m.GlobalTheta != 160000 || m.LocalTheta != 500 || m.LocalAttention != 16 || m.NormBias ||
		!m.DecoderBias || !slices.Equal(m.LayerGlobal, []bool{true, false, false, true, false}) || m.NormEps != 1e-5 {
		t.Errorf("ModernBERT's is %+v", m)
	}
	for _, c := range []hf.Config{c, m} {
		if _, err := c.JSON(false); err != nil {
			t.Errorf("%s cannot be written: %v", c.ModelType, err)
		}
	}
	for name, change := range map[string]func(s *hf.Shape){
		"another family":    func(s *hf.Shape) { s.ModelType = "roberta" },
		"heads":             func(s *hf.Shape) { s.Heads = 5 },
		"no layers":         func(s *hf.Shape) { s.Layers = 0 },
		"pad beyond":        func(s *hf.Shape) { s.PAD = 500 },
		"dropout 1":         func(s *hf.Shape) { s.Dropout = 1 },
		"no window":         func(s *hf.Shape) { s.LocalAttention = 0 },
		"no global layers":  func(s *hf.Shape) { s.GlobalEvery = 0 },
		"odd width of head": func(s *hf.Shape) { s.Heads = 32 },
	} {
		s := modern
		change(&s)
		if _, err := hf.NewConfig(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestSaveNewModels: shapes of our own, with weights that are set rather than drawn; the export is for check_export.py.
func TestSaveNewModels(t *testing.T) {
	root := *export
	if root == "" {
		root = t.TempDir()
	}
	for _, s := range []hf.Shape{
		{ModelType: "bert", Vocab: 60, Hidden: 8, Layers: 1, Heads: 2, Intermediate: 12, Positions: 32, Tie: true, InitStd: 0.02, CLS: 2, SEP: 3},
		{ModelType: "modernbert", Vocab: 60, Hidden: 8, Layers: 4, Heads: 2, Intermediate: 12, Positions: 32, Tie: true, InitStd: 0.02,
			Dropout: 0.1, CLS: 2, SEP: 3, LocalAttention: 8, GlobalEvery: 3},
	} {
		c, err := hf.NewConfig(s)
		if err != nil {
			t.Fatal(err)
		}
		m := hf.SaveModel{Config: c, Tied: true, Params: map[string]*hf.Param{}, MaxSeqLength: 32,
			Tokenizer: wordPiece(t, 60)}
		for i, p := range c.Params() {
			n := 1
			for _, d := range p.Shape {
				n *= d
			}
			data := make([]float32, n)
			for j := range data {
				data[j] = float32((j*7+i*3)%11-5) / 20
			}
			m.Params[p.Name] = &hf.Param{Name: p.Name, Shape: p.Shape, Data: data}
		}
		folder := filepath.Join(root, "new-"+s.ModelType)
		if err := hf.Save(folder, m); err != nil {
			t.Fatal(err)
		}
		ck, err := hf.Load(folder, hf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkComplete(t, ck)
		if !ck.TiedInFile {
			t.Error("is not tied")
		}
	}
}
