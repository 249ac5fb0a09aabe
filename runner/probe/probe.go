// Package probe looks at a masked language model before any GPU hour is spent on
// it: how large its MLM head is, what a SPLADE model made of it computes at step
// 0, and by which factor k the automatic rescales would divide the head. The same
// code chooses k at the start of a run (ChooseK), so that what a probe suggests
// and what a run does cannot drift apart.
//
// Formulas and the constants' reasons are in docs/probe.md and package mlmhead.
package probe

import (
	"context"
	"fmt"

	"headroom/data/tokenize"
	"headroom/metrics/event"
	"headroom/models/hf"
	"headroom/models/mlmhead"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/runner/evaluate"
	"headroom/runner/train"
)

// Report is what a probe found. Values that are no finite numbers are written
// as "nan", "+inf" and "-inf".
type Report struct {
	Model        string     `json:"model"`
	Architecture string     `json:"architecture"`
	Parameters   int64      `json:"parameters"` // a tied decoder counts once
	Vocab        int        `json:"vocab"`
	Tied         bool       `json:"tied"`
	Head         Head       `json:"head"`
	Step0        Step0      `json:"step0"`
	SuggestedK   SuggestedK `json:"suggested_k"`
	// NonFinite lists the parameters that hold a NaN or an infinity.
	NonFinite []string `json:"non_finite,omitempty"`
	// Notices are what a user should know of the folder: see hf.Checkpoint.
	Notices []string `json:"notices,omitempty"`
	// InfoNCEs are those of the cases that were asked for, over ln(candidates).
	InfoNCEs []float64 `json:"-"`
}

// Head describes the decoder as it was loaded.
type Head struct {
	RowNorm RowNorm `json:"row_norm"`
	// BiasMean is nil where the decoder has no bias.
	BiasMean *event.Value `json:"bias_mean"`
}

// RowNorm are statistics of the decoder rows' L2 norms.
type RowNorm struct {
	Mean event.Value `json:"mean"`
	P05  event.Value `json:"p05"`
	P50  event.Value `json:"p50"`
	P95  event.Value `json:"p95"`
	Max  event.Value `json:"max"`
}

// Step0 is what the model computes at k = 1, means over the batches of the sample.
type Step0 struct {
	ActiveQuery    event.Value `json:"active_query"`
	ActiveDocument event.Value `json:"active_document"`
	ScoreMean      event.Value `json:"score_mean"`
	ScoreSD        event.Value `json:"score_sd"`
	InfoNCE        event.Value `json:"infonce"`
	LnCandidates   event.Value `json:"ln_candidates"`
}

// SuggestedK are the factors that the automatic choices would take; NaN where the
// weights do not allow one.
type SuggestedK struct {
	AutoNorm  event.Value `json:"auto_norm"`
	AutoScore event.Value `json:"auto_score"`
}

// Options say where a probe computes.
type Options struct {
	Backend string // as compute.backend of a sweep
	Threads int    // 0 is all cores
	// Cases are further ways to make a SPLADE model of it, whose InfoNCE is wanted.
	Cases []Case
}

// Lengths to which a probe cuts texts: the defaults of data.max_query and
// data.max_document.
const (
	maxQuery    = 64
	maxDocument = 256
)

// Model probes the checkpoint in folder on pairs of texts. name is how the report
// calls it.
func Model(ctx context.Context, name, folder string, pairs []Pair, options Options) (Report, error) {
	report := Report{Model: name}
	ck, err := hf.Load(folder, hf.Options{})
	if err != nil {
		return report, err
	}
	form := Form{Target: mlmhead.Decoder, ScoreScale: 1}
	if se := ck.SparseEncoder; se != nil {
		if se.Pooling == "sum" {
			return report, fmt.Errorf("pooling \"sum\" cannot be probed; \"max\" can")
		}
		if se.TokenTopM > 0 {
			return report, fmt.Errorf("its tokens keep %d logits each (headroom_token_top_m in config_sentence_transformers.json), which cannot be probed: which logits stay depends on k; allowed: folders without that key", se.TokenTopM)
		}
		form.Splade = splade.FormOf(se)
	}
	tokenizer, err := evaluate.LoadTokenizer(ck)
	if err != nil {
		return report, err
	}
	e, err := engine.Open(options.Backend, options.Threads)
	if err != nil {
		return report, err
	}
	defer e.Close()
	m, err := engine.NewModel(e, ck, ck.Tied)
	if err != nil {
		return report, err
	}
	defer m.Close()
	if err := ctx.Err(); err != nil {
		return report, err
	}
	report.describe(m)
	report.Notices = append(ck.Notices, tokenizer.Notices()...)
	batches := tokens(m, tokenizer, pairs)
	p, err := project(m, batches)
	if err != nil {
		return report, fmt.Errorf("probe model %q: %w", folder, err)
	}
	report.Step0 = p.at(1, form).report()
	// Where a factor cannot be chosen the report says NaN, and NonFinite says why.
	k, _ := mlmhead.AutoNorm(float64(report.Head.RowNorm.Mean))
	report.SuggestedK.AutoNorm = event.Value(k)
	k, _ = p.choose(form)
	report.SuggestedK.AutoScore = event.Value(k)
	if report.InfoNCEs, err = p.infonces(m, batches, options.Cases); err != nil {
		return report, fmt.Errorf("probe model %q: %w", folder, err)
	}
	return report, ctx.Err()
}

// describe fills in what follows from the parameters alone.
func (r *Report) describe(m *engine.Model) {
	r.Architecture, r.Vocab, r.Tied = m.Config.ModelType, m.Config.Vocab, m.Tied
	for _, p := range m.Params {
		r.Parameters += int64(len(p.Values))
	}
	r.NonFinite = train.NonFinite(m)
	n := mlmhead.RowNorms(m.DecoderWeight().Values, m.Config.Embedding)
	r.Head.RowNorm = RowNorm{event.Value(n.Mean), event.Value(n.P05), event.Value(n.P50), event.Value(n.P95), event.Value(n.Max)}
	if bias := m.DecoderBias(); bias != nil {
		mean := 0.0
		for _, b := range bias.Values {
			mean += float64(b) / float64(len(bias.Values))
		}
		value := event.Value(mean)
		r.Head.BiasMean = &value
	}
}

// tokens makes batches of the sample.
func tokens(m *engine.Model, t *tokenize.Tokenizer, pairs []Pair) []Batch {
	var batches []Batch
	limit, prompts := m.Config.MaxTokens(), t.Prompts()
	for _, part := range split(pairs) {
		var b Batch
		for _, p := range part {
			b.Queries = append(b.Queries, t.Encode(prompts.Query+p.Query, min(maxQuery, limit)))
			b.Documents = append(b.Documents, t.Encode(prompts.Document+p.Document, min(maxDocument, limit)))
		}
		batches = append(batches, b)
	}
	return batches
}
