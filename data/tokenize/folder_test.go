package tokenize_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/data/tokenize"
)

// folderCases is testdata/folders.json: model folders as changes of a base.
type folderCases struct {
	bases map[string]folderBase
	cases []folderCase
}

type folderBase struct {
	ModelType string                     `json:"model_type"`
	Config    map[string]json.RawMessage `json:"config"`
	Tokenizer map[string]json.RawMessage `json:"tokenizer"` // RoBERTa's parts over those of the byte-level file
}

type folderCase struct {
	Name      string                     `json:"name"`
	Base      string                     `json:"base"`
	Tokenizer map[string]json.RawMessage `json:"tokenizer"` // nil: no tokenizer.json
	Config    map[string]json.RawMessage `json:"config"`    // nil: no tokenizer_config.json
	Files     map[string]any             `json:"files"`     // true: made of the tokenizer
}

// folderValues is what sentence-transformers gave.
type folderValues struct {
	Versions string   `json:"transformers"`
	Texts    []string `json:"texts"`
	Cases    []struct {
		Name  string               `json:"name"`
		IDs   [][]int32            `json:"ids"`
		Roles map[string][][]int32 `json:"roles"` // with the prompts of queries, of documents, of neither
		Error string               `json:"error"`
	} `json:"cases"`
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readFolderCases(t *testing.T) folderCases {
	t.Helper()
	var top map[string]json.RawMessage
	readJSON(t, filepath.Join("testdata", "folders.json"), &top)
	c := folderCases{bases: map[string]folderBase{}}
	for name, value := range top {
		var err error
		if name == "cases" {
			err = json.Unmarshal(value, &c.cases)
		} else {
			var base folderBase
			err = json.Unmarshal(value, &base)
			c.bases[name] = base
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// object is a JSON object with the order of its members lost.
type object = map[string]json.RawMessage

func toObject(t *testing.T, value json.RawMessage) object {
	t.Helper()
	o := object{}
	if err := json.Unmarshal(value, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func toText(t *testing.T, value any) json.RawMessage {
	t.Helper()
	out := &bytes.Buffer{}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// write makes the case's folder.
func (c folderCases) write(t *testing.T, entry folderCase) string {
	t.Helper()
	dir := t.TempDir()
	base := c.bases[entry.Base]
	file := "bpe.json"
	if entry.Base == "bert" {
		file = "wordpiece.json"
	}
	data, err := os.ReadFile(filepath.Join("testdata", "reference", file))
	if err != nil {
		t.Fatal(err)
	}
	spec := toObject(t, data)
	model := toObject(t, spec["model"])
	vocab := map[string]int{}
	if err := json.Unmarshal(model["vocab"], &vocab); err != nil {
		t.Fatal(err)
	}
	if base.Tokenizer != nil {
		maps.Copy(spec, base.Tokenizer)
		for i, token := range []string{"<s>", "</s>", "<pad>", "<mask>", "<unk>"} {
			vocab[token] = 935 + i
		}
		model["vocab"] = toText(t, vocab)
	}
	for path, value := range entry.Tokenizer {
		switch name, inModel := strings.CutPrefix(path, "model."); {
		case inModel:
			model[name] = value
		case strings.HasSuffix(path, "+"):
			list := bytes.TrimSpace(spec[strings.TrimSuffix(path, "+")])
			spec[strings.TrimSuffix(path, "+")] = slices.Concat(list[:len(list)-1], []byte(","), value[1:])
		default:
			spec[path] = value
		}
	}
	spec["model"] = toText(t, model)
	put := func(name string, data []byte) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("config.json", fmt.Appendf(nil, `{"model_type": %q}`, base.ModelType))
	if entry.Tokenizer != nil {
		put("tokenizer.json", toText(t, spec))
	}
	if entry.Config != nil {
		config := maps.Clone(base.Config)
		for key, value := range entry.Config {
			if config[key] = value; string(value) == "null" {
				delete(config, key)
			}
		}
		put("tokenizer_config.json", toText(t, config))
	}
	for name, content := range entry.Files {
		switch content := content.(type) {
		case string:
			put(name, []byte(content))
		default:
			words := slices.SortedFunc(maps.Keys(vocab), func(a, b string) int { return vocab[a] - vocab[b] })
			if name == "vocab.txt" {
				put(name, []byte(strings.Join(words, "\n")+"\n"))
			}
		}
	}
	return dir
}

// open opens the case's folder and encodes the texts as sentence-transformers does: cut at the folder's length, of
// at most 24 positions.
func (c folderCases) open(t *testing.T, entry folderCase, texts []string) (tok *tokenize.Tokenizer, ids [][]int32, err error) {
	t.Helper()
	if tok, err = tokenize.Open(c.write(t, entry)); err != nil {
		return nil, nil, err
	}
	limit := tok.MaxLength()
	if limit == 0 {
		limit = 24
	}
	for _, text := range texts {
		ids = append(ids, tok.Encode(text, limit))
	}
	return tok, ids, nil
}

// refused are the cases that are an error here, and what the error names.
func refusedFolders() map[string]string {
	return map[string]string{
		"unheard-of class":              "tokenizer_class",
		"special tokens not split":      "split_special_tokens",
		"vocab.txt only, general class": "vocab.txt",
		"roberta files only":            "tokenizer.json",
		"a default that is not there":   "default_prompt_name",
	}
}

func TestAFoldersIDsAreSentenceTransformers(t *testing.T) {
	c := readFolderCases(t)
	var values folderValues
	readJSON(t, filepath.Join("testdata", "folders-5.json"), &values)
	if len(values.Cases) != len(c.cases) {
		t.Fatalf("%d cases, values of %d: run folders_reference.py again", len(c.cases), len(values.Cases))
	}
	for i, entry := range c.cases {
		t.Run(entry.Name, func(t *testing.T) {
			want := values.Cases[i]
			tok, ids, err := c.open(t, entry, values.Texts)
			if word := refusedFolders()[entry.Name]; word != "" {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Fatalf("error %v, want one that names %s", err, word)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for k, got := range ids {
				if !slices.Equal(got, want.IDs[k]) {
					t.Errorf("%q: %v, sentence-transformers %v", values.Texts[k], got, want.IDs[k])
				}
			}
			prompts := tok.Prompts()
			for role, prompt := range map[string]string{"query": prompts.Query, "document": prompts.Document, "plain": prompts.Named[prompts.Default]} {
				for k, want := range want.Roles[role] {
					if got := tok.Encode(prompt+values.Texts[k], max(tok.MaxLength(), 12)); !slices.Equal(got, want) {
						t.Errorf("%q as %s: %v, sentence-transformers %v", values.Texts[k], role, got, want)
					}
				}
			}
			again, err := tokenize.Parse("again", tok.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range values.Texts {
				if got := again.Encode(text, 12); !slices.Equal(got, tok.Encode(text, 12)) {
					t.Errorf("%q: the file that says it all gives %v, the folder %v", text, got, tok.Encode(text, 12))
				}
			}
		})
	}
}

// TestWhatVersionsDisagreeOnIsSaid: transformers 4.57 gives the same ids (sentence-transformers 5.1 strips texts, 6.2
// and headroom do not), or a note says what was chosen.
func TestWhatVersionsDisagreeOnIsSaid(t *testing.T) {
	c := readFolderCases(t)
	var values folderValues
	readJSON(t, filepath.Join("testdata", "folders-4.json"), &values)
	stripped := make([]string, len(values.Texts))
	for i, text := range values.Texts {
		stripped[i] = strings.TrimSpace(text)
	}
	for i, entry := range c.cases {
		t.Run(entry.Name, func(t *testing.T) {
			want := values.Cases[i]
			if refusedFolders()[entry.Name] != "" {
				t.Skip("refused")
			}
			tok, ids, err := c.open(t, entry, stripped)
			if err != nil {
				t.Fatal(err)
			}
			same := want.Error == "" && slices.EqualFunc(ids, want.IDs, slices.Equal)
			if !same && len(tok.Notices()) == 0 && !strings.HasPrefix(want.Error, "ImportError") {
				t.Errorf("4.57 gives other ids and nothing is said: %v, here %v", want, ids)
			}
		})
	}
}

func TestAPlainFolderHasTheDigestOfItsFile(t *testing.T) {
	c := readFolderCases(t)
	for _, name := range []string{"bert plain", "bert without a class", "roberta plain", "modernbert plain", "distilbert class", "flags with the general class", "padding in tokenizer.json"} {
		i := slices.IndexFunc(c.cases, func(entry folderCase) bool { return entry.Name == name })
		dir := c.write(t, c.cases[i])
		alone, err := tokenize.Load(filepath.Join(dir, "tokenizer.json"))
		if err != nil {
			t.Fatal(err)
		}
		tok, err := tokenize.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if tok.Digest() != alone.Digest() || len(tok.Notices()) > 0 {
			t.Errorf("%s: digest %s, of the file %s; notes %q", name, tok.Digest(), alone.Digest(), tok.Notices())
		}
	}
}

func TestADecoderIsNotLookedAt(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "reference", "wordpiece.json"))
	if err != nil {
		t.Fatal(err)
	}
	spec := toObject(t, data)
	spec["decoder"] = json.RawMessage(`{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Unheard","of":1}]}`)
	if _, err := tokenize.Parse("t.json", toText(t, spec)); err != nil {
		t.Error(err)
	}
}

func TestAFaultInAFilesBesideTheTokenizerNamesFileKeyAndWhatIsAllowed(t *testing.T) {
	c := readFolderCases(t)
	for _, test := range []struct{ file, text, want string }{
		{"tokenizer_config.json", `{"do_lower_case": "yes"}`, `tokenizer_config.json": do_lower_case: must be true or false`},
		{"tokenizer_config.json", `{"truncation_side": "middle"}`, `truncation_side: "middle" is not a side; allowed: "left", "right"`},
		{"tokenizer_config.json", `{"model_max_length": 0}`, `model_max_length: 0 is not a length; allowed: 1 or more`},
		{"tokenizer_config.json", `{"tokenizer_class": "T5TokenizerFast"}`, `tokenizer_class: "T5Tokenizer" is not implemented; allowed: BertTokenizer`},
		{"tokenizer_config.json", `{"auto_map": {"AutoTokenizer": ["a.B", null]}}`, `auto_map: is not implemented`},
		{"tokenizer_config.json", `{"added_tokens_decoder": {"x": {"content": "y"}}}`, `added_tokens_decoder.x: must be a token id, 0 or more`},
		{"tokenizer_config.json", `{"added_tokens_decoder": {"7": {"content": "y", "odd": 1}}}`, `added_tokens_decoder.7.odd: unknown member`},
		{"tokenizer_config.json", `{"cls_token": ""}`, `cls_token: must not be empty`},
		{"tokenizer_config.json", `[]`, `tokenizer_config.json"`},
		{"special_tokens_map.json", `{"cls_token": 5}`, `special_tokens_map.json": cls_token`},
		{"added_tokens.json", `{"[X]": "y"}`, `added_tokens.json": [X]`},
		{"sentence_bert_config.json", `{"max_seq_length": -1}`, `sentence_bert_config.json": max_seq_length: -1 is not a length`},
		{"sentence_bert_config.json", `{"query_length": 32}`, `query_length: is not implemented; allowed: null`},
		{"sentence_bert_config.json", `{"tokenizer_args": {"do_lower_case": false}}`, `tokenizer_args.do_lower_case: is not implemented`},
		{"sentence_bert_config.json", `{"transformer_task": "feature-extraction"}`, `transformer_task: "feature-extraction" is not implemented; allowed: "fill-mask"`},
		{"sentence_bert_config.json", `{"modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}}`, `method_output_name: "last_hidden_state" is not implemented; allowed: "logits"`},
	} {
		dir := c.write(t, c.cases[0])
		for name, text := range map[string]string{test.file: test.text, "modules.json": "[]"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := tokenize.Open(dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: error %v, want %q", test.file, test.text, err, test.want)
		}
	}
}

func TestAKeyThatIsNotKnownIsSaidByName(t *testing.T) {
	c := readFolderCases(t)
	dir := c.write(t, c.cases[0])
	for name, text := range map[string]string{
		"modules.json": "[]", "sentence_bert_config.json": `{"novel_setting": 1}`, "tokenizer_config.json": `{"tokenizer_class": "BertTokenizer", "keep_dashes": true, "padding_side": "left"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tok, err := tokenize.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(tok.Notices(), "\n")
	for _, want := range []string{`sentence_bert_config.json: key "novel_setting"`, `tokenizer_config.json: key "keep_dashes"`, `padding_side "left"`} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q lack %q", notes, want)
		}
	}
}

// A link to nothing is no missing file: the settings that it was to give would be defaults.
func TestALinkToNothingIsNamed(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"config.json": `{"model_type":"bert"}`, "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tokenize.Open(folder); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "tokenizer_config.json")
	if err := os.Symlink("gone", path); err != nil {
		t.Fatal(err)
	}
	if _, err := tokenize.Open(folder); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "allowed: a regular file") {
		t.Errorf("%v", err)
	}
}
