// Package evaluate measures SPLADE encoders on collections: encode, index,
// search exactly, compute measures and sparsity, keep the ranking.
package evaluate

import (
	"context"
	"fmt"
	"sync/atomic"

	"headroom/data/tokenize"
	"headroom/models/hf"
	"headroom/models/splade"
	"headroom/runner/engine"
)

// EncoderOptions say where an encoder computes.
type EncoderOptions struct {
	// Backend as compute.backend of a sweep: "auto" if empty.
	Backend string
	// Threads of the CPU; 0 is all cores.
	Threads int
	// Precision is what matrix products are in, "float32" (if empty) or "bfloat16",
	// which only XLA computes in. A model that is already in memory has its own.
	Precision string
	// Form is used in place of what the model's folder says of itself; nil is the folder's.
	Form *splade.Form
	// KeepNonFinite encodes a text whose weights are not finite without those
	// weights. By default it is an error; the final evaluation of a run whose
	// verdict is already non_finite asks for it.
	KeepNonFinite bool
	// QueryPrompt and DocumentPrompt are put before texts; nil is what the folder
	// puts there, of a model in memory nothing.
	QueryPrompt, DocumentPrompt *string
	// Similarity replaces the folder's way of comparing vectors, see Encoder.Similarity.
	Similarity *string
}

// Encoder turns texts into sparse vectors.
type Encoder struct {
	engine     *engine.Engine
	model      *engine.Model
	tokenizer  *tokenize.Tokenizer
	folder     string
	form       splade.Form
	options    EncoderOptions
	notices    []string
	full       atomic.Int64 // texts that had the most tokens that were kept
	similarity string       // how vectors are compared; "" is "dot"
	// put before texts
	queryPrompt, documentPrompt string
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
	e := &Encoder{folder: folder, options: options, notices: ck.Notices}
	if se := ck.SparseEncoder; se != nil {
		e.similarity = said(options.Similarity, se.Similarity)
		if se.Pooling == "" && options.Form == nil {
			return nil, fmt.Errorf("load model %q: modules.json names no SpladePooling: not a sparse encoder", folder)
		}
		e.form = splade.FormOf(se)
	}
	if options.Form != nil {
		e.form = *options.Form
	}
	if e.tokenizer, err = LoadTokenizer(ck); err != nil {
		return nil, err
	}
	prompts := e.tokenizer.Prompts()
	e.queryPrompt, e.documentPrompt = said(options.QueryPrompt, prompts.Query), said(options.DocumentPrompt, prompts.Document)
	e.notices = append(e.notices, e.tokenizer.Notices()...)
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
	if err := e.model.SetPrecision(options.Precision); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// LoadTokenizer reads a checkpoint's tokenizer and checks that its ids fit the model.
func LoadTokenizer(ck *hf.Checkpoint) (*tokenize.Tokenizer, error) {
	t, err := tokenize.Open(ck.Transformer)
	if err != nil {
		return nil, err
	}
	if t.VocabSize() > ck.Config.Vocab {
		return nil, fmt.Errorf("load tokenizer of %q: it has %d tokens, the model's vocab_size is %d", ck.Transformer, t.VocabSize(), ck.Config.Vocab)
	}
	return t, nil
}

// said is a prompt that somebody asked for, or the folder's.
func said(asked *string, folder string) string {
	if asked != nil {
		return *asked
	}
	return folder
}

// FromModel wraps a model that is already in memory; Close leaves it alone.
func FromModel(m *engine.Model, t *tokenize.Tokenizer, form splade.Form, options EncoderOptions) *Encoder {
	return &Encoder{
		model: m, tokenizer: t, form: form, options: options,
		queryPrompt: said(options.QueryPrompt, ""), documentPrompt: said(options.DocumentPrompt, ""),
	}
}

// Tokenizer is the model's own.
func (e *Encoder) Tokenizer() *tokenize.Tokenizer { return e.tokenizer }

// Vocab is the width of the vectors.
func (e *Encoder) Vocab() int { return e.model.Config.Vocab }

// Notices are what a user should know of the folder: see hf.Checkpoint.
func (e *Encoder) Notices() []string { return e.notices }

// MaxLength is how many tokens the folder's own files cut texts to; 0 if they do not say.
func (e *Encoder) MaxLength() int { return e.tokenizer.MaxLength() }

// Full is how many of the texts encoded so far have as many tokens as were kept: what
// was longer was cut there.
func (e *Encoder) Full() int { return int(e.full.Load()) }

// MaxTokens is the longest text the model takes.
func (e *Encoder) MaxTokens() int { return e.model.Config.MaxTokens() }

// Close frees the model and its backend.
func (e *Encoder) Close() {
	if e.engine != nil {
		e.model.Close()
		e.engine.Close()
	}
}
