// Package sample is a sweep of the smallest size, for tests. It has a backbone from a
// recipe, four runs, evaluations and baselines, and takes seconds.
package sample

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Words are the vocabulary of the texts.
func Words() []string {
	return strings.Fields("red green blue stone river boat house garden apple bread salt tea light wind snow fire road bridge mill tower")
}

// Tokenizer is a tokenizer.json whose vocabulary is the words.
func Tokenizer() string {
	vocab := map[string]int{}
	for i, token := range append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, Words()...) {
		vocab[token] = i
	}
	special := ""
	for i, token := range []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		if i > 0 {
			special += ","
		}
		special += fmt.Sprintf(`{"id":%d,"content":%q,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}`, i, token)
	}
	text, err := json.Marshal(vocab)
	if err != nil {
		panic(err) // a map of words and numbers
	}
	return `{"version":"1.0","truncation":null,"padding":null,"added_tokens":[` + special + `],
"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"BertPreTokenizer"},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],
"pair":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}},{"Sequence":{"id":"B","type_id":1}},{"SpecialToken":{"id":"[SEP]","type_id":1}}],
"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},
"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":` + string(text) + `}}`
}

// Recipe makes a backbone of a few hundred parameters.
const Recipe = `name = "tiny"
tokenizer = "./tok/tokenizer.json"
[model]
architecture = "bert"
hidden = 8
layers = 1
heads = 2
intermediate = 16
positions = 32
[data]
text = "./data"
max_length = 16
[train]
steps = 4
batch = 4
`

// Sweep is a sweep over the recipe's backbone.
const Sweep = `name = "small"
question = "Does it work?"
[grid]
"model.rescale" = [1, 4]
"seed" = [1, 2]
[model]
backbone = "recipe:tiny"
[data]
train = "./data"
max_query = 8
max_document = 16
[train]
steps = 6
batch = 4
lr = 1e-3
[evaluate]
final = ["./data"]
baselines = ["bm25", "untrained"]
[compute]
backend = "go"
slots = 2
threads = 1
`

// Write writes a small collection, a tokenizer, a recipe and a sweep into a folder, and
// returns the sweep's path.
func Write(folder string) (string, error) {
	words := Words()
	var corpus, queries strings.Builder
	train, test := "query-id\tcorpus-id\tscore\n", "query-id\tcorpus-id\tscore\n"
	for i := range 16 {
		a, b, c := words[i%len(words)], words[(i*7+3)%len(words)], words[(i*3+11)%len(words)]
		fmt.Fprintf(&corpus, `{"_id":"d%d","title":"%s","text":"%s %s %s"}`+"\n", i, a, b, c, a)
		fmt.Fprintf(&queries, `{"_id":"q%d","text":"%s %s"}`+"\n", i, a, c)
		if row := fmt.Sprintf("q%d\td%d\t1\n", i, i); i < 12 {
			train += row
		} else {
			test += row
		}
	}
	path := filepath.Join(folder, "small.toml")
	for name, text := range map[string]string{
		"data/corpus.jsonl": corpus.String(), "data/queries.jsonl": queries.String(),
		"data/qrels/train.tsv": train, "data/qrels/test.tsv": test,
		"tok/tokenizer.json": Tokenizer(), "backbones/tiny.toml": Recipe, "small.toml": Sweep,
	} {
		name = filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return path, nil
}
