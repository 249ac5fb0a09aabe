package cli_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edited writes a small random model and changes files of it; "" removes one.
func (p *place) edited(name string, files map[string]string) string {
	p.t.Helper()
	folder := filepath.Join(p.dir, name)
	if err := fakeModel(folder); err != nil {
		p.t.Fatal(err)
	}
	for file, text := range files {
		path := filepath.Join(folder, file)
		err := os.Remove(path)
		if text != "" {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return folder
}

// vectors are those that encode prints for texts, one line each.
func (p *place) vectors(model string, flags []string, texts ...string) []string {
	p.t.Helper()
	var rows strings.Builder
	for i, text := range texts {
		row, err := json.Marshal(map[string]string{"_id": fmt.Sprint("t", i+1), "text": text})
		if err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintf(&rows, "%s\n", row)
	}
	input := p.write("texts.jsonl", rows.String())
	return strings.Split(strings.TrimSpace(p.ok(append([]string{"encode", model, "--input", input, "--output", "-", "--backend", "go"}, flags...)...)), "\n")
}

func TestPromptsOfAFolderArePutBeforeItsTexts(t *testing.T) {
	p := newPlace(t)
	plain := p.edited("plain", nil)
	said := p.edited("said", map[string]string{"config_sentence_transformers.json": `{"model_type": "SparseEncoder", "default_prompt_name": "other", "prompts": {"query": "red ", "document": "salt tea ", "other": "fire "}}`})
	texts := []string{"wind", "stone boat"}
	with := func(prompt string) []string { return p.vectors(plain, nil, prompt+texts[0], prompt+texts[1]) }
	for _, test := range []struct {
		flags  []string
		prompt string
	}{
		{nil, "salt tea "}, {[]string{"--query"}, "red "}, {[]string{"--prompt-name", "other"}, "fire "}, {[]string{"--query", "--prompt", ""}, ""}, {[]string{"--prompt", "road "}, "road "},
	} {
		if got, want := p.vectors(said, test.flags, texts...), with(test.prompt); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%v: %s, want those with %q before: %s", test.flags, got, test.prompt, want)
		}
	}
	if r := p.run("encode", said, "--input", filepath.Join(p.dir, "texts.jsonl"), "--output", "-", "--prompt-name", "absent"); r.code != 2 || !strings.Contains(r.stderr, `"absent"`) || !strings.Contains(r.stderr, "document, other, query") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	if r := p.run("encode", said, "--input", "x", "--output", "-", "--prompt-name", "query", "--prompt", "a"); r.code != 2 || !strings.Contains(r.stderr, "exclude each other") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	damaged := p.edited("damaged", map[string]string{"config_sentence_transformers.json": `{"default_prompt_name": "absent"}`})
	if r := p.run("encode", damaged, "--input", filepath.Join(p.dir, "texts.jsonl"), "--output", "-"); r.code != 2 || !strings.Contains(r.stderr, `default_prompt_name: "absent" is no prompt; allowed: "document", "query"`) {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}

// evaluated is what evaluate --json prints of one collection.
func (p *place) evaluated(model string) map[string]float64 {
	p.t.Helper()
	return decode[struct {
		Evaluations []struct{ Measures map[string]float64 }
	}](p.t, p.ok("evaluate", "--model", model, "--on", "./c", "--backend", "go", "--measure", "nDCG@10", "--json")).Evaluations[0].Measures
}

// TestEvaluationObeysPromptsAndSimilarity: with the prompts of a folder as with texts that have them, and by cosine as
// by the dot product of vectors that are divided by their lengths.
func TestEvaluationObeysPromptsAndSimilarity(t *testing.T) {
	p := newPlace(t)
	t.Chdir(p.dir)
	write := func(query, document string) {
		var corpus, queries, qrels strings.Builder
		qrels.WriteString("query-id\tcorpus-id\tscore\n")
		for i, word := range words {
			fmt.Fprintf(&corpus, `{"_id":"d%d","title":"","text":"%s%s%s"}`+"\n", i, document, word, strings.Repeat(" "+words[(i*7+3)%len(words)], i%5))
			fmt.Fprintf(&queries, `{"_id":"q%d","text":"%s%s"}`+"\n", i, query, word)
			fmt.Fprintf(&qrels, "q%d\td%d\t1\n", i, i)
		}
		p.write("c/corpus.jsonl", corpus.String())
		p.write("c/queries.jsonl", queries.String())
		p.write("c/qrels/test.tsv", qrels.String())
	}
	const settings = `{"model_type": "SparseEncoder", "similarity_fn_name": %q, "prompts": {"query": %q, "document": %q}}`
	plain := p.edited("plain", nil)
	write("salt ", "wind ")
	want := p.evaluated(plain)["nDCG@10"]
	write("", "")
	without := p.evaluated(plain)["nDCG@10"]
	prompted := p.edited("prompted", map[string]string{"config_sentence_transformers.json": fmt.Sprintf(settings, "dot", "salt ", "wind ")})
	if got := p.evaluated(prompted)["nDCG@10"]; got != want || got == without {
		t.Errorf("with prompts %v, of texts that have them %v, without %v", got, want, without)
	}
	cosine := p.edited("cosine", map[string]string{"config_sentence_transformers.json": fmt.Sprintf(settings, "cosine", "", "")})
	byHand := p.cosineByHand(plain)
	if got := p.evaluated(cosine)["nDCG@10"]; math.Abs(got-byHand) > 1e-9 || got == without {
		t.Errorf("by cosine %v, by hand %v, by the dot product %v", got, byHand, without)
	}
	other := p.edited("other", map[string]string{"config_sentence_transformers.json": fmt.Sprintf(settings, "manhattan", "", "")})
	if r := p.run("evaluate", "--model", other, "--on", "./c", "--backend", "go"); r.code != 2 || !strings.Contains(r.stderr, `similarity_fn_name "manhattan"`) || !strings.Contains(r.stderr, `allowed: "dot", "cosine"`) {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	if r := p.run("encode", cosine, "--input", "c/queries.jsonl", "--output", "-", "--backend", "go"); r.code != 0 || !strings.Contains(r.stderr, "compare vectors by cosine") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}

// cosineByHand is the mean nDCG@10 of c by cosine, of the vectors that encode prints; query i wants document i.
func (p *place) cosineByHand(model string) float64 {
	p.t.Helper()
	read := func(file string, flags ...string) []map[string]float64 {
		var out []map[string]float64
		for line := range strings.Lines(p.ok(append([]string{"encode", model, "--input", file, "--output", "-", "--backend", "go"}, flags...)...)) {
			v := decode[struct{ Vector map[string]float64 }](p.t, line).Vector
			sum := 0.0
			for _, w := range v {
				sum += w * w
			}
			for term := range v {
				v[term] /= math.Sqrt(sum)
			}
			out = append(out, v)
		}
		return out
	}
	queries, documents := read("c/queries.jsonl", "--query"), read("c/corpus.jsonl")
	total := 0.0
	for q, query := range queries {
		score := func(d int) (sum float64) {
			for term, w := range query {
				sum += w * documents[d][term]
			}
			return sum
		}
		rank := 1
		for d := range documents {
			if d != q && score(d) > score(q) {
				rank++
			}
		}
		if rank <= 10 {
			total += 1 / math.Log2(float64(rank+1))
		}
	}
	return total / float64(len(queries))
}

func TestTextsAreCutWhereTheModelsFilesSay(t *testing.T) {
	p := newPlace(t)
	long := strings.Repeat("red blue ", 10) // 22 tokens with the special ones
	for name, test := range map[string]struct {
		files map[string]string
		at    string
		note  string
	}{
		"max_seq_length":                   {map[string]string{"sentence_bert_config.json": `{"max_seq_length": 7}`}, "7", "cut at 7 tokens, as the model's own files say"},
		"model_max_length of a bare model": {map[string]string{"modules.json": "", "tokenizer_config.json": `{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 9}`}, "9", "cut at 9 tokens, as"},
		"the positions":                    {map[string]string{"sentence_bert_config.json": `{"max_seq_length": null}`, "tokenizer_config.json": `{"tokenizer_class": "PreTrainedTokenizerFast"}`}, "32", "cut at 32 tokens, the most"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := p.edited(strings.ReplaceAll(name, " ", "-"), test.files)
			got, want := p.vectors(folder, nil, long), p.vectors(folder, []string{"--max-length", test.at}, long)
			if strings.Join(got, "") != strings.Join(want, "") {
				t.Errorf("%s, cut at %s %s", got, test.at, want)
			}
			if r := p.run("encode", folder, "--input", filepath.Join(p.dir, "texts.jsonl"), "--output", "-", "--backend", "go"); !strings.Contains(r.stderr, test.note) {
				t.Errorf("notes %q, want %q", r.stderr, test.note)
			}
		})
	}
	folder := filepath.Join(p.dir, "deep")
	if err := fakeModelOf(folder, 400); err != nil {
		t.Fatal(err)
	}
	p.write("texts.jsonl", fmt.Sprintf(`{"_id":"a","text":%q}`+"\n"+`{"_id":"b","text":"red"}`+"\n", strings.Repeat("red ", 300)))
	if r := p.run("encode", folder, "--input", filepath.Join(p.dir, "texts.jsonl"), "--output", "-", "--backend", "go"); !strings.Contains(r.stderr, "1 of the texts have 256 tokens or more and were cut there; the model's own files keep 400") {
		t.Errorf("notes %q", r.stderr)
	}
}

func TestAVocabularyAloneIsEnough(t *testing.T) {
	p := newPlace(t)
	whole := p.edited("whole", nil)
	alone := p.edited("alone", map[string]string{"tokenizer.json": "", "tokenizer_config.json": `{"tokenizer_class": "BertTokenizer", "do_lower_case": true}`})
	texts := []string{"Red, stone BOAT", "", "salté"}
	if got, want := p.vectors(alone, nil, texts...), p.vectors(whole, nil, texts...); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s, with tokenizer.json %s", got, want)
	}
	none := p.edited("none", map[string]string{"tokenizer.json": "", "vocab.txt": ""})
	if r := p.run("encode", none, "--input", filepath.Join(p.dir, "texts.jsonl"), "--output", "-"); r.code != 2 || !strings.Contains(r.stderr, "there is no tokenizer.json, which holds the tokenizer, and no vocab.txt") || !strings.Contains(r.stderr, "save_pretrained") {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}

func TestATextThatCannotBeEncodedIsNamedByRowAndID(t *testing.T) {
	p := newPlace(t)
	t.Chdir(p.dir)
	// Without a template an empty text has no token. It is the third row, and the shortest.
	var spec map[string]json.RawMessage
	if err := json.Unmarshal([]byte(tinyTokenizer), &spec); err != nil {
		t.Fatal(err)
	}
	spec["post_processor"] = json.RawMessage("null")
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	model := p.edited("model", map[string]string{"tokenizer.json": string(text)})
	input := p.write("in.jsonl", `{"_id":"a","text":"red green"}`+"\n"+`{"_id":"b","text":"blue"}`+"\n"+`{"_id":"c","text":""}`+"\n"+`{"_id":"d","text":"salt"}`+"\n")
	r := p.run("encode", model, "--input", input, "--output", "out.jsonl", "--backend", "go")
	if r.code == 0 || !strings.Contains(r.stderr, `row 3 of "`) || !strings.Contains(r.stderr, `id "c": it has no token`) {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
	p.write("c/corpus.jsonl", `{"_id":"d7","title":"","text":"red"}`+"\n"+`{"_id":"d8","title":"","text":""}`+"\n")
	p.write("c/queries.jsonl", `{"_id":"q1","text":"red"}`+"\n")
	p.write("c/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td7\t1\n")
	if r := p.run("evaluate", "--model", model, "--on", "./c", "--backend", "go"); r.code == 0 || !strings.Contains(r.stderr, `document "d8": it has no token`) {
		t.Errorf("exit code %d, %s", r.code, r.stderr)
	}
}
