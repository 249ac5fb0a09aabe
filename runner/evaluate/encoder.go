// Package evaluate measures SPLADE encoders on collections: encode, index,
// search exactly, compute measures and sparsity, keep the ranking.
package evaluate

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"headroom/data/tokenize"
	"headroom/models/hf"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/runner/search"
)

// EncoderOptions say where an encoder computes.
type EncoderOptions struct {
	// Backend as compute.backend of a sweep: "auto" where empty.
	Backend string
	// Threads of the CPU; 0 is all cores.
	Threads int
	// KeepNonFinite encodes a text whose weights are not finite without those
	// weights. By default it is an error; the final evaluation of a run whose
	// verdict is already non_finite asks for it.
	KeepNonFinite bool
}

// Encoder turns texts into sparse vectors.
type Encoder struct {
	engine    *engine.Engine
	model     *engine.Model
	tokenizer *tokenize.Tokenizer
	folder    string
	form      splade.Form
	options   EncoderOptions
	maxLength int // what the folder's own files say; 0: nothing
}

// OpenEncoder loads a *ForMaskedLM or sentence-transformers SparseEncoder folder.
func OpenEncoder(ctx context.Context, folder string, options EncoderOptions) (*Encoder, error) {
	ck, err := hf.Load(folder, hf.Options{})
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := &Encoder{folder: folder, options: options}
	if se := ck.SparseEncoder; se != nil {
		if se.Pooling == "" {
			return nil, fmt.Errorf("load model %q: modules.json names no SpladePooling: not a sparse encoder", folder)
		}
		e.form, e.maxLength = splade.FormOf(se), se.MaxSeqLength
	}
	if e.tokenizer, err = LoadTokenizer(ck); err != nil {
		return nil, err
	}
	backend := options.Backend
	if backend == "" {
		backend = "auto"
	}
	if e.engine, err = engine.Open(backend, options.Threads); err != nil {
		return nil, err
	}
	if e.model, err = engine.NewModel(e.engine, ck, ck.Tied); err != nil {
		e.engine.Close()
		return nil, err
	}
	return e, nil
}

// LoadTokenizer reads a checkpoint's tokenizer and checks that its ids fit the model.
func LoadTokenizer(ck *hf.Checkpoint) (*tokenize.Tokenizer, error) {
	path := filepath.Join(ck.Transformer, "tokenizer.json")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("load tokenizer of model %q: %w", ck.Folder, err)
	}
	t, err := tokenize.Load(path)
	if err != nil {
		return nil, err
	}
	if t.VocabSize() > ck.Config.Vocab {
		return nil, fmt.Errorf("load tokenizer %q: it has %d tokens, the model's vocab_size is %d", path, t.VocabSize(), ck.Config.Vocab)
	}
	return t, nil
}

// FromModel wraps a model that is already in memory; Close leaves it alone.
func FromModel(m *engine.Model, t *tokenize.Tokenizer, form splade.Form, options EncoderOptions) *Encoder {
	return &Encoder{model: m, tokenizer: t, form: form, options: options}
}

// Tokenizer is the model's own.
func (e *Encoder) Tokenizer() *tokenize.Tokenizer { return e.tokenizer }

// Vocab is the width of the vectors.
func (e *Encoder) Vocab() int { return e.model.Config.Vocab }

// MaxLength is how many tokens the folder's own files cut texts to; 0 where they do not say.
func (e *Encoder) MaxLength() int { return e.maxLength }

// MaxTokens is the longest text the model takes.
func (e *Encoder) MaxTokens() int { return e.model.Config.MaxTokens() }

// Close frees the model and its backend.
func (e *Encoder) Close() {
	if e.engine != nil {
		e.model.Close()
		e.engine.Close()
	}
}

// Encode returns the vectors of texts, in their order. A text is cut to
// maxLength tokens, special ones included; progress, which may be nil, is called
// from time to time. Texts of like length share a batch.
func (e *Encoder) Encode(ctx context.Context, texts []string, maxLength int, progress func(done, total int)) ([]search.Vector, error) {
	if maxLength < 2 || maxLength > e.model.Config.MaxTokens() {
		return nil, fmt.Errorf("encode: a maximum length of %d tokens is not possible: the model takes 2 to %d", maxLength, e.model.Config.MaxTokens())
	}
	ids := e.tokenizer.EncodeBatch(texts, maxLength, e.model.Engine.Threads())
	order, tokens := make([]int, len(ids)), 0
	for i := range order {
		order[i] = i
		tokens += len(ids[i])
	}
	pool, done, err := e.pooling(tokens)
	if err != nil {
		return nil, err
	}
	defer done()
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	vectors := make([]search.Vector, len(texts))
	for start := 0; start < len(order); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		padded := e.model.Engine.Padded(len(ids[order[start]]), e.model.Config.MaxTokens())
		end := min(len(order), start+max(1, e.model.Engine.BatchTokens()/padded))
		batch := make([][]int32, 0, end-start)
		for _, i := range order[start:end] {
			batch = append(batch, ids[i])
		}
		pooled, err := pool(batch)
		if err != nil {
			return nil, err
		}
		vocab := e.Vocab()
		for j, i := range order[start:end] {
			if vectors[i], err = e.vector(pooled[j*vocab : (j+1)*vocab]); err != nil {
				return nil, fmt.Errorf("encode text %d: %w", i, err)
			}
		}
		start = end
		if progress != nil {
			progress(start, len(order))
		}
	}
	return vectors, nil
}

// pooling prepares for texts with the given number of tokens in all. What it
// returns gives [texts, vocab]: logits where the maximum is taken, weights where
// they are added up.
func (e *Encoder) pooling(tokens int) (pool func(batch [][]int32) ([]float32, error), done func(), err error) {
	if e.form.Sum {
		head, err := engine.NewSumHead(e.model, e.form)
		if err != nil {
			return nil, nil, err
		}
		return head.Texts, head.Close, nil
	}
	pooler, err := e.model.Pooler(tokens)
	if err != nil {
		return nil, nil, err
	}
	return pooler.Positive, func() {}, nil
}

// vector keeps the terms with a positive weight, of which the form may keep the largest only.
func (e *Encoder) vector(pooled []float32) (search.Vector, error) {
	n := 0
	for _, z := range pooled {
		if !(z <= 0) {
			n++
		}
	}
	v := search.Vector{Terms: make([]uint32, 0, n), Weights: make([]float32, 0, n)}
	for term, z := range pooled {
		if z <= 0 {
			continue
		}
		weight := z
		if !e.form.Sum {
			weight = e.form.Weight(z)
		}
		if weight-weight != 0 {
			if e.options.KeepNonFinite {
				continue
			}
			return v, fmt.Errorf("the weight of term %d is %v: the model's output is not finite", term, weight)
		}
		if weight > 0 {
			v.Terms, v.Weights = append(v.Terms, uint32(term)), append(v.Weights, weight)
		}
	}
	if e.form.TopK > 0 && len(v.Weights) > e.form.TopK {
		e.form.Prune(v.Weights)
		kept := search.Vector{}
		for i, w := range v.Weights {
			if w > 0 {
				kept.Terms, kept.Weights = append(kept.Terms, v.Terms[i]), append(kept.Weights, w)
			}
		}
		return kept, nil
	}
	return v, nil
}
