package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// replaced is the sample sweep with one text in place of another.
func replaced(old, new string) string { return strings.Replace(smallSweep, old, new, 1) }

func TestWhatIsWrongInASweepIsRefusedWithFileKeyAndWhatIsAllowed(t *testing.T) {
	for name, test := range map[string]struct {
		sweep string
		want  []string
	}{
		"unknown key":          {replaced("steps = 6", "stepz = 6\nsteps = 6"), []string{"bad.toml", "train.stepz", "train.steps"}},
		"wrong case":           {replaced("steps = 6", "Steps = 6"), []string{"bad.toml", "train.Steps", "train.steps"}},
		"both cases":           {replaced("steps = 6", "steps = 6\nSTEPS = 7"), []string{"train.STEPS"}},
		"not a number":         {replaced("lr = 1e-3", "lr = nan"), []string{"train.lr", "nan"}},
		"infinite":             {replaced("lr = 1e-3", "lr = inf"), []string{"train.lr", "inf"}},
		"empty axis":           {replaced("[1, 4]", "[]"), []string{"model.rescale"}},
		"a point twice":        {replaced("[1, 4]", "[4, 4]"), []string{"model.rescale"}},
		"wrong type":           {replaced("steps = 6", `steps = "six"`), []string{"train.steps"}},
		"not in the enum":      {replaced(`slots = 2`, "slots = 2\n[regularizer]\nkind = \"l2\""), []string{"regularizer.kind", "flops"}},
		"required is missing":  {replaced("steps = 6\n", ""), []string{"train.steps"}},
		"no name":              {replaced("name = \"small\"\n", ""), []string{"name"}},
		"syntax":               {replaced("[model]", "[model"), []string{"bad.toml"}},
		"later tables":         {smallSweep + "\n[[zip]]\n\"train.batch\" = [4, 2]\n", []string{"zip"}},
		"fixed and on an axis": {replaced("[model]", "[model]\nrescale = 2"), []string{"model.rescale"}},
		"no such data folder":  {replaced(`train = "./data"`, `train = "./nowhere"`), []string{"data.train", "nowhere"}},
		"no such backbone":     {replaced(`"recipe:tiny"`, `"./nowhere"`), []string{"model.backbone", "nowhere"}},
		"no such recipe":       {replaced(`"recipe:tiny"`, `"recipe:tinny"`), []string{"tinny"}},
		"unknown measure":      {replaced(`final = [`, `measures = ["nDCGG@10"]`+"\nfinal = ["), []string{"nDCGG@10"}},
		"batch over the data":  {replaced("batch = 4", "batch = 400"), []string{"train.batch", "400"}},
		"beyond the positions": {replaced("max_document = 16", "max_document = 64"), []string{"data.max_document", "32"}},
	} {
		for _, command := range []string{"plan", "run"} {
			t.Run(name+"/"+command, func(t *testing.T) {
				p := newPlace(t)
				p.sample()
				p.refused([]string{command, p.write("bad.toml", test.sweep)}, test.want...)
			})
		}
	}
}

func TestAllFaultsComeAtOnce(t *testing.T) {
	p := newPlace(t)
	p.sample()
	bad := p.write("bad.toml", strings.NewReplacer(
		"steps = 6", "steps = -1\nstepz = 3", "lr = 1e-3", "lr = nan", "[1, 4]", "[]", `kind`, `kind`,
	).Replace(smallSweep))
	p.refused([]string{"run", bad, "train.batch=0", "nonsense"}, "train.steps", "train.stepz", "train.lr", "model.rescale", "train.batch", "nonsense")
	p.refused([]string{"run", p.write("two.toml", strings.NewReplacer(`train = "./data"`, `train = "./x"`, `final = ["./data"]`, `final = ["./y"]`).Replace(smallSweep))}, "data.train", "/x", "evaluate.final", "/y")
}

func TestWhatIsWrongInTheDataIsRefusedWithFileAndLine(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string
		want       []string
	}{
		"malformed row":      {"data/corpus.jsonl", `{"_id":"d0","text":"a"}` + "\n" + `{"_id":"d1","text":` + "\n", []string{"corpus.jsonl:2"}},
		"empty corpus":       {"data/corpus.jsonl", "", []string{"corpus.jsonl"}},
		"id twice":           {"data/queries.jsonl", `{"_id":"q0","text":"a"}` + "\n" + `{"_id":"q0","text":"b"}` + "\n", []string{"queries.jsonl:2", "q0"}},
		"qrels of no query":  {"data/qrels/train.tsv", "query-id\tcorpus-id\tscore\nq99\td0\t1\n", []string{"train.tsv", "q99"}},
		"qrels not a number": {"data/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq0\td0\tmany\n", []string{"test.tsv:2", "many"}},
		"tokenizer":          {"tok/tokenizer.json", `{"model":{"type":"Unigram"}}`, []string{"tokenizer.json"}},
		"recipe":             {"backbones/tiny.toml", strings.Replace(tinyRecipe, "heads = 2", "heads = 3\nhaeds = 1", 1), []string{"tiny.toml", "model.haeds", "model.heads"}},
	} {
		for _, command := range []string{"plan", "run"} {
			t.Run(name+"/"+command, func(t *testing.T) {
				p := newPlace(t)
				sweep := p.sample()
				p.write(test.file, test.text)
				p.refused([]string{command, sweep}, test.want...)
			})
		}
	}
}

func TestCheckpointsThatCannotBeReadAreRefused(t *testing.T) {
	config := `{"model_type":"bert","vocab_size":25,"hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":16,"max_position_embeddings":32,"type_vocab_size":2,"layer_norm_eps":1e-12,"hidden_act":"gelu","hidden_dropout_prob":0,"attention_probs_dropout_prob":0}`
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"no weights":        {map[string]string{"config.json": config, "tokenizer.json": tinyTokenizer}, []string{"model.safetensors"}},
		"torch only":        {map[string]string{"config.json": config, "tokenizer.json": tinyTokenizer, "pytorch_model.bin": "x"}, []string{"pytorch_model.bin", "save_pretrained"}},
		"truncated weights": {map[string]string{"config.json": config, "tokenizer.json": tinyTokenizer, "model.safetensors": "\xff\xff\x00\x00\x00\x00\x00\x00{"}, []string{"model.safetensors"}},
		"tensors missing":   {map[string]string{"config.json": config, "tokenizer.json": tinyTokenizer, "model.safetensors": "\x02\x00\x00\x00\x00\x00\x00\x00{}"}, []string{"model.backbone", "word_embeddings"}},
		"unknown family":    {map[string]string{"config.json": strings.Replace(config, `"bert"`, `"t5"`, 1), "tokenizer.json": tinyTokenizer, "model.safetensors": "\x02\x00\x00\x00\x00\x00\x00\x00{}"}, []string{"t5", "modernbert"}},
		"config no JSON":    {map[string]string{"config.json": "{", "tokenizer.json": tinyTokenizer, "model.safetensors": ""}, []string{"config.json"}},
		"tokenizer damaged": {map[string]string{"config.json": config, "tokenizer.json": "{", "model.safetensors": "\x02\x00\x00\x00\x00\x00\x00\x00{}"}, []string{"tokenizer.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.sample()
			for file, text := range test.files {
				p.write("model/"+file, text)
			}
			sweep := p.write("s.toml", replaced(`"recipe:tiny"`, `"./model"`))
			p.refused([]string{"plan", sweep}, test.want...)
			p.refused([]string{"run", sweep}, test.want...)
			input := p.write("in.jsonl", `{"_id":"a","text":"red"}`+"\n")
			p.refused([]string{"encode", filepath.Join(p.dir, "model"), "--input", input, "--output", filepath.Join(p.dir, "out.jsonl"), "--backend", "go"})
			p.refused([]string{"evaluate", "--model", filepath.Join(p.dir, "model"), "--on", filepath.Join(p.dir, "data"), "--backend", "go"})
		})
	}
}

func TestTheStepsRefuseBadInput(t *testing.T) {
	p := newPlace(t)
	p.sample()
	if err := fakeModel(filepath.Join(p.dir, "model")); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(p.dir, "model")
	good := p.write("good.jsonl", `{"_id":"a","text":"red"}`+"\n")
	empty := p.write("empty.jsonl", "")
	broken := p.write("broken.jsonl", `{"_id":"a","text":"red"}`+"\n{\n")
	vectors := p.write("v.jsonl", `{"id":"a","vector":{"3":1.5}}`+"\n"+`{"id":"a","vector":{"3":1}}`+"\n")
	negative := p.write("n.jsonl", `{"id":"a","vector":{"3":-1.5}}`+"\n")
	qrels := p.write("qrels.txt", "q1 0 d1 1\nq1 0 d2 x\n")
	goodQrels := p.write("good.qrels", "q1 0 d1 1\n")
	twice := p.write("twice.trec", "q1 Q0 d1 1 2 t\nq1 Q0 d1 2 1 t\n")
	out := filepath.Join(p.dir, "out")
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"no arguments":         {[]string{"tokenize"}, []string{"usage: headroom tokenize"}},
		"unknown command":      {[]string{"tokenise", "x"}, []string{"tokenise"}},
		"unknown flag":         {[]string{"plan", "x", "--onyl", "y"}, []string{"--onyl", "usage: headroom plan"}},
		"tokenize a broken":    {[]string{"tokenize", model, "--input", broken}, []string{"broken.jsonl:2"}},
		"tokenize negative":    {[]string{"tokenize", model, "--max-length", "-1"}, []string{"--max-length"}},
		"tokenize no model":    {[]string{"tokenize", "./nowhere"}, []string{"nowhere"}},
		"encode without files": {[]string{"encode", model}, []string{"--input", "--output"}},
		"encode options":       {[]string{"encode", model, "--input", good, "--output", out, "--format", "xml", "--top-k", "-3", "--max-length", "1", "--backend", "cuda"}, []string{"--format", "--top-k", "--max-length", "--backend"}},
		"encode nothing":       {[]string{"encode", model, "--input", empty, "--output", out}, []string{"empty.jsonl"}},
		"encode broken":        {[]string{"encode", model, "--input", broken, "--output", out}, []string{"broken.jsonl:2"}},
		"encode to nowhere":    {[]string{"encode", model, "--input", good, "--output", filepath.Join(p.dir, "nowhere", "v.jsonl"), "--backend", "go"}, []string{filepath.Join(p.dir, "nowhere")}},
		"encode too long":      {[]string{"encode", model, "--input", good, "--output", out, "--max-length", "33", "--backend", "go"}, []string{"33", "32"}},
		"evaluate too long":    {[]string{"evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--max-length", "33", "--backend", "go"}, []string{"33", "32"}},
		"index twice":          {[]string{"index", vectors, "--output", out}, []string{"v.jsonl:2", `"a"`}},
		"index negative":       {[]string{"index", negative, "--output", out}, []string{"n.jsonl:1"}},
		"index no output":      {[]string{"index", vectors}, []string{"--output"}},
		"search no index":      {[]string{"search", filepath.Join(p.dir, "data"), "--queries", vectors, "--output", out}, []string{"data"}},
		"search options":       {[]string{"search", out, "--k", "0"}, []string{"--queries", "--k"}},
		"qrels malformed":      {[]string{"evaluate", qrels, twice}, []string{"qrels.txt:2"}},
		"document twice":       {[]string{"evaluate", goodQrels, twice}, []string{"twice.trec:2", "d1"}},
		"measure unknown":      {[]string{"evaluate", goodQrels, twice, "MAP@ten"}, []string{"MAP@ten"}},
		"measure twice":        {[]string{"evaluate", goodQrels, twice, "AP", "AP(rel=1)"}, []string{"AP"}},
		"evaluate nothing":     {[]string{"evaluate"}, []string{"QRELS"}},
		"evaluate mixed":       {[]string{"evaluate", goodQrels, twice, "--bm25"}, []string{"--bm25"}},
		"model without data":   {[]string{"evaluate", "--model", model}, []string{"--on"}},
		"no such collection":   {[]string{"evaluate", "--model", model, "--on", "./nowhere", "--on", "beir:nothing"}, []string{"nowhere", "beir:nothing"}},
		"no such split":        {[]string{"evaluate", "--model", model, "--on", filepath.Join(p.dir, "data"), "--split", "dev"}, []string{"dev"}},
		"no workspace":         {[]string{"show", "abc"}, []string{"no workspace"}},
		"query, no workspace":  {[]string{"query", "SELECT 1"}, []string{"no workspace"}},
		"bad only":             {[]string{"plan", filepath.Join(p.dir, "small.toml"), "--only", "model.rescal=1"}, []string{"model.rescal", "model.rescale"}},
		"only matches nothing": {[]string{"run", filepath.Join(p.dir, "small.toml"), "--only", "seed=9"}, []string{"--only"}},
		"slots":                {[]string{"run", filepath.Join(p.dir, "small.toml"), "--slots", "0"}, []string{"--slots"}},
		"pretrain a folder":    {[]string{"pretrain", p.dir}, []string{"recipe"}},
		"pretrain unknown key": {[]string{"pretrain", p.write("r.toml", tinyRecipe+"momentum = 1\n")}, []string{"r.toml", "train.momentum"}},
		"worker, odd kind":     {[]string{"worker", "--kind", "serve"}, []string{"--kind", "--id"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := *p
			p.t = t
			p.refused(test.args, test.want...)
		})
	}
}

func TestAWorkspaceThatIsNoneIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"damaged": "{", "of a newer program": `{"id":"x","format":99}`, "empty": "{}",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			sweep := p.sample()
			p.write("ws/workspace.json", text)
			p.refused([]string{"run", sweep}, "workspace")
			p.refused([]string{"status"}, "workspace")
		})
	}
}

func TestNamesOfRunsThatAreNotClearAreRefused(t *testing.T) {
	p := newPlace(t)
	p.ok("run", p.sample())
	p.refused([]string{"show", "zzz"}, "zzz", "tiny-k1-s1")
	p.refused([]string{"show", ""}, "no run")
	p.refused([]string{"export", "tiny", "--to", filepath.Join(p.dir, "x")}, "tiny")
	p.refused([]string{"report", "smal", "-o", filepath.Join(p.dir, "x")}, "smal", "small")
	p.refused([]string{"query", "DELETE FROM runs"}, "only statements that read are allowed", "DELETE")
	p.refused([]string{"query", "SELEC 1"})
	p.refused([]string{"query", "SELECT 1 AS a, 2 AS a", "--json"}, `"a"`, "AS")
	if err := os.MkdirAll(filepath.Join(p.dir, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("full/file", "x")
	run := decode[struct{ Runs []struct{ ID string } }](t, p.ok("status", "--json")).Runs[0].ID
	p.refused([]string{"export", run, "--to", filepath.Join(p.dir, "full")}, "not empty")
	p.refused([]string{"export", run}, "--to")
}
