package hf_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headroom/models/hf"
	"headroom/models/safetensors"
)

// With -export DIR the test of Save leaves its folders in DIR/<case>[-untied], for internal/reference/check_export.py.
var export = flag.String("export", "", "keep the saved reference models in this folder")

// rescaleBy is the factor on the decoder of the untied exports; check_export.py has the same value.
const rescaleBy = 4

// wordPiece is a small uncased tokenizer.json whose ids fill the vocabulary.
func wordPiece(t testing.TB, vocab int) []byte {
	t.Helper()
	tokens := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	for c := 'a'; c <= 'z'; c++ {
		tokens = append(tokens, string(c), "##"+string(c))
	}
	for len(tokens) < vocab {
		tokens = append(tokens, fmt.Sprintf("<word%d>", len(tokens)))
	}
	var lines, added []string
	for id, token := range tokens[:vocab] {
		lines = append(lines, fmt.Sprintf("%q:%d", token, id))
		if id < 5 {
			added = append(added, fmt.Sprintf(`{"id":%d,"content":%q,"single_word":false,"lstrip":%v,"rstrip":false,"normalized":false,"special":true}`,
				id, token, token == "[MASK]"))
		}
	}
	return []byte(`{"version":"1.0","truncation":null,"padding":null,"added_tokens":[` + strings.Join(added, ",") + `],
		"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
		"pre_tokenizer":{"type":"BertPreTokenizer"},
		"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
		"pair":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}},{"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"[SEP]","type_id":1}}],
		"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},
		"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
		"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{` + strings.Join(lines, ",") + `}}}`)
}

// fromCheckpoint is a loaded model as it would be saved, with the decoder scaled if it is untied.
func fromCheckpoint(t testing.TB, ck *hf.Checkpoint, tied bool) hf.SaveModel {
	t.Helper()
	m := hf.SaveModel{
		Config: ck.Config, Tied: tied, Params: map[string]*hf.Param{}, MaxSeqLength: min(ck.Config.MaxTokens(), 256),
		Tokenizer: wordPiece(t, ck.Config.Vocab),
	}
	for name, p := range ck.Tensors {
		if !tied && (name == ck.Config.DecoderName() || name == ck.Config.DecoderBiasName()) {
			scaled := make([]float32, len(p.Data))
			for i, x := range p.Data {
				scaled[i] = x * rescaleBy
			}
			p = &hf.Param{Name: name, Shape: p.Shape, Data: scaled}
		}
		m.Params[name] = p
	}
	return m
}

func TestSaveAndLoadAgain(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(reference, "*", "config.json"))
	if err != nil || len(folders) < 8 {
		t.Fatalf("%d reference folders, %v", len(folders), err)
	}
	root := *export
	if root == "" {
		root = t.TempDir()
	}
	for _, configPath := range folders {
		ck, err := hf.Load(filepath.Dir(configPath), hf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, tied := range []bool{true, false} {
			if tied && !ck.Tied {
				continue
			}
			name := filepath.Base(ck.Folder)
			if ck.Tied && !tied {
				name += "-untied"
			}
			t.Run(name, func(t *testing.T) {
				m := fromCheckpoint(t, ck, tied)
				folder := filepath.Join(root, name)
				if err := hf.Save(folder, m); err != nil {
					t.Fatal(err)
				}
				again, err := hf.Load(folder, hf.Options{})
				if err != nil {
					t.Fatal(err)
				}
				checkComplete(t, again)
				for name, p := range m.Params {
					if !slices.Equal(again.Tensors[name].Data, p.Data) {
						t.Errorf("%s changed", name)
					}
				}
				if again.Tied != tied || again.Config.TieWordEmbeddings != tied {
					t.Errorf("tied is %v, in the config %v, saved as %v", again.Tied, again.Config.TieWordEmbeddings, tied)
				}
				se := again.SparseEncoder
				if se == nil || se.Pooling != "max" || se.Activation != "relu" {
					t.Errorf("sentence-transformers' files read as %+v", se)
				}
				same, was := again.Config, ck.Config
				same.Raw, was.Raw, was.Half, was.TieWordEmbeddings = nil, nil, "", tied
				if !reflect.DeepEqual(same, was) {
					t.Errorf("config is %+v, was %+v", same, was)
				}

				// What a reader that goes by names needs: the decoder in the file exactly if it is untied, and
				// the bias under the name that transformers would otherwise fill with zeros.
				f, err := safetensors.Open(filepath.Join(folder, "model.safetensors"))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if _, _, has := f.Info(ck.Config.DecoderName()); has == tied {
					t.Errorf("tied %v, decoder in the file %v", tied, has)
				}
				if second := map[string]string{"bert": "cls.predictions.decoder.bias", "roberta": "lm_head.decoder.bias"}[ck.Config.ModelType]; second != "" {
					if bias, err := f.Float32(second); err != nil || !slices.Equal(bias, m.Params[ck.Config.DecoderBiasName()].Data) {
						t.Errorf("the second bias is not the first: %v", err)
					}
				}
				for _, name := range f.Names() {
					if dtype, _, _ := f.Info(name); dtype != safetensors.F32 {
						t.Errorf("%s is stored as %s", name, dtype)
					}
				}
				if f.Metadata()["format"] != "pt" {
					t.Error("transformers 4 asks for the format in the metadata")
				}
			})
		}
	}
}

func TestSavedFilesWordForWord(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "roberta-untied"), hf.Options{}) // BF16: dtype must change
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "model")
	m := fromCheckpoint(t, ck, false)
	m.Pooling, m.Activation, m.Card, m.MaxSeqLength = "sum", "log1p_relu", "the card\n", 17
	if err := hf.Save(folder, m); err != nil {
		t.Fatal(err)
	}
	var files []string
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(folder, path)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	if want := []string{"1_SpladePooling/config.json", "MANIFEST", "README.md", "config.json", "config_sentence_transformers.json",
		"model.safetensors", "modules.json", "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json",
		"tokenizer_config.json", "vocab.txt"}; !slices.Equal(files, want) {
		t.Errorf("files are %v", files)
	}
	for name, want := range map[string]string{
		"1_SpladePooling/config.json": "{\n  \"pooling_strategy\": \"sum\",\n  \"activation_function\": \"log1p_relu\",\n  \"word_embedding_dimension\": 47\n}\n",
		"sentence_bert_config.json":   "{\n  \"max_seq_length\": 17,\n  \"do_lower_case\": false\n}\n",
		"README.md":                   "the card\n",
		"tokenizer.json":              string(m.Tokenizer),
	} {
		if got := read(t, folder, name); got != want {
			t.Errorf("%s is\n%s", name, got)
		}
	}
	for name, want := range map[string]string{
		"modules.json": `[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.sparse_encoder.models.MLMTransformer"},
			{"idx": 1, "name": "1", "path": "1_SpladePooling", "type": "sentence_transformers.sparse_encoder.models.SpladePooling"}]`,
		"config_sentence_transformers.json": `{"__version__": {"pytorch": "2.6.0", "sentence_transformers": "5.0.0", "transformers": "4.48.0"},
			"default_prompt_name": null, "model_type": "SparseEncoder", "prompts": {"document": "", "query": ""}, "similarity_fn_name": "dot"}`,
		"special_tokens_map.json": `{"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]",
			"mask_token": {"content": "[MASK]", "lstrip": true, "normalized": false, "rstrip": false, "single_word": false}}`,
	} {
		var got, expected any
		if err := json.Unmarshal([]byte(read(t, folder, name)), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("%s is\n%s", name, read(t, folder, name))
		}
	}
	config := read(t, folder, "config.json")
	for _, want := range []string{`"dtype": "float32"`, `"tie_word_embeddings": false`, `"RobertaForMaskedLM"`, `"hidden_act": "relu"`} {
		if !strings.Contains(config, want) {
			t.Errorf("config.json lacks %s:\n%s", want, config)
		}
	}
	if vocab := strings.Split(read(t, folder, "vocab.txt"), "\n"); len(vocab) != 48 || vocab[0] != "[PAD]" || vocab[6] != "##a" {
		t.Errorf("vocab.txt is %q", vocab)
	}

	t.Run("equal models give equal bytes", func(t *testing.T) {
		other := filepath.Join(t.TempDir(), "model")
		if err := hf.Save(other, m); err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if read(t, folder, name) != read(t, other, name) {
				t.Errorf("%s differs", name)
			}
		}
	})
	t.Run("nothing is left beside the folder", func(t *testing.T) {
		entries, err := os.ReadDir(filepath.Dir(folder))
		if err != nil || len(entries) != 1 {
			t.Errorf("beside it: %v, %v", entries, err)
		}
	})
}

// TestWhatTransformersReadsElsewhereIsWrittenThereToo: the side of truncation and the first space go into
// tokenizer_config.json as tokenizer.json has them, a role's token as it is given.
func TestWhatTransformersReadsElsewhereIsWrittenThereToo(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-tied"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := fromCheckpoint(t, ck, true)
	plain := string(m.Tokenizer)
	left := `"truncation":{"direction":"Left","max_length":512,"strategy":"LongestFirst","stride":0}`
	for _, test := range []struct{ from, to, want, not string }{
		{"", "", "", `"truncation_side"`},
		{`"truncation":null`, left, `"truncation_side": "left"`, `"add_prefix_space"`},
		{`"truncation":null`, strings.Replace(left, "Left", "Right", 1), "", `"truncation_side"`},
		{`{"type":"BertPreTokenizer"}`, `{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}`, `"add_prefix_space": true`, `"truncation_side"`},
	} {
		folder := filepath.Join(t.TempDir(), "model")
		m.Tokenizer = []byte(strings.Replace(plain, test.from, test.to, 1))
		m.SpecialTokens = map[string]string{"pad_token": "[UNK]"}
		m.QueryPrompt = "find: "
		if err := hf.Save(folder, m); err != nil {
			t.Fatal(err)
		}
		config := read(t, folder, "tokenizer_config.json")
		if !strings.Contains(config, test.want) || strings.Contains(config, test.not) || !strings.Contains(config, `"pad_token": "[UNK]"`) || !strings.Contains(config, `"cls_token": "[CLS]"`) {
			t.Errorf("%s: tokenizer_config.json is %s", test.to, config)
		}
		if encoder := read(t, folder, "config_sentence_transformers.json"); !strings.Contains(encoder, `"query": "find: "`) || !strings.Contains(encoder, `"document": ""`) {
			t.Errorf("config_sentence_transformers.json is %s", encoder)
		}
	}
}

func read(t testing.TB, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSaveRefuses(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-tanh"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(m *hf.SaveModel)
		word   string
	}{
		"a missing parameter":  {func(m *hf.SaveModel) { delete(m.Params, "cls.predictions.bias") }, `"cls.predictions.bias" is missing`},
		"a missing decoder":    {func(m *hf.SaveModel) { delete(m.Params, "cls.predictions.decoder.weight"); m.Tied = false }, "decoder.weight"},
		"a parameter too many": {func(m *hf.SaveModel) { m.Params["x"] = &hf.Param{Name: "x"} }, `"x" is not one`},
		"a wrong shape": {func(m *hf.SaveModel) {
			m.Params["cls.predictions.bias"] = &hf.Param{Shape: []int{3}, Data: make([]float32, 3)}
		}, "[3]"},
		"too few values":        {func(m *hf.SaveModel) { m.Params["cls.predictions.bias"] = &hf.Param{Shape: []int{41}} }, "needs 164"},
		"an unknown pooling":    {func(m *hf.SaveModel) { m.Pooling = "mean" }, `"mean"`},
		"an unknown activation": {func(m *hf.SaveModel) { m.Activation = "gelu" }, `"gelu"`},
		"no length":             {func(m *hf.SaveModel) { m.MaxSeqLength = 0 }, "longest text 0"},
		"a length beyond":       {func(m *hf.SaveModel) { m.MaxSeqLength = 17 }, "longest text 17"},
		"no tokenizer":          {func(m *hf.SaveModel) { m.Tokenizer = nil }, "tokenizer.json"},
		"a damaged tokenizer":   {func(m *hf.SaveModel) { m.Tokenizer = []byte("{") }, "tokenizer.json"},
		"another's tokenizer":   {func(m *hf.SaveModel) { m.Tokenizer = wordPiece(t, 43) }, "the id 41"},
		"a changed config":      {func(m *hf.SaveModel) { m.Config.EmbeddingDropout = 0.7 }, "cannot be changed"},
		"a config of no model":  {func(m *hf.SaveModel) { m.Config.Raw = nil }, "config.json"},
	} {
		t.Run(name, func(t *testing.T) {
			m := fromCheckpoint(t, ck, true)
			c.change(&m)
			parent := t.TempDir()
			err := hf.Save(filepath.Join(parent, "model"), m)
			if err == nil || !strings.Contains(err.Error(), c.word) {
				t.Errorf("error is %v", err)
			}
			if entries, _ := os.ReadDir(parent); len(entries) != 0 {
				t.Errorf("it left %v", entries)
			}
		})
	}
	t.Run("to replace what is no model", func(t *testing.T) {
		folder := t.TempDir()
		put(t, filepath.Join(folder, "thesis.txt"), "years of work")
		if err := hf.Save(folder, fromCheckpoint(t, ck, true)); err == nil {
			t.Error("is no error")
		}
		if read(t, folder, "thesis.txt") != "years of work" {
			t.Error("the file is gone")
		}
	})
}

// TestSaveReplacesAModelWhole: no file of the old one stays.
func TestSaveReplacesAModelWhole(t *testing.T) {
	ck, err := hf.Load(filepath.Join(reference, "bert-tanh"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir() // empty: may be replaced too
	for range 2 {
		if err := hf.Save(folder, fromCheckpoint(t, ck, true)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(folder, "stale.txt")); err == nil {
			t.Error("a file of the old model is still there")
		}
		put(t, filepath.Join(folder, "stale.txt"), "old")
	}
}

// TestSaveARealModelUntied: the published SPLADE-tiny with its own tokenizer files and a scaled decoder of its own.
func TestSaveARealModelUntied(t *testing.T) {
	data := os.Getenv("HEADROOM_DATA")
	if data == "" {
		t.Skip("HEADROOM_DATA is not set: the real checkpoints are not at hand")
	}
	ck, err := hf.Load(filepath.Join(data, "checkpoints", "splade-tiny"), hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := fromCheckpoint(t, ck, false)
	if m.Tokenizer, err = os.ReadFile(filepath.Join(ck.Transformer, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	root := *export
	if root == "" {
		root = t.TempDir()
	}
	folder := filepath.Join(root, "real-splade-tiny")
	if err := hf.Save(folder, m); err != nil {
		t.Fatal(err)
	}
	again, err := hf.Load(folder, hf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkComplete(t, again)
	if again.Tied {
		t.Error("it is tied")
	}
	if vocab := strings.Split(read(t, folder, "vocab.txt"), "\n"); len(vocab) != 30523 || vocab[101] != "[CLS]" {
		t.Errorf("vocab.txt has %d lines", len(vocab)-1)
	}
}
