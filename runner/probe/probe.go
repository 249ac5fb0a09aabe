// Package probe examines a masked language model before any GPU hour is spent on it:
// the size of its MLM head, the results of a SPLADE model made of it at step 0, and
// the factor k by which the automatic rescales would divide the head. The same code
// chooses k at the start of a run (ChooseK), so that probes and runs always agree.
//
// docs/probe.md and package mlmhead have the formulas and the reasons for the constants.
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

// Report is the result of a probe. Values that are not finite are written as "nan",
// "+inf" and "-inf".
type Report struct {
	Model        string     `json:"model"`
	Architecture string     `json:"architecture"`
	Parameters   int64      `json:"parameters"` // a tied decoder counts once
	Vocab        int        `json:"vocab"`
	Tied         bool       `json:"tied"`
	Head         Head       `json:"head"`
	Step0        Step0      `json:"step0"`
	SuggestedK   SuggestedK `json:"suggested_k"`
	// NonFinite lists the parameters with a NaN or an infinity.
	NonFinite []string `json:"non_finite,omitempty"`
	// Notices tell what is odd about the folder: see hf.Checkpoint.
	Notices []string `json:"notices,omitempty"`
	// InfoNCEs holds InfoNCE over ln(candidates) for each case of Options.
	InfoNCEs []float64 `json:"-"`
}

// Head describes the decoder as it was loaded.
type Head struct {
	RowNorm RowNorm `json:"row_norm"`
	// BiasMean is nil if the decoder has no bias.
	BiasMean *event.Value `json:"bias_mean"`
}

// RowNorm holds statistics of the L2 norms of the decoder's rows.
type RowNorm struct {
	Mean event.Value `json:"mean"`
	P05  event.Value `json:"p05"`
	P50  event.Value `json:"p50"`
	P95  event.Value `json:"p95"`
	Max  event.Value `json:"max"`
}

// Step0 holds results of the model at k = 1, as means over the batches of the sample.
type Step0 struct {
	ActiveQuery    event.Value `json:"active_query"`
	ActiveDocument event.Value `json:"active_document"`
	ScoreMean      event.Value `json:"score_mean"`
	ScoreSD        event.Value `json:"score_sd"`
	InfoNCE        event.Value `json:"infonce"`
	LnCandidates   event.Value `json:"ln_candidates"`
}

// SuggestedK holds the factors of the automatic choices; NaN if the weights do not
// allow one.
type SuggestedK struct {
	AutoNorm  event.Value `json:"auto_norm"`
	AutoScore event.Value `json:"auto_score"`
}

// Options say where a probe computes, and which cases.
type Options struct {
	Backend string // as compute.backend of a sweep
	Threads int    // 0 is all cores
	// Cases are further ways to make a SPLADE model, for InfoNCEs.
	Cases []Case
}

// Lengths to which a probe cuts texts: the defaults of data.max_query and
// data.max_document.
const (
	maxQuery    = 64
	maxDocument = 256
)

// Model probes the checkpoint in folder on pairs of texts. name is its name in the
// report.
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
	report.Step0 = p.startAt(1, form).report()
	// Where a factor cannot be chosen the report has NaN, and NonFinite shows why.
	k, _ := mlmhead.AutoNorm(float64(report.Head.RowNorm.Mean))
	report.SuggestedK.AutoNorm = event.Value(k)
	k, _ = p.choose(form)
	report.SuggestedK.AutoScore = event.Value(k)
	if report.InfoNCEs, err = p.infonces(m, batches, options.Cases); err != nil {
		return report, fmt.Errorf("probe model %q: %w", folder, err)
	}
	return report, ctx.Err()
}

// describe sets the fields that follow from the parameters alone.
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
