package hf_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"headroom/models/hf"
)

// sparse writes a tiny sparse encoder and files over it.
func sparse(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := newTiny(t).write(t, t.TempDir())
	put(t, filepath.Join(folder, "modules.json"), modules("sparse_encoder.modules.splade_pooling.SpladePooling"))
	put(t, filepath.Join(folder, "1_SpladePooling/config.json"), `{}`)
	for name, text := range files {
		put(t, filepath.Join(folder, name), text)
	}
	return folder
}

// modules is a modules.json: a transformer and others behind it.
func modules(others ...string) string {
	text := `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"}`
	for i, other := range others {
		text += fmt.Sprintf(`,{"idx":%d,"name":"%d","path":"%d_%s","type":"sentence_transformers.%s"}`, i+1, i+1, i+1, other[strings.LastIndexByte(other, '.')+1:], other)
	}
	return text + "]"
}

func TestWhatASparseEncodersFilesSayIsObeyedOrRefused(t *testing.T) {
	const encoder = "config_sentence_transformers.json"
	splade := "sparse_encoder.modules.splade_pooling.SpladePooling"
	for name, test := range map[string]struct{ file, text, want string }{
		"Dense behind it":       {"modules.json", modules(splade, "base.modules.dense.Dense"), "it has Dense beside the transformer and SpladePooling"},
		"Normalize behind it":   {"modules.json", modules(splade, "sentence_transformer.modules.normalize.Normalize"), "it has Normalize beside"},
		"pooled twice":          {"modules.json", modules(splade, splade), "it has SpladePooling beside"},
		"something before it":   {"modules.json", modules("sentence_transformer.modules.dropout.Dropout", splade), "it has Dropout beside"},
		"arguments of a module": {"modules.json", strings.Replace(modules(splade), `"idx":1`, `"kwargs":["task"],"idx":1`, 1), `field "kwargs"`},
		"a similarity":          {encoder, `{"similarity_fn_name": "maxsim"}`, `field "similarity_fn_name": "maxsim" is not known (allowed: dot, cosine, euclidean, manhattan)`},
		"another kind of model": {encoder, `{"model_type": "SentenceTransformer"}`, `field "model_type": "SentenceTransformer" does not go with SpladePooling (allowed: "SparseEncoder")`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hf.Load(sparse(t, map[string]string{test.file: test.text}), hf.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.file) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	for name, want := range map[string]string{"{}": "dot", `{"similarity_fn_name": null}`: "dot", `{"similarity_fn_name": "cosine"}`: "cosine", `{"similarity_fn_name": "euclidean"}`: "euclidean"} {
		ck, err := hf.Load(sparse(t, map[string]string{encoder: name}), hf.Options{})
		if err != nil || ck.SparseEncoder.Similarity != want || ck.SparseEncoder.Pooling != "max" || ck.SparseEncoder.Activation != "relu" {
			t.Errorf("%s: %+v, %v", name, ck, err)
		}
	}
}

func TestWhatIsNotKnownIsNamed(t *testing.T) {
	folder := sparse(t, map[string]string{
		"config_sentence_transformers.json": `{"model_type": "SparseEncoder", "__version__": {}, "prompts": {}, "truncate_dim": 7, "novel": 1}`,
		"1_SpladePooling/config.json":       `{"pooling_strategy": "sum", "word_embedding_dimension": 9, "temperature": 2}`,
		"idf.json":                          `{}`, "query_weights/x.json": `{}`, "README.md": "", "onnx/model.onnx": "", "tokenizer.json": "{}", ".gitattributes": "",
	})
	ck, err := hf.Load(folder, hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	notices := strings.Join(ck.Notices, "\n")
	for _, want := range []string{"config_sentence_transformers.json: novel, truncate_dim: not known", "1_SpladePooling/config.json: temperature: not known", ": idf.json, query_weights: not known, so not read"} {
		if !strings.Contains(notices, want) {
			t.Errorf("%q is not in\n%s", want, notices)
		}
	}
	if len(ck.Notices) != 3 {
		t.Errorf("notices %q", ck.Notices)
	}
	plain, err := hf.Load(sparse(t, nil), hf.Options{})
	if err != nil || len(plain.Notices) > 0 {
		t.Errorf("of a plain folder: %q, %v", plain.Notices, err)
	}
}
