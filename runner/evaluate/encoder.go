// Package evaluate evaluates SPLADE encoders on collections: it encodes, indexes, searches
// exactly, computes measures and sparsity, and keeps the rankings.
package evaluate

import (
	"cmp"
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
	// Backend is as compute.backend of a sweep; "" is "auto".
	Backend string
	// Threads of the CPU; 0 is all cores.
	Threads int
	// Precision of matrix products: "float32", which "" means, or "bfloat16", which needs
	// XLA. A model that is already in memory has its own.
	Precision string
	// Form replaces the form of the model's folder; nil keeps that.
	Form *splade.Form
	// KeepNonFinite encodes a text whose weights are not finite without those weights. By
	// default they are an error. The final evaluation of a run with the verdict non_finite
	// sets it.
	KeepNonFinite bool
	// QueryPrompt and DocumentPrompt are put before texts; nil means the folder's prompt,
	// and none for a model in memory.
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
	full       atomic.Int64 // texts that have as many tokens as are kept
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
		e.similarity = requestedOr(options.Similarity, se.Similarity)
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
	e.queryPrompt, e.documentPrompt = requestedOr(options.QueryPrompt, prompts.Query), requestedOr(options.DocumentPrompt, prompts.Document)
	e.notices = append(e.notices, e.tokenizer.Notices()...)
	backend := options.Backend
	backend = cmp.Or(backend, "auto")
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

// requestedOr returns the requested prompt, or the folder's if none was requested.
func requestedOr(asked *string, folder string) string {
	if asked != nil {
		return *asked
	}
	return folder
}

// FromModel wraps a model that is already in memory; Close leaves it alone.
func FromModel(m *engine.Model, t *tokenize.Tokenizer, form splade.Form, options EncoderOptions) *Encoder {
	return &Encoder{
		model: m, tokenizer: t, form: form, options: options,
		queryPrompt: requestedOr(options.QueryPrompt, ""), documentPrompt: requestedOr(options.DocumentPrompt, ""),
	}
}

// Tokenizer returns the model's tokenizer.
func (e *Encoder) Tokenizer() *tokenize.Tokenizer { return e.tokenizer }

// Vocab returns the width of the vectors.
func (e *Encoder) Vocab() int { return e.model.Config.Vocab }

// Notices are messages for the user about the folder: see hf.Checkpoint.
func (e *Encoder) Notices() []string { return e.notices }

// MaxLength returns the length in tokens to which the folder's own files cut texts; 0 if
// they do not say.
func (e *Encoder) MaxLength() int { return e.tokenizer.MaxLength() }

// FullTexts returns how many of the texts encoded so far reached the length to which texts are
// cut; longer texts were cut.
func (e *Encoder) FullTexts() int { return int(e.full.Load()) }

// MaxTokens returns the length of the longest text that the model can encode.
func (e *Encoder) MaxTokens() int { return e.model.Config.MaxTokens() }

// Close frees the model and its backend.
func (e *Encoder) Close() {
	if e.engine != nil {
		e.model.Close()
		e.engine.Close()
	}
}
