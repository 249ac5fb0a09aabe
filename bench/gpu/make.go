package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"headroom/data/synthetic"
	"headroom/models/hf"
)

// plan is what both sides do, in DIR/plan.json.
type plan struct {
	Shapes         []string `json:"shapes"`
	LR             float64  `json:"lr"`
	LambdaQuery    float64  `json:"lambda_query"`
	LambdaDocument float64  `json:"lambda_document"`
	Queries        int      `json:"queries"`
	Documents      int      `json:"documents"` // per step: one positive and one negative per query
	QueryTokens    int      `json:"query_tokens"`
	DocumentTokens int      `json:"document_tokens"`
	Batches        int      `json:"batches"` // steps whose losses are compared
	Timed          int      `json:"timed"`   // steps that are timed after them
}

// batch is one step's token ids: documents in columns, positives first.
type batch struct {
	Queries   [][]int32 `json:"queries"`
	Documents [][]int32 `json:"documents"`
}

type named struct {
	name  string
	shape hf.Shape
}

func shapes(tiny bool) []named {
	bert := hf.Shape{ModelType: "bert", Vocab: 30522, Hidden: 768, Layers: 12, Heads: 12, Intermediate: 3072, Positions: 512}
	modern := hf.Shape{ModelType: "modernbert", Vocab: 50368, Hidden: 768, Layers: 22, Heads: 12, Intermediate: 1152, Positions: 8192, LocalAttention: 128, GlobalEvery: 3}
	ettin := modern
	ettin.Positions = 7999
	if tiny {
		bert = hf.Shape{ModelType: "bert", Vocab: 1500, Hidden: 32, Layers: 2, Heads: 2, Intermediate: 48, Positions: 64}
		modern = hf.Shape{ModelType: "modernbert", Vocab: 1500, Hidden: 32, Layers: 2, Heads: 2, Intermediate: 48, Positions: 64, LocalAttention: 16, GlobalEvery: 2}
		return []named{{"BERT-tiny", bert}, {"ModernBERT-tiny", modern}}
	}
	return []named{{"BERT-base", bert}, {"Ettin-150m", ettin}, {"ModernBERT-base", modern}}
}

func makeAll(dir string, tiny bool) error {
	p := plan{LR: 2e-5, LambdaQuery: 1e-4, LambdaDocument: 1e-4, Queries: 64, Documents: 128, QueryTokens: 64, DocumentTokens: 256, Batches: 20, Timed: 20}
	size, steps := synthetic.Size{Documents: 2000, Train: 2000, Dev: 50, Test: 200, NoOverlap: 10}, 300
	if tiny {
		p.Queries, p.Documents, p.QueryTokens, p.DocumentTokens, p.Batches, p.Timed = 4, 8, 16, 32, 5, 3
		size, steps = synthetic.Size{Documents: 120, Train: 150, Dev: 10, Test: 20, NoOverlap: 2}, 6
	}
	world, err := synthetic.New(3, size)
	if err != nil {
		return err
	}
	if err := world.Write(filepath.Join(dir, "world")); err != nil {
		return err
	}
	tokenizer, err := synthetic.Tokenizer(contents(world))
	if err != nil {
		return err
	}
	special := tokenizer.Special()
	save := func(name string, s hf.Shape) error {
		s.Tie, s.InitStd, s.CLS, s.SEP, s.PAD = true, .02, int(special.CLS), int(special.SEP), int(special.PAD)
		return saveRandom(filepath.Join(dir, name), s, tokenizer.Bytes(), p.DocumentTokens)
	}
	for _, s := range shapes(tiny) {
		p.Shapes = append(p.Shapes, s.name)
		if err := save(s.name, s.shape); err != nil {
			return err
		}
		if err := write(filepath.Join(dir, s.name, "batches.json"), batches(p, s.shape.Vocab)); err != nil {
			return err
		}
	}
	small := hf.Shape{ModelType: "modernbert", Vocab: tokenizer.VocabSize(), Hidden: 128, Layers: 4, Heads: 2, Intermediate: 192, Positions: 256, LocalAttention: 64, GlobalEvery: 3}
	if tiny {
		small.Hidden, small.Layers, small.Intermediate, small.Positions = 32, 1, 48, 64
	}
	if err := save("small", small); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "sweep.toml"), []byte(sweep(dir, steps)), 0o644); err != nil {
		return err
	}
	return write(filepath.Join(dir, "plan.json"), p)
}

func sweep(dir string, steps int) string {
	return fmt.Sprintf(`name = "gpu"

[grid]
"model.rescale" = [1, 4]

[model]
backbone = %[1]q

[data]
train = %[2]q
max_query = 16
max_document = 48

[train]
steps = %[3]d
batch = 8
lr = 1e-3
precision = "bfloat16"

[regularizer]
lambda_query = 1e-3
lambda_document = 1e-3

[evaluate]
final = [%[2]q]
`, filepath.Join(dir, "small"), filepath.Join(dir, "world"), steps)
}

func contents(world *synthetic.World) []string {
	var texts []string
	for _, d := range world.Documents {
		texts = append(texts, d.Content())
	}
	for _, q := range world.Queries {
		texts = append(texts, q.Text)
	}
	return texts
}

// saveRandom writes a folder of normal weights that both sides load.
func saveRandom(folder string, s hf.Shape, tokenizer []byte, tokens int) error {
	cfg, err := hf.NewConfig(s)
	if err != nil {
		return err
	}
	params := hf.FreshParams(cfg, rand.New(rand.NewPCG(5, 5)), s.InitStd)
	params[cfg.DecoderName()].Data = params[cfg.EmbeddingName()].Data
	return hf.Save(folder, hf.SaveModel{Config: cfg, Params: params, Tied: true, Tokenizer: tokenizer, MaxSeqLength: tokens})
}

// batches returns batches of texts with a quarter to all of the padded length; one text of each batch has all of it.
func batches(p plan, vocab int) []batch {
	r := rand.New(rand.NewPCG(7, 7))
	side := func(n, tokens int) [][]int32 {
		texts := make([][]int32, n)
		for i := range texts {
			length := tokens
			if i > 0 {
				length = tokens/4 + r.IntN(tokens*3/4)
			}
			for range length {
				texts[i] = append(texts[i], 5+r.Int32N(int32(vocab-5)))
			}
		}
		return texts
	}
	list := make([]batch, p.Batches)
	for i := range list {
		list[i] = batch{side(p.Queries, p.QueryTokens), side(p.Documents, p.DocumentTokens)}
	}
	return list
}

func write(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func read(path string, value any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}
