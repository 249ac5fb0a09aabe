package hf_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
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

// tiny is a small BERT folder that a test can damage: its config and its tensors as a file has them.
type tiny struct {
	config  map[string]string
	tensors map[string]safetensors.Tensor
}

const tinyBERT = `{"model_type":"bert","vocab_size":11,"hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,
	"intermediate_size":6,"max_position_embeddings":8,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu"}`

func newTiny(t testing.TB) *tiny {
	t.Helper()
	c, err := hf.ParseConfig("c", []byte(tinyBERT))
	if err != nil {
		t.Fatal(err)
	}
	m := &tiny{config: map[string]string{}, tensors: map[string]safetensors.Tensor{}}
	for i, s := range c.Params() {
		m.put(s.Name, float32(i), s.Shape...)
	}
	delete(m.tensors, c.DecoderName())
	return m
}

// put adds a tensor with values that tell it from others.
func (m *tiny) put(name string, base float32, shape ...int) {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = base + float32(i)/1000
	}
	m.tensors[name] = safetensors.Tensor{Name: name, Shape: shape, Data: data}
}

func (m *tiny) list() []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, tensor := range m.tensors {
		out = append(out, tensor)
	}
	return out
}

func (m *tiny) rename(prefix, with string) {
	for name, tensor := range maps.Clone(m.tensors) {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			delete(m.tensors, name)
			tensor.Name = with + rest
			m.tensors[tensor.Name] = tensor
		}
	}
}

func (m *tiny) write(t testing.TB, folder string) string {
	t.Helper()
	put(t, filepath.Join(folder, "config.json"), string(edit(t, tinyBERT, m.config)))
	if err := safetensors.Write(filepath.Join(folder, "model.safetensors"), m.list(), map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	return folder
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
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
			m.tensors["bert.embeddings.position_ids"] = safetensors.Array("bert.embeddings.position_ids", []int{1, 8}, make([]int64, 8))
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
			m.tensors[query] = safetensors.Array(query, []int{4, 4}, make([]float64, 16))
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

func TestFoldersWithoutReadableWeights(t *testing.T) {
	for name, bad := range map[string]struct {
		files map[string]string
		words []string
	}{
		"nothing":            {nil, []string{"config.json"}},
		"an adapter":         {map[string]string{"adapter_config.json": `{"base_model_name_or_path":"b"}`}, []string{"adapter", `"b"`}},
		"a git-lfs pointer":  {map[string]string{"config.json": tinyBERT, "model.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"}, []string{"model.safetensors", "git lfs pull"}},
		"no weights":         {map[string]string{"config.json": tinyBERT}, []string{"neither", "model.safetensors.index.json"}},
		"pickled weights":    {map[string]string{"config.json": tinyBERT, "pytorch_model.bin": "x"}, []string{"pytorch_model.bin", "save_file"}},
		"pickled shards":     {map[string]string{"config.json": tinyBERT, "pytorch_model.bin.index.json": "{}"}, []string{"pytorch_model.bin.index.json", "save_file"}},
		"damaged weights":    {map[string]string{"config.json": tinyBERT, "model.safetensors": "12345678901"}, []string{"model.safetensors"}},
		"index without map":  {map[string]string{"config.json": tinyBERT, "model.safetensors.index.json": "{}"}, []string{"weight_map", "missing"}},
		"index not JSON":     {map[string]string{"config.json": tinyBERT, "model.safetensors.index.json": "x"}, []string{"index.json"}},
		"index empty":        {map[string]string{"config.json": tinyBERT, "model.safetensors.index.json": `{"weight_map":{}}`}, []string{"empty"}},
		"index leaves":       {map[string]string{"config.json": tinyBERT, "model.safetensors.index.json": `{"weight_map":{"a":"../a.safetensors"}}`}, []string{"../a.safetensors"}},
		"index of numbers":   {map[string]string{"config.json": tinyBERT, "model.safetensors.index.json": `{"weight_map":{"a":1}}`}, []string{`"weight_map.a"`}},
		"shard missing":      {map[string]string{"config.json": tinyBERT, "model.safetensors.index.json": `{"weight_map":{"a":"a.safetensors"}}`}, []string{"a.safetensors"}},
		"modules no list":    {map[string]string{"modules.json": "{}"}, []string{"modules.json"}},
		"modules empty":      {map[string]string{"modules.json": "[]"}, []string{"modules.json", "empty"}},
		"modules leave":      {map[string]string{"modules.json": `[{"name":"0","path":"../x","type":"sentence_transformers.models.Transformer"}]`}, []string{`"../x"`}},
		"module unknown":     {map[string]string{"modules.json": `[{"name":"0","path":"","type":"my_code.Transformer"}]`}, []string{"my_code.Transformer"}},
		"module unsupported": {map[string]string{"modules.json": `[{"name":"0","path":"","type":"sentence_transformers.models.Router"}]`}, []string{"Router", "queries and documents by different modules"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for file, text := range bad.files {
				put(t, filepath.Join(folder, file), text)
			}
			_, err := hf.Load(folder, hf.Options{})
			if err == nil {
				t.Fatal("is accepted")
			}
			for _, word := range append(bad.words, folder) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message lacks %q: %v", word, err)
				}
			}
		})
	}
	if _, err := hf.Load(filepath.Join(t.TempDir(), "x"), hf.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there gives %v", err)
	}
}

func TestShardsAndIndexMustAgree(t *testing.T) {
	write := func(t *testing.T, index map[string]string, shards ...[]safetensors.Tensor) string {
		folder := t.TempDir()
		put(t, filepath.Join(folder, "config.json"), tinyBERT)
		for i, tensors := range shards {
			if err := safetensors.Write(filepath.Join(folder, fmt.Sprintf("%d.safetensors", i)), tensors, nil); err != nil {
				t.Fatal(err)
			}
		}
		var lines []string
		for name, shard := range index {
			lines = append(lines, fmt.Sprintf("%q:%q", name, shard))
		}
		put(t, filepath.Join(folder, "model.safetensors.index.json"), `{"metadata":{"total_size":1},"weight_map":{`+strings.Join(lines, ",")+`}}`)
		return folder
	}
	split := func(t *testing.T) (map[string]string, []safetensors.Tensor, []safetensors.Tensor) {
		all := newTiny(t).list()
		slices.SortFunc(all, func(a, b safetensors.Tensor) int { return strings.Compare(a.Name, b.Name) })
		index := map[string]string{}
		for i, tensor := range all {
			index[tensor.Name] = map[bool]string{true: "0.safetensors", false: "1.safetensors"}[i < 10]
		}
		return index, all[:10], all[10:]
	}
	t.Run("whole", func(t *testing.T) {
		index, a, b := split(t)
		ck, err := hf.Load(write(t, index, a, b), hf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		checkComplete(t, ck)
	})
	for name, c := range map[string]struct {
		damage func(index map[string]string, a, b *[]safetensors.Tensor)
		word   string
	}{
		"a tensor that the index lacks": {func(index map[string]string, a, b *[]safetensors.Tensor) { delete(index, (*a)[0].Name) }, "is not in"},
		"a tensor that the shard lacks": {func(index map[string]string, a, b *[]safetensors.Tensor) { *a = (*a)[1:] }, "is not in its shard"},
		"a tensor in the other shard":   {func(index map[string]string, a, b *[]safetensors.Tensor) { index[(*a)[0].Name] = "1.safetensors" }, "puts it into"},
		"a tensor in both shards":       {func(index map[string]string, a, b *[]safetensors.Tensor) { *b = append(*b, (*a)[0]) }, "two shards"},
	} {
		t.Run(name, func(t *testing.T) {
			index, a, b := split(t)
			culprit := a[0].Name
			c.damage(index, &a, &b)
			_, err := hf.Load(write(t, index, a, b), hf.Options{})
			if err == nil || !strings.Contains(err.Error(), c.word) || !strings.Contains(err.Error(), culprit) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestSentenceTransformersLayouts(t *testing.T) {
	const v5 = `[{"idx":0,"name":"0","path":%q,"type":"sentence_transformers.sparse_encoder.models.MLMTransformer"},
		{"idx":1,"name":"1","path":"1_SpladePooling","type":"sentence_transformers.sparse_encoder.models.SpladePooling"}]`
	const v6 = `[{"idx":0,"name":"0","path":%q,"type":"sentence_transformers.base.modules.transformer.Transformer"},
		{"idx":1,"name":"1","path":"1_SpladePooling","type":"sentence_transformers.sparse_encoder.modules.splade_pooling.SpladePooling"}]`
	for name, layout := range map[string]struct {
		modules, path string
		files         map[string]string
		want          hf.SparseEncoder
	}{
		"version 5 at the root": {v5, "", map[string]string{
			"sentence_bert_config.json":         `{"max_seq_length": 200, "do_lower_case": false}`,
			"tokenizer_config.json":             `{"model_max_length": 512}`,
			"1_SpladePooling/config.json":       `{"pooling_strategy": "max", "activation_function": "relu", "word_embedding_dimension": 11}`,
			"config_sentence_transformers.json": `{"prompts": {"query": "q: ", "document": ""}, "default_prompt_name": null}`,
		}, hf.SparseEncoder{Pooling: "max", Activation: "relu", Similarity: "dot"}},
		"version 6 at the root": {v6, "", map[string]string{
			"sentence_bert_config.json":   `{"transformer_task": "fill-mask", "modality_config": {"text": {"method": "forward"}}}`,
			"tokenizer_config.json":       `{"model_max_length": 256}`,
			"1_SpladePooling/config.json": `{"pooling_strategy": "sum", "activation_function": "log1p_relu", "embedding_dimension": null}`,
		}, hf.SparseEncoder{Pooling: "sum", Activation: "log1p_relu", Similarity: "dot"}},
		"in a subfolder": {v5, "0_MLMTransformer", map[string]string{
			"0_MLMTransformer/sentence_bert_config.json": `{"max_seq_length": null, "do_lower_case": true}`,
			"0_MLMTransformer/tokenizer_config.json":     `{"model_max_length": 1000000000000000019884624838656}`,
			"1_SpladePooling/config.json":                `{"pooling_strategy": "max"}`,
		}, hf.SparseEncoder{Pooling: "max", Activation: "relu", Similarity: "dot"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			put(t, filepath.Join(folder, "modules.json"), fmt.Sprintf(layout.modules, layout.path))
			for file, text := range layout.files {
				put(t, filepath.Join(folder, file), text)
			}
			transformer := filepath.Join(folder, layout.path)
			newTiny(t).write(t, transformer)
			ck, err := hf.Load(folder, hf.Options{})
			if err != nil {
				t.Fatal(err)
			}
			checkComplete(t, ck)
			got := *ck.SparseEncoder
			if len(got.Modules) != 2 || got.Modules[0].Path != layout.path || ck.Transformer != transformer {
				t.Errorf("modules %v, transformer in %s", got.Modules, ck.Transformer)
			}
			got.Modules = nil
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", layout.want) {
				t.Errorf("read %+v, want %+v", got, layout.want)
			}
		})
	}
	for name, text := range map[string]string{
		"an unknown pooling":    `{"pooling_strategy": "mean"}`,
		"an unknown activation": `{"pooling_strategy": "max", "activation_function": "gelu"}`,
	} {
		t.Run(name, func(t *testing.T) {
			folder := newTiny(t).write(t, t.TempDir())
			put(t, filepath.Join(folder, "modules.json"), fmt.Sprintf(v5, ""))
			put(t, filepath.Join(folder, "1_SpladePooling/config.json"), text)
			if _, err := hf.Load(folder, hf.Options{}); err == nil || !strings.Contains(err.Error(), "1_SpladePooling") {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestRealCheckpoints loads three published models as their users have them.
func TestRealCheckpoints(t *testing.T) {
	root := os.Getenv("HEADROOM_DATA")
	if root == "" {
		t.Skip("HEADROOM_DATA is not set: the real checkpoints are not at hand")
	}
	for name, want := range map[string]struct {
		noHead     bool
		parameters int64 // of a tied masked language model of this shape
		sample     string
		ignored    int
	}{
		"splade-tiny":            {false, 4416698, "bert.encoder.layer.1.output.LayerNorm.weight", 0},
		"minilm-l6":              {true, 22744506, "bert.encoder.layer.5.output.LayerNorm.weight", 3},
		"lightning-ir-bert-test": {true, 33758, "bert.encoder.layer.0.output.LayerNorm.weight", 2},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(root, "checkpoints", name)
			ck, err := hf.Load(folder, hf.Options{})
			if want.noHead {
				if !errors.Is(err, hf.ErrMissingHead) {
					t.Fatalf("without an option the error is %v", err)
				}
				ck, err = hf.Load(folder, hf.Options{WithoutHead: true})
			}
			if err != nil {
				t.Fatal(err)
			}
			checkComplete(t, ck)
			if ck.MissingHead != want.noHead || ck.Tied == want.noHead || len(ck.Ignored) != want.ignored {
				t.Errorf("missing head %v, tied %v, ignored %v", ck.MissingHead, ck.Tied, ck.Ignored)
			}
			if n := ck.Config.ParameterCount(true); n != want.parameters {
				t.Errorf("%d parameters, want %d", n, want.parameters)
			}
			// A trained LayerNorm's scales are near 1: values in the wrong place or type would not be.
			mean := 0.0
			for _, x := range ck.Tensors[want.sample].Data {
				mean += float64(x) / float64(len(ck.Tensors[want.sample].Data))
			}
			if math.IsNaN(mean) || mean < 0.3 || mean > 3 {
				t.Errorf("%s has mean %v", want.sample, mean)
			}
		})
	}
}

// BenchmarkLoadBERTBase loads a random-weight folder of BERT-base's shapes, 438 MB.
func BenchmarkLoadBERTBase(b *testing.B) {
	c, err := hf.ParseConfig("c", []byte(bertBase))
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	put(b, filepath.Join(folder, "config.json"), bertBase)
	var tensors []safetensors.Tensor
	for _, s := range c.Params() {
		if s.Name == c.DecoderName() {
			continue
		}
		n := 1
		for _, d := range s.Shape {
			n *= d
		}
		tensors = append(tensors, safetensors.Tensor{Name: s.Name, Shape: s.Shape, Data: make([]float32, n)})
	}
	if err := safetensors.Write(filepath.Join(folder, "model.safetensors"), tensors, nil); err != nil {
		b.Fatal(err)
	}
	tensors = nil
	for b.Loop() {
		if _, err := hf.Load(folder, hf.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
