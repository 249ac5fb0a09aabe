package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"headroom/data/collection"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/measure"
	"headroom/metrics/stability"
	"headroom/models/hf"
	"headroom/models/mlmhead"
	"headroom/models/splade"
	"headroom/runner/checkpoint"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/train"
	"headroom/runner/vectors"
	"headroom/sweeps"
)

// finish judges the trained run and exports its model.
func (a *outcome) finish() error {
	n := mlmhead.RowNorms(a.model.DecoderWeight().Values, a.model.Config.Embedding)
	if err := a.log.Append(event.HeadNorms{Step: a.chosen, Mean: event.Value(n.Mean), P05: event.Value(n.P05), P50: event.Value(n.P50), P95: event.Value(n.P95), Max: event.Value(n.Max)}); err != nil {
		return err
	}
	result := a.monitor.Result()
	for _, episode := range result.Episodes {
		// An episode that stands gets its last step here; one that passed was written when
		// it did.
		if episode.Stands {
			if err := a.log.Append(episode); err != nil {
				return err
			}
		}
	}
	if err := a.tellCollapses(result.Episodes); err != nil { // those that only the end shows
		return err
	}
	thresholds, err := json.Marshal(a.cfg.Stability.Thresholds)
	if err != nil {
		return err
	}
	if err := a.log.Append(event.Judged{Verdict: result.Verdict, Chain: result.Chain, Detectors: stability.Versions(), Thresholds: thresholds}); err != nil {
		return err
	}
	if err := a.export(result.Verdict); err != nil {
		return err
	}
	return checkpoint.KeepFinal(a.checkpoints(), a.keepsBest())
}

// termForm returns the form in which the run's logits become term weights.
func (a *attempt) termForm() splade.Form { return formOf(a.cfg.Model) }

func formOf(m sweeps.ModelConfig) splade.Form {
	return splade.NewForm(m.Pooling, m.Activation, m.TopK, m.TokenTopM)
}

// export writes runs/<id>/model. It does nothing if a sound model is there already, or if a
// weight is not finite.
func (a *outcome) export(verdict string) (err error) {
	folder := plan.ModelFolder(a.folder)
	defer func() {
		if err == nil && a.reached.model == "" {
			a.reached.model, err = seal.Sum(folder)
		}
	}()
	if _, err := os.Stat(folder); err == nil {
		read := *a.resolver
		read.Verify = true
		damage := plan.IntactModel(&read, a.folder)
		if damage == nil {
			return nil
		}
		if !seal.IsDamage(damage) {
			return damage
		}
		a.notice(a.log, fmt.Sprintf("the model is exported again: %v", damage))
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
	}
	if name, finite := train.Finite(a.model); !finite {
		a.notice(a.log, fmt.Sprintf("model not exported: parameter %q is not finite", name))
		a.reached.model = event.ModelNone
		return nil
	}
	params := map[string]*hf.Param{}
	for _, p := range a.model.Params {
		values := p.Values
		if scale := a.model.LogitScale; scale != 1 && (p == a.model.DecoderWeight() || p == a.model.DecoderBias()) {
			// The format has no factor on logits, so it is multiplied into the decoder.
			values = make([]float32, len(p.Values))
			for i, v := range p.Values {
				values[i] = v * scale
			}
		}
		params[p.Name] = &hf.Param{Name: p.Name, Shape: p.Shape, Data: values}
	}
	tied := a.model.Tied
	if tied && a.model.LogitScale != 1 {
		// The embeddings stay as trained; only the decoder carries the factor.
		embedding := a.model.Param(a.model.Config.EmbeddingName())
		params[a.model.Config.DecoderName()] = &hf.Param{Name: a.model.Config.DecoderName(), Shape: embedding.Shape, Data: params[embedding.Name].Data}
		params[embedding.Name] = &hf.Param{Name: embedding.Name, Shape: embedding.Shape, Data: embedding.Values}
		tied = false
	}
	pooling, activation := a.termForm().Names()
	query, document := a.cfg.Model.Prompts()
	return hf.Save(folder, hf.SaveModel{
		Pooling: pooling, Activation: activation, QueryPrompt: query, DocumentPrompt: document, TopK: a.cfg.Model.TopK, TokenTopM: a.cfg.Model.TokenTopM,
		Config: a.model.Config, Params: params, Tied: tied, Tokenizer: a.tokenizer.Bytes(), SpecialTokens: a.tokenizer.Roles(),
		MaxSeqLength: max(a.cfg.Data.MaxQuery, a.cfg.Data.MaxDocument),
		Card:         a.card(verdict),
	})
}

func (a *outcome) card(verdict string) string {
	factor := a.cfg.Model.Rescale.String()
	if a.cfg.Model.Rescale.Auto != "" {
		factor = fmt.Sprintf("%s = %g", factor, a.k)
	}
	text := fmt.Sprintf("# %s\n\nA SPLADE model trained by headroom.\n\n- run: %s\n- backbone: %s\n- rescale factor k: %s (%s, %s)\n- steps: %d\n- verdict: %s\n- lengths: %d tokens for queries, %d for documents\n",
		sweeps.Label(a.cfg, sweeps.ID(a.id)), a.id, a.cfg.Model.Backbone, factor, a.cfg.Model.Target, a.cfg.Model.Tie, a.reached.step, stability.MarkedVerdict(verdict, stability.Recovered(verdict, a.monitor.Result().Episodes)), a.cfg.Data.MaxQuery, a.cfg.Data.MaxDocument)
	if m := a.cfg.Model.TokenTopM; m > 0 {
		text += hf.TokenTopMCard(m)
	}
	if a.cfg.Selects() {
		text += fmt.Sprintf("- selected: the model after %d steps, by %s on dev data (%.4f)\n", a.chosen, a.selected.Measure, float64(a.selected.Value))
	}
	return text
}

// keptTerms is the number of terms of document vectors that are kept from one evaluation to
// the next, 128 MB.
const keptTerms = 16_000_000

// evaluate evaluates the run on every final collection, and on the dev data of its
// training, unless that is done already.
func (a *outcome) evaluate(ctx context.Context) error {
	result := a.monitor.Result()
	verdict := result.Verdict
	a.answer = pool.Answer{Verdict: verdict, Recovered: stability.Recovered(verdict, result.Episodes)}
	encoder := evaluate.FromModel(a.model, a.tokenizer, a.termForm(), evaluate.EncoderOptions{KeepNonFinite: verdict == stability.NonFinite, QueryPrompt: a.cfg.Model.QueryPrompt, DocumentPrompt: a.cfg.Model.DocumentPrompt})
	documents, err := a.documents()
	if err != nil {
		return err
	}
	for _, on := range a.evaluations() {
		c, e, err := a.evaluation(on)
		if err != nil {
			return err
		}
		measures, err := measure.ParseAll(a.cfg.Evaluate.Measures)
		if err != nil {
			return err
		}
		summary, err := evaluate.ReadSummary(e.Folder)
		if err != nil || !hasAll(e.Folder, summary, measures, a.cfg.Evaluate) {
			summary, err = evaluate.OnCollection(ctx, encoder, c, evaluate.CollectionOptions{
				Dataset: on.ref, Split: on.split, Measures: evaluate.WithKeptBeside(measures, summary.Evaluation), MaxQuery: a.cfg.Data.MaxQuery, MaxDocument: a.cfg.Data.MaxDocument,
				Threads: a.model.Engine.Threads(), OutDir: e.Folder, Of: e.Record(),
				Cuts:      evaluate.CutsOf(a.cfg.Evaluate).And(summary.Evaluation),
				Documents: documents,
				Progress:  a.encoding(),
			})
			if err == nil {
				for _, notice := range summary.RankingNotices(measures) {
					a.notice(a.log, fmt.Sprintf("on %s: %s", on.ref, notice))
				}
			}
		}
		var dense *evaluate.DenseError
		switch {
		case ctx.Err() != nil:
			return stopError(ctx)
		case errors.As(err, &dense):
			a.notice(a.log, err.Error())
			continue
		case err != nil:
			return a.withEncodingRemedies(err)
		}
		if summary.Refused != "" {
			continue
		}
		if err := a.checkLease(); err != nil {
			return err
		}
		if main, ok := measure.Main(measures); ok && on == a.evaluations()[0] && len(a.cfg.Evaluate.Final) > 0 {
			a.answer.Measure, a.answer.Dataset, a.answer.Value = main.String(), on.ref, event.Value(summary.Measures[main.String()])
		}
		relative, err := filepath.Rel(a.folder, e.Folder)
		if err != nil {
			return err
		}
		if err := a.log.Append(summary.Event(filepath.ToSlash(relative))); err != nil {
			return err
		}
	}
	return documents.Done()
}

// documents returns what keeps the model's vectors of documents, on the disk too if the model has a unique
// name.
func (a *outcome) documents() (*evaluate.Documents, error) {
	documents := a.encoded
	if documents == nil {
		documents = evaluate.NewDocuments(keptTerms)
	}
	if a.reached.model == event.ModelNone {
		return documents, nil
	}
	weights, err := vectors.ModelOf(plan.ModelFolder(a.folder))
	if errors.Is(err, seal.ErrNone) && !a.cfg.Evaluate.KeepVectors {
		return documents, nil // an older program exported it
	}
	if err != nil {
		return nil, fmt.Errorf("keep vectors: %w", err)
	}
	store := vectors.Open(vectors.Folder(a.folder), a.cfg.Evaluate.KeepVectors)
	documents.KeepIn(store, weights, func(text string) { a.notice(a.log, text) })
	return documents, nil
}

// splitOf is one split of a collection.
type splitOf struct{ ref, split string }

// evaluations lists the splits on which the run's model is evaluated at the end.
func (a *attempt) evaluations() []splitOf {
	var list []splitOf
	for _, ref := range a.cfg.Evaluate.Final {
		list = append(list, splitOf{ref, plan.FinalSplit})
	}
	for _, ref := range a.cfg.Evaluate.During {
		list = append(list, splitOf{ref, plan.DuringSplit})
	}
	return list
}

// evaluation opens the collection, and returns the evaluation's identity and folder.
func (a *attempt) evaluation(on splitOf) (*collection.Collection, plan.Evaluation, error) {
	folder, err := a.resolver.Data(on.ref)
	if err != nil {
		return nil, plan.Evaluation{}, err
	}
	c, err := collection.Open(folder)
	if err != nil {
		return nil, plan.Evaluation{}, err
	}
	digest, err := a.resolver.DigestCollection(folder, on.split)
	if err != nil {
		return nil, plan.Evaluation{}, err
	}
	return c, plan.RunEvaluation(a.workspace.Root, sweeps.ID(a.id), a.cfg, on.ref, on.split, digest), nil
}

// hasAll reports whether the evaluation in a folder has every measure and every cut that the configuration
// lists, and sound vectors if they are to be kept, or a reason why it has none.
func hasAll(folder string, s evaluate.Summary, measures []measure.Measure, c sweeps.EvaluateConfig) bool {
	if s.LacksCut(c) != "" || s.LacksVectors(c) {
		return false
	}
	if c.KeepVectors && len(plan.KeptVectors(folder, s.Evaluation, true)) > 0 {
		return false
	}
	if s.Refused != "" {
		return true
	}
	for _, m := range measures {
		if _, ok := s.Measures[m.String()]; !ok {
			return false
		}
	}
	return true
}

// encoding returns a function that reports how many texts are encoded.
func (w *worker) encoding() func(done, total int) {
	start := w.now()
	return func(done, total int) {
		// A parent that no longer reads is noticed by its own watch.
		_ = w.progress(pool.Message{Phase: pool.PhaseEvaluate, Step: done, Steps: total, Rate: rate{start: start}.at(w.now(), done)}, done == total)
	}
}
