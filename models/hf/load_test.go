package hf_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/hf"
	"headroom/models/safetensors"
)

// reference is where the folders made by transformers are.
const reference = "../../internal/reference/testdata"

func TestLoadFoldersOfTransformers(t *testing.T) {
	for _, want := range []struct {
		name   string
		tied   bool
		shards int
	}{
		{"bert-tied", true, 1}, {"bert-untied", false, 1}, {"bert-tanh", true, 1},
		{"distilbert-tied", true, 1}, {"distilbert-untied", false, 1},
		{"roberta-tied", true, 1}, {"roberta-untied", false, 1}, {"roberta-pad", true, 1},
		{"electra-tied", true, 1}, {"electra-untied", false, 1},
		{"modernbert-tied", true, 1}, {"modernbert-untied", false, 4}, {"modernbert-window", true, 1},
	} {
		t.Run(want.name, func(t *testing.T) {
			folder := filepath.Join(reference, want.name)
			ck, err := hf.Load(folder, hf.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if ck.Tied != want.tied || ck.TiedInFile != want.tied || ck.MissingHead || ck.SparseEncoder != nil || ck.Transformer != folder {
				t.Errorf("tied %v in file %v, missing head %v, %v, %s", ck.Tied, ck.TiedInFile, ck.MissingHead, ck.SparseEncoder, ck.Transformer)
			}
			checkComplete(t, ck)

			// Every parameter has the values of its tensor in the files, under whatever name.
			files, err := filepath.Glob(filepath.Join(folder, "model*.safetensors"))
			if err != nil || len(files) != want.shards {
				t.Fatalf("%d weight files, %v", len(files), err)
			}
			seen := 0
			for _, path := range files {
				f, err := safetensors.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				for _, name := range f.Names() {
					if slices.Contains(ck.Ignored, name) {
						continue
					}
					canonical := strings.NewReplacer("LayerNorm.gamma", "LayerNorm.weight", "LayerNorm.beta", "LayerNorm.bias",
						"predictions.decoder.bias", "predictions.bias", "lm_head.decoder.bias", "lm_head.bias").Replace(name)
					values, err := f.Float32(name)
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(values, ck.Tensors[canonical].Data) {
						t.Errorf("%s differs from %s in %s", canonical, name, path)
					}
					seen++
				}
			}
			if tiedOne := len(ck.Tensors) - seen; tiedOne != map[bool]int{true: 1, false: 0}[want.tied] {
				t.Errorf("%d parameters come from no tensor", tiedOne)
			}
			if want.tied && &ck.Tensors[ck.Config.DecoderName()].Data[0] != &ck.Tensors[ck.Config.EmbeddingName()].Data[0] {
				t.Error("the tied decoder has values of its own")
			}
		})
	}
}

// checkComplete: every parameter of the config, no other, with its shape.
func checkComplete(t *testing.T, ck *hf.Checkpoint) {
	t.Helper()
	specs := ck.Config.Params()
	encoder := 0
	for _, s := range specs {
		if s.Head && ck.MissingHead {
			continue
		}
		encoder++
		p := ck.Tensors[s.Name]
		if p == nil {
			t.Errorf("%s is missing", s.Name)
			continue
		}
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		if p.Name != s.Name || !slices.Equal(p.Shape, s.Shape) || len(p.Data) != n {
			t.Errorf("%s is %q %v with %d values, want %v", s.Name, p.Name, p.Shape, len(p.Data), s.Shape)
		}
	}
	if len(ck.Tensors) != encoder {
		t.Errorf("%d tensors, the config has %d parameters", len(ck.Tensors), encoder)
	}
}

// TestOfTwoDecoderBiasesTheSecondCounts: transformers 5 writes both for an untied BERT and adds decoder.bias.
func TestOfTwoDecoderBiasesTheSecondCounts(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-untied"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(filepath.Join(reference, "bert-untied", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	first, err1 := f.Float32("cls.predictions.bias")
	second, err2 := f.Float32("cls.predictions.decoder.bias")
	if err1 != nil || err2 != nil || slices.Equal(first, second) {
		t.Fatalf("the reference should have two different biases: %v %v", err1, err2)
	}
	if !slices.Equal(ck.Tensors["cls.predictions.bias"].Data, second) {
		t.Error("the bias is not decoder.bias")
	}
	if !slices.Equal(ck.Ignored, []string{"cls.predictions.bias"}) {
		t.Errorf("ignored is %v", ck.Ignored)
	}
}

func TestFormsOfFilesThatLoad(t *testing.T) {
	for name, form := range map[string]struct {
		change func(m *tiny)
		opts   hf.Options
		check  func(t *testing.T, ck *hf.Checkpoint)
	}{
		"as it is": {func(m *tiny) {}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if !ck.Tied || !ck.TiedInFile {
				t.Error("is not tied")
			}
		}},
		"other heads and buffers": {func(m *tiny) {
			m.put("bert.pooler.dense.weight", 0, 4, 4)
			m.put("bert.pooler.dense.bias", 0, 4)
			m.put("cls.seq_relationship.weight", 0, 2, 4)
			m.tensors["bert.embeddings.position_ids"] = safetensors.Tensor{Name: "bert.embeddings.position_ids", Shape: []int{1, 8}, DType: safetensors.I64, Bytes: make([]byte, 64)}
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			want := []string{"bert.embeddings.position_ids", "bert.pooler.dense.bias", "bert.pooler.dense.weight", "cls.seq_relationship.weight"}
			if !slices.Equal(ck.Ignored, want) {
				t.Errorf("ignored is %v", ck.Ignored)
			}
		}},
		"an equal decoder in a tied model": {func(m *tiny) {
			m.put("cls.predictions.decoder.weight", 0, 11, 4)
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if !ck.Tied || ck.TiedInFile {
				t.Errorf("tied %v, in file %v", ck.Tied, ck.TiedInFile)
			}
		}},
		"another decoder in a tied model is its own, as in transformers 5": {func(m *tiny) {
			m.put("cls.predictions.decoder.weight", 77, 11, 4)
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if ck.Tied || ck.TiedInFile || ck.Tensors["cls.predictions.decoder.weight"].Data[0] != 77 {
				t.Errorf("tied %v, in file %v", ck.Tied, ck.TiedInFile)
			}
			if len(ck.Notices) != 1 || !strings.Contains(ck.Notices[0], "tie_word_embeddings is true, but") {
				t.Errorf("notices are %q", ck.Notices)
			}
		}},
		"an equal decoder in an untied model": {func(m *tiny) {
			m.config["tie_word_embeddings"] = "false"
			m.put("cls.predictions.decoder.weight", 0, 11, 4)
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if ck.Tied {
				t.Error("is tied")
			}
		}},
		"only the decoder's copy of a tied matrix": {func(m *tiny) {
			m.rename("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight")
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if !ck.Tied || !ck.TiedInFile {
				t.Error("is not tied")
			}
		}},
		"only the second bias": {func(m *tiny) {
			m.rename("cls.predictions.bias", "cls.predictions.decoder.bias")
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {}},
		"two biases of one value": {func(m *tiny) {
			first := m.tensors["cls.predictions.bias"]
			first.Name = "cls.predictions.decoder.bias"
			m.tensors[first.Name] = first
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if len(ck.Notices) != 0 {
				t.Errorf("notices are %q", ck.Notices)
			}
		}},
		"two biases that differ": {func(m *tiny) {
			m.put("cls.predictions.decoder.bias", 55, 11)
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if len(ck.Notices) != 1 || !strings.Contains(ck.Notices[0], `"cls.predictions.decoder.bias" is taken`) || ck.Tensors["cls.predictions.bias"].Data[0] != 55 {
				t.Errorf("notices are %q", ck.Notices)
			}
		}},
		"saved inside DataParallel": {func(m *tiny) { m.rename("", "module.") }, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if len(ck.Notices) != 1 || !strings.Contains(ck.Notices[0], `begins with "module."`) || !ck.TiedInFile {
				t.Errorf("notices are %q", ck.Notices)
			}
		}},
		"saved compiled inside DataParallel, without the family's prefix": {func(m *tiny) {
			m.rename("bert.", "")
			m.rename("", "module._orig_mod.")
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if len(ck.Notices) != 1 || !strings.Contains(ck.Notices[0], `"module._orig_mod."`) {
				t.Errorf("notices are %q", ck.Notices)
			}
		}},
		"keys of the config that nobody knows": {func(m *tiny) {
			m.config["fresh_attention"], m.config["another"], m.config["null_one"] = "true", "1", "null"
			m.config["torch_dtype"] = `"float16"`
		}, hf.Options{}, func(t *testing.T, ck *hf.Checkpoint) {
			if len(ck.Notices) != 2 || !strings.Contains(ck.Notices[0], "config.json: another, fresh_attention: not known") || !strings.Contains(ck.Notices[1], `dtype "float16"`) {
				t.Errorf("notices are %q", ck.Notices)
			}
		}},
		"an encoder without prefix and head": {func(m *tiny) {
			m.rename("bert.", "")
			m.rename("cls.", "drop.")
			for name := range m.tensors {
				if strings.HasPrefix(name, "drop.") {
					delete(m.tensors, name)
				}
			}
			m.put("pooler.dense.weight", 0, 4, 4)
		}, hf.Options{WithoutHead: true}, func(t *testing.T, ck *hf.Checkpoint) {
			if !ck.MissingHead || ck.Tied || ck.TiedInFile {
				t.Errorf("missing head %v, tied %v", ck.MissingHead, ck.Tied)
			}
		}},
		"a head that is not asked for": {func(m *tiny) {}, hf.Options{WithoutHead: true}, func(t *testing.T, ck *hf.Checkpoint) {
			if ck.MissingHead || len(ck.Tensors) != len(ck.Config.Params()) {
				t.Error("the head is not loaded")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTiny(t)
			form.change(m)
			ck, err := hf.Load(m.write(t, t.TempDir()), form.opts)
			if err != nil {
				t.Fatal(err)
			}
			checkComplete(t, ck)
			form.check(t, ck)
		})
	}
}

func TestFilesThatDoNotFit(t *testing.T) {
	query := "bert.encoder.layer.0.attention.self.query.weight"
	for name, bad := range map[string]struct {
		change func(m *tiny)
		words  []string
	}{
		"a parameter is missing": {func(m *tiny) { delete(m.tensors, query) }, []string{query, "[4 4]", "in no file"}},
		"a tensor too many":      {func(m *tiny) { m.put("bert.encoder.layer.1.x", 0, 1) }, []string{"bert.encoder.layer.1.x", "not a parameter", "bert model"}},
		"another layer's tensor": {func(m *tiny) { m.put("bert.encoder.layer.1.output.dense.bias", 0, 4) }, []string{"layer.1.output.dense.bias"}},
		"a task's head":          {func(m *tiny) { m.put("classifier.weight", 0, 2, 4) }, []string{"classifier.weight"}},
		"a shape":                {func(m *tiny) { m.put(query, 0, 4, 5) }, []string{query, "[4 5]", "[4 4]"}},
		"a transposed matrix":    {func(m *tiny) { m.put("bert.encoder.layer.0.output.dense.weight", 0, 6, 4) }, []string{"[6 4]", "[4 6]"}},
		"a vocabulary":           {func(m *tiny) { m.config["vocab_size"] = "12" }, []string{"word_embeddings", "[11 4]", "[12 4]", "cls.predictions.bias"}},
		"a type": {func(m *tiny) {
			m.tensors[query] = safetensors.Tensor{Name: query, Shape: []int{4, 4}, DType: safetensors.F64, Bytes: make([]byte, 128)}
		}, []string{query, "F64", "BF16"}},
		"one parameter under two names": {func(m *tiny) { m.put("bert.embeddings.LayerNorm.gamma", 0, 4) }, []string{"LayerNorm.gamma", "LayerNorm.weight"}},
		"with and without prefix":       {func(m *tiny) { m.put("embeddings.LayerNorm.weight", 0, 4) }, []string{`"embeddings.LayerNorm.weight"`}},
		"a wrapper of another kind":     {func(m *tiny) { m.rename("", "net.inner.") }, []string{`"net.inner."`, "every tensor", "bert model"}},
		"half a head": {func(m *tiny) { delete(m.tensors, "cls.predictions.transform.dense.weight") },
			[]string{"cls.predictions.transform.dense.weight"}},
		"an untied model without its decoder": {func(m *tiny) { m.config["tie_word_embeddings"] = "false" },
			[]string{"cls.predictions.decoder.weight", "tie_word_embeddings false"}},
		"another family's names": {func(m *tiny) { m.rename("bert.", "roberta.") }, []string{`"roberta.embeddings.word_embeddings.weight"`, `"bert.embeddings.word_embeddings.weight"`}},
		"no tensors at all":      {func(m *tiny) { clear(m.tensors) }, []string{"bert.embeddings.word_embeddings.weight", "no MLM head"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTiny(t)
			bad.change(m)
			folder := m.write(t, t.TempDir())
			ck, err := hf.Load(folder, hf.Options{})
			if err == nil || ck != nil {
				t.Fatal("is accepted")
			}
			for _, word := range append(bad.words, folder) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message lacks %q: %v", word, err)
				}
			}
		})
	}
	t.Run("everything is told at once", func(t *testing.T) {
		m := newTiny(t)
		delete(m.tensors, query)
		m.put("x", 0, 1)
		m.put("bert.embeddings.LayerNorm.bias", 0, 5)
		_, err := hf.Load(m.write(t, t.TempDir()), hf.Options{})
		if err == nil {
			t.Fatal("is accepted")
		}
		for _, word := range []string{query, `"x"`, "bert.embeddings.LayerNorm.bias"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("message lacks %q: %v", word, err)
			}
		}
	})
	t.Run("a missing head has its own error", func(t *testing.T) {
		m := newTiny(t)
		for name := range m.tensors {
			if strings.HasPrefix(name, "cls.") {
				delete(m.tensors, name)
			}
		}
		_, err := hf.Load(m.write(t, t.TempDir()), hf.Options{})
		if !errors.Is(err, hf.ErrMissingHead) {
			t.Errorf("error is %v", err)
		}
	})
}
