package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// words are the vocabulary of the tests' texts.
var words = strings.Fields("red green blue stone river boat house garden apple bread salt tea light wind snow fire road bridge mill tower")

// tinyTokenizer is a tokenizer.json over these words.
var tinyTokenizer = func() string {
	vocab := map[string]int{}
	for i, token := range append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, words...) {
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
}()

// sample writes a small collection, a tokenizer, a recipe and a sweep into a
// place, and returns the sweep's path.
func (p *place) sample() string {
	p.t.Helper()
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
	p.write("data/corpus.jsonl", corpus.String())
	p.write("data/queries.jsonl", queries.String())
	p.write("data/qrels/train.tsv", train)
	p.write("data/qrels/test.tsv", test)
	p.write("tok/tokenizer.json", tinyTokenizer)
	p.write("backbones/tiny.toml", tinyRecipe)
	return p.write("small.toml", smallSweep)
}

const tinyRecipe = `name = "tiny"
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

const smallSweep = `name = "small"
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
