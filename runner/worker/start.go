package worker

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"headroom/data/tokenize"
	"headroom/models/hf"
	"headroom/runner/evaluate"
	"headroom/sweeps"
)

// streamWeights is the random stream of new weights, apart from those of masks and order.
const streamWeights = 0x77656967687473

// start returns a recipe's model before its first step, and its tokenizer.
func (b *backboneJob) start() (*hf.Checkpoint, *tokenize.Tokenizer, error) {
	if b.recipe.Start.Folder != "" {
		return b.warm()
	}
	path, err := b.resolver.Tokenizer(b.recipe.Tokenizer)
	if err != nil {
		return nil, nil, err
	}
	t, err := tokenize.Open(path)
	if err != nil {
		return nil, nil, err
	}
	special, m := t.Special(), b.recipe.Model
	cfg, err := hf.NewConfig(hf.Shape{
		ModelType: m.Architecture, Vocab: t.VocabSize(), Hidden: m.Hidden, Layers: m.Layers, Heads: m.Heads,
		Intermediate: m.Intermediate, Positions: m.Positions, Tie: m.Tie, InitStd: m.InitStd, Dropout: m.Dropout,
		CLS: int(special.CLS), SEP: int(special.SEP), PAD: int(special.PAD),
		LocalAttention: m.LocalAttention, GlobalEvery: m.GlobalEvery,
	})
	if err != nil {
		return nil, nil, err
	}
	ck := &hf.Checkpoint{Folder: b.recipe.Name, Config: cfg, Tied: m.Tie, Tensors: map[string]*hf.Param{}}
	fill(ck, b.recipe.Seed, m.InitStd, func(hf.ParamSpec) bool { return true })
	if m.Tie {
		tie(ck)
	}
	return ck, t, nil
}

// startModel returns the reference of the model that a recipe starts from. For a model of
// the hub it names the commit in the id, wherever the branch is now.
func (b *backboneJob) startModel() string {
	if pinned, hub := strings.CutPrefix(b.in.Weights, "hub:"); hub {
		return pinned
	}
	return b.recipe.Start.Folder
}

// warm loads the checkpoint that a recipe starts from. With start.head = "new" the MLM
// transform is new, and the decoder is the token embeddings.
func (b *backboneJob) warm() (*hf.Checkpoint, *tokenize.Tokenizer, error) {
	folder, err := b.resolver.Model(b.startModel())
	if err != nil {
		return nil, nil, err
	}
	fresh := b.recipe.Start.Head == "new"
	ck, err := hf.Load(folder, hf.Options{WithoutHead: fresh})
	if err != nil {
		return nil, nil, err
	}
	if err := checkShape(b.recipe.Model, ck.Config); err != nil {
		return nil, nil, fmt.Errorf("start from %q: %w", folder, err)
	}
	if fresh {
		fill(ck, b.recipe.Seed, b.recipe.Model.InitStd, func(p hf.ParamSpec) bool { return p.Head })
		tie(ck)
		ck.Tied, ck.MissingHead = true, false
	}
	if b.recipe.Tokenizer == "" {
		t, err := evaluate.LoadTokenizer(ck)
		return ck, t, err
	}
	path, err := b.resolver.Tokenizer(b.recipe.Tokenizer)
	if err != nil {
		return nil, nil, err
	}
	t, err := tokenize.Open(path)
	if err == nil && t.VocabSize() > ck.Config.Vocab {
		err = fmt.Errorf("tokenizer %q has %d tokens, the model of %q %d", filepath.Base(path), t.VocabSize(), folder, ck.Config.Vocab)
	}
	return ck, t, err
}

// checkShape returns an error if the recipe has another shape than the checkpoint.
func checkShape(m sweeps.RecipeModel, cfg hf.Config) error {
	if m.Architecture != "" && m.Architecture != cfg.ModelType {
		return fmt.Errorf("model.architecture is %q, the checkpoint's %q", m.Architecture, cfg.ModelType)
	}
	for _, c := range []struct {
		key       string
		said, has int
	}{
		{"hidden", m.Hidden, cfg.Hidden}, {"layers", m.Layers, cfg.Layers}, {"heads", m.Heads, cfg.Heads},
		{"intermediate", m.Intermediate, cfg.Intermediate},
	} {
		if c.said != 0 && c.said != c.has {
			return fmt.Errorf("model.%s is %d, the checkpoint's %d", c.key, c.said, c.has)
		}
	}
	return nil
}

// fill makes the chosen parameters new: normal matrices with the given standard deviation,
// gains 1, biases 0.
func fill(ck *hf.Checkpoint, seed int64, std float64, chosen func(hf.ParamSpec) bool) {
	r := rand.New(rand.NewPCG(uint64(seed), streamWeights))
	for _, spec := range ck.Config.Params() {
		if chosen(spec) {
			ck.Tensors[spec.Name] = spec.Fresh(r, std)
		}
	}
}

// tie makes the decoder the input embeddings.
func tie(ck *hf.Checkpoint) {
	embedding := ck.Tensors[ck.Config.EmbeddingName()]
	ck.Tensors[ck.Config.DecoderName()] = &hf.Param{Name: ck.Config.DecoderName(), Shape: embedding.Shape, Data: embedding.Data}
}
