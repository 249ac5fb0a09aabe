package hf_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/hf"
	"headroom/models/safetensors"
)

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
