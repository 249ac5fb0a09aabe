package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"headroom/data/batch"
	"headroom/data/collection"
	"headroom/data/source"
	"headroom/data/synthetic"
	"headroom/data/tokenize"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/models/hf"
	"headroom/runner/checkpoint"
	"headroom/runner/engine"
	"headroom/runner/pool"
	"headroom/runner/train"
	"headroom/runner/train/trainers"
	"headroom/sweeps"
)

// backboneJob is one process's work on one recipe. Its log and checkpoints are in a folder
// of their own beside the backbone, until the backbone is complete.
type backboneJob struct {
	*worker
	recipe  sweeps.Recipe
	in      sweeps.Inputs
	folder  string // backbones/<id>.work
	log     *event.Log
	step    int
	saved   int // steps of the checkpoint to resume from; 0: none
	weights string
}

func (w *worker) pretrain(ctx context.Context) error {
	recipe, in, err := w.workspace.ReadRecipe(w.ID)
	if err != nil {
		return err
	}
	target := w.workspace.Backbone(w.ID)
	b := &backboneJob{worker: w, recipe: recipe, in: in, folder: target + ".work"}
	if err := os.MkdirAll(b.folder, 0o755); err != nil {
		return fmt.Errorf("pretrain %q: %w", recipe.Name, err)
	}
	held, ctx, err := w.hold(ctx, b.folder)
	if err != nil {
		return err
	}
	read := *w.resolver
	read.Verify = true
	_, err = read.Model("recipe:" + w.ID)
	switch {
	case err == nil:
		return held.Release() // another worker made it
	case seal.IsDamage(err):
		w.notice(nil, fmt.Sprintf("the backbone is made again: %v", err))
		err = os.RemoveAll(target)
	case errors.Is(err, source.ErrUnresolved):
		err = nil
	}
	if err == nil {
		err = b.do(ctx, target)
	}
	return errors.Join(err, held.Release())
}

func (b *backboneJob) do(ctx context.Context, target string) (err error) {
	started := b.now()
	if b.log, err = b.openLog(b.folder); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.log.Close()) }()
	err = withRestart(b.work(ctx, target), b.saved, false)
	ended := event.Ended{State: event.StateDone, Step: b.step, Seconds: b.now().Sub(started).Seconds(), Weights: b.weights}
	switch {
	case errors.Is(err, ErrInterrupted):
		ended.State, ended.Weights = event.StateInterrupted, ""
	case err != nil:
		err = fmt.Errorf("pretrain %q: %w", b.recipe.Name, err)
		ended.State, ended.Weights, ended.Error = event.StateFailed, "", err.Error()
	}
	return errors.Join(err, b.log.Append(ended))
}

func (b *backboneJob) work(ctx context.Context, target string) error {
	if err := b.compareInputs(b.in); err != nil {
		return err
	}
	e, err := engine.Open(b.backend("auto"), b.threads(0))
	if err != nil {
		return err
	}
	defer e.Close()
	ck, tokenizer, err := b.start()
	if err != nil {
		return err
	}
	for _, text := range ck.Notices {
		b.notice(b.log, text)
	}
	texts, err := b.texts(tokenizer, e.Threads())
	if err != nil {
		return err
	}
	m, err := engine.NewModel(e, ck, ck.Tied)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := b.train(ctx, m, tokenizer, texts); err != nil {
		return err
	}
	if name, finite := train.Finite(m); !finite {
		return fmt.Errorf("parameter %q is not finite after training: lower train.lr", name)
	}
	params := map[string]*hf.Param{}
	for _, p := range m.Params {
		params[p.Name] = &hf.Param{Name: p.Name, Shape: p.Shape, Data: p.Values}
	}
	if err := b.checkLease(); err != nil {
		return err
	}
	if err := hf.Save(target, hf.SaveModel{
		Config: m.Config, Params: params, Tied: m.Tied, Tokenizer: tokenizer.Bytes(), SpecialTokens: tokenizer.Roles(), MaxSeqLength: min(b.recipe.Data.MaxLength, m.Config.MaxTokens()),
		Card: fmt.Sprintf("# %s\n\nA masked language model pretrained by headroom.\n\n- recipe: %s\n- steps: %d\n", b.recipe.Name, b.ID, b.step),
	}); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(b.folder, "checkpoints"))
}

// texts returns the token ids of the pretraining text. A document longer than max_length is
// read in pieces of that length.
func (b *backboneJob) texts(t *tokenize.Tokenizer, threads int) ([][]int32, error) {
	var raw []string
	for _, ref := range b.recipe.Data.Text {
		folder, err := b.resolver.Data(ref)
		if err != nil {
			return nil, err
		}
		c, err := collection.Open(folder)
		if err != nil {
			return nil, err
		}
		documents, err := c.Documents()
		if err != nil {
			return nil, err
		}
		for _, d := range documents {
			raw = append(raw, d.Content())
		}
	}
	if n := b.recipe.Data.ExtraTexts; n > 0 {
		world, err := synthetic.New(synthetic.DemoSeed, synthetic.DemoSize())
		if err != nil {
			return nil, err
		}
		raw = append(raw, world.ExtraTexts(n, b.recipe.Data.ExtraQueryShare, b.recipe.Seed)...)
	}
	special := t.Special()
	var out [][]int32
	for _, ids := range t.EncodeBatch(raw, 0, threads) {
		out = appendPieces(out, ids, special, b.recipe.Data.MaxLength)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("data.text: no text has a token")
	}
	return out, nil
}

// appendPieces cuts ids, [CLS] … [SEP], into texts of at most limit tokens that
// begin and end alike. A rest too short to learn from is dropped.
func appendPieces(out [][]int32, ids []int32, special tokenize.Special, limit int) [][]int32 {
	if len(ids) <= 2 {
		return out // an empty document
	}
	if len(ids) <= limit {
		return append(out, ids)
	}
	const least = 8
	body := ids[1 : len(ids)-1]
	for len(body) >= least {
		n := min(limit-2, len(body))
		piece := append(append([]int32{special.CLS}, body[:n]...), special.SEP)
		out, body = append(out, piece), body[n:]
	}
	return out
}

// train trains the model to the recipe's last step.
func (b *backboneJob) train(ctx context.Context, m *engine.Model, t *tokenize.Tokenizer, texts [][]int32) error {
	special := t.Special()
	masking := train.Masking{Rule: b.recipe.Mask, Vocab: t.VocabSize(), Mask: special.MASK, Seed: b.recipe.Seed, Special: map[int32]bool{
		special.CLS: true, special.SEP: true, special.PAD: true, special.MASK: true, special.UNK: true,
	}}
	if special.MASK < 0 {
		return fmt.Errorf("the tokenizer has no [MASK] token")
	}
	s, err := trainers.NewPretrainer(m, b.recipe, b.Remat)
	if err != nil {
		return err
	}
	defer s.Close()
	saved, err := checkpoint.Latest(b.checkpoints(), b.ID, nil, func(text string) { b.notice(b.log, text) })
	if err != nil {
		return err
	}
	if saved != nil {
		b.step, b.saved = saved.Step, saved.Step
		if err := errors.Join(s.Restore(saved.Updates, saved.Weights, saved.Optimizer), saved.Close()); err != nil {
			return err
		}
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	total := b.recipe.Train.Steps
	facts := event.Facts{Batch: b.recipe.Train.Batch, Vocab: m.Config.Vocab, Loss: "mlm", Parameters: m.Config.ParameterCount(m.Tied)}
	if err := b.log.Append(event.Started{Run: b.ID, Attempt: b.log.Attempt(), Host: host, PID: os.Getpid(), FromStep: b.step, Steps: total, Facts: facts}); err != nil {
		return err
	}
	sampler, err := batch.New(len(texts), b.recipe.Train.Batch, b.recipe.Seed, batch.Shuffle, nil)
	if err != nil {
		return err
	}
	ahead := maskedFrom(b.step, total, sampler, texts, masking)
	defer ahead.close()
	speed, last := rate{start: b.now(), first: b.step}, b.now()
	for b.step < total {
		if ctx.Err() != nil {
			if err := b.save(m, s, false); err != nil {
				return err
			}
			return stopError(ctx)
		}
		start := b.now()
		next, err := ahead.next()
		if err != nil {
			return err
		}
		values, err := s.Step(b.step, next)
		if err != nil {
			return b.withPretrainingRemedies(m, s, err)
		}
		values["seconds"] = event.Value(b.now().Sub(start).Seconds())
		if err := b.log.Append(event.Step{Step: b.step, Values: values}); err != nil {
			return err
		}
		b.step++
		if err := b.progress(pool.Message{Phase: "pretrain", Step: b.step, Steps: total, Rate: speed.at(b.now(), b.step), Loss: values["loss"]}, b.step == total); err != nil {
			return err
		}
		if b.step < total && b.now().Sub(last) >= saveEvery {
			if err := b.save(m, s, false); err != nil {
				return err
			}
			last = b.now()
		}
	}
	return b.save(m, s, true)
}

func (b *backboneJob) checkpoints() string { return filepath.Join(b.folder, "checkpoints") }

// save writes a checkpoint, the last one with the optimizer's state too: all are removed
// once the backbone is complete.
func (b *backboneJob) save(m *engine.Model, s train.Pretrainer, final bool) error {
	if err := errors.Join(b.checkLease(), s.Sync()); err != nil {
		return err
	}
	moments, err := s.Moments()
	if err != nil {
		return err
	}
	if err := b.log.Sync(); err != nil {
		return err
	}
	digest, err := checkpoint.Save(b.checkpoints(), checkpoint.State{Run: b.ID, Step: b.step, Updates: s.Updates()}, train.Weights(m), moments)
	if err != nil {
		return err
	}
	b.saved = b.step
	if final {
		b.weights = digest
	}
	return b.log.Append(event.Checkpoint{Step: b.step, Digest: digest})
}
