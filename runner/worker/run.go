package worker

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"headroom/data/loader"
	"headroom/data/tokenize"
	"headroom/internal/seal"
	"headroom/metrics/event"
	"headroom/metrics/measure"
	"headroom/metrics/stability"
	"headroom/models/hf"
	"headroom/models/mlmhead"
	"headroom/runner/engine"
	"headroom/runner/evaluate"
	"headroom/runner/plan"
	"headroom/runner/pool"
	"headroom/runner/train"
	"headroom/sweeps"
)

// attempt is one process's work on one run, from when it holds the run's lease. It goes
// through phases: a subject is loaded, a training brings it to its last step, and an
// outcome is judged, exported and evaluated.
type attempt struct {
	*worker
	id      string
	folder  string
	cfg     sweeps.RunConfig
	in      sweeps.Inputs
	started time.Time
	log     *event.Log // from do on
	reached reached
}

// reached is how far an attempt has brought a run, however it ends.
type reached struct {
	step    int    // steps done
	saved   int    // steps of the checkpoint to resume from; 0: none
	weights string // digest of the final weights; "" before there are any
	model   string // of the exported model, as event.Ended has it; "" before it is exported
}

// subject is the loaded model of a run, with its data.
type subject struct {
	*attempt
	model     *engine.Model
	tokenizer *tokenize.Tokenizer
	facts     event.Facts
	monitor   *stability.Monitor
	k         float64        // by which the head is divided; 0 before it is chosen
	examples  *loader.Loader // nil until they are needed, and after training
	// encoded has the document vectors of the last step's model; nil if it has encoded none.
	encoded *evaluate.Documents
}

// training is a subject on its way to its last step.
type training struct {
	*subject
	trainer train.Trainer
	dev     *development // nil if nothing is evaluated during training
	probe   *probeSet    // nil without a probe set
	stopped bool         // a collapse ended training
}

// outcome is a trained subject whose model is the run's result.
type outcome struct {
	*subject
	chosen   int            // the step whose weights are the result: the last, or the best
	selected event.Selected // if the best step is chosen
	answer   pool.Answer    // verdict and main score, from evaluate on
}

func (w *worker) run(ctx context.Context) error {
	cfg, in, err := w.workspace.ReadRun(w.ID)
	if err != nil {
		return err
	}
	folder := w.workspace.Run(w.ID)
	held, ctx, err := w.hold(ctx, folder)
	if err != nil {
		return err
	}
	a := &attempt{worker: w, id: w.ID, folder: folder, cfg: cfg, in: in, started: w.now()}
	idle, err := a.idle()
	if err == nil && !idle {
		err = a.do(ctx)
	}
	return errors.Join(err, held.Release())
}

// idle reports whether nothing is left to do, for example because another worker did it
// while this one waited for the lease. An attempt that does nothing leaves no log.
func (a *attempt) idle() (bool, error) {
	finished, err := plan.Finished(a.folder)
	if err != nil || !finished {
		return false, err
	}
	if err := plan.IntactResults(a.resolver, a.folder); seal.IsDamage(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	measures, err := measure.ParseAll(a.cfg.Evaluate.Measures)
	if err != nil {
		return false, err
	}
	for _, on := range a.evaluations() {
		_, e, err := a.evaluation(on)
		if err != nil {
			return false, err
		}
		if summary, err := evaluate.ReadSummary(e.Folder); err != nil || !hasAll(e.Folder, summary, measures, a.cfg.Evaluate) {
			return false, nil
		}
	}
	return true, nil
}

// do opens the attempt's log, so that everything after this is recorded, and works.
func (a *attempt) do(ctx context.Context) (err error) {
	if a.log, err = a.openLog(a.folder); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.log.Close()) }()
	answer, err := a.work(ctx)
	err = withRestart(err, a.reached.saved, a.reached.weights != "")
	if err == nil {
		err = a.checkLease() // a superseded holder must not record the run's end
	}
	ended := event.Ended{State: event.StateDone, Step: a.reached.step, Seconds: a.now().Sub(a.started).Seconds(), Weights: a.reached.weights, Model: a.reached.model}
	switch {
	case errors.Is(err, ErrInterrupted):
		ended.State, ended.Weights, ended.Model = event.StateInterrupted, "", ""
	case err != nil:
		ended.State, ended.Weights, ended.Model, ended.Error = event.StateFailed, "", "", err.Error()
	}
	if err == nil {
		// A parent that no longer reads is noticed by its own watch.
		_ = pool.Message{Type: pool.TypeResult, Result: &answer}.Write(a.out)
	}
	return errors.Join(err, a.log.Append(ended))
}

// work goes through the phases, and returns the run's result.
func (a *attempt) work(ctx context.Context) (pool.Answer, error) {
	if err := a.compareModel("model.backbone", a.cfg.Model.Backbone, a.in); err != nil {
		return pool.Answer{}, err
	}
	e, err := engine.Open(a.backend(a.cfg.Compute.Backend), a.threads(a.cfg.Compute.Threads))
	if err != nil {
		return pool.Answer{}, err
	}
	defer e.Close()
	s, err := a.load(e)
	if err != nil {
		return pool.Answer{}, err
	}
	defer s.model.Close()
	o, err := s.train(ctx)
	if err != nil {
		return pool.Answer{}, err
	}
	if err := o.finish(); err != nil {
		return pool.Answer{}, err
	}
	err = o.evaluate(ctx)
	return o.answer, err
}

// load loads the run's backbone.
func (a *attempt) load(e *engine.Engine) (*subject, error) {
	ck, err := a.backbone()
	if err != nil {
		return nil, err
	}
	if se := ck.SparseEncoder; se != nil && se.Pooling != "" && se.Similarity != "dot" {
		a.notice(a.log, fmt.Sprintf("the backbone's files compare vectors by %s; this run is trained, measured and exported with the dot product", se.Similarity))
	}
	for _, text := range ck.Notices {
		a.notice(a.log, text)
	}
	s := &subject{attempt: a}
	if s.tokenizer, err = evaluate.LoadTokenizer(ck); err != nil {
		return nil, err
	}
	if s.model, err = engine.NewModel(e, ck, a.cfg.Model.Tie == "keep"); err != nil {
		return nil, err
	}
	s.facts = event.Facts{Batch: a.cfg.Train.Batch, Candidates: a.cfg.Loss.CandidatesOf(a.cfg.Train.Batch, 1+a.cfg.Data.Negatives), Vocab: s.model.Config.Vocab, Loss: a.cfg.Loss.Kind, RampEnd: train.RampEnd(a.cfg)}
	for _, p := range s.model.Params {
		s.facts.Parameters += int64(len(p.Values))
	}
	s.monitor = stability.NewMonitor(s.facts, a.cfg.Train.Steps, a.cfg.Stability.Thresholds)
	return s, nil
}

// backbone loads the checkpoint that the run's inputs name.
func (a *attempt) backbone() (*hf.Checkpoint, error) {
	folder, err := a.weightsFolder(a.cfg.Model.Backbone, a.in)
	if err != nil {
		return nil, err
	}
	return hf.Load(folder, hf.Options{})
}

// rescale divides the head by k and records its norms before and after.
func (a *subject) rescale(ctx context.Context, record bool) error {
	if err := a.chooseK(ctx); err != nil {
		return err
	}
	norms := func(step int) error {
		if !record {
			return nil
		}
		n := mlmhead.RowNorms(a.model.DecoderWeight().Values, a.model.Config.Embedding)
		return a.log.Append(event.HeadNorms{Step: step, Mean: event.Value(n.Mean), P05: event.Value(n.P05), P50: event.Value(n.P50), P95: event.Value(n.P95), Max: event.Value(n.Max)})
	}
	if err := norms(-1); err != nil {
		return err
	}
	var bias []float32
	if b := a.model.DecoderBias(); b != nil {
		bias = b.Values
	}
	var err error
	a.model.LogitScale, err = mlmhead.Rescale(a.model.DecoderWeight().Values, bias, a.k, mlmhead.Target(a.cfg.Model.Target))
	if err == nil {
		err = mlmhead.Shift(bias, a.cfg.Model.Shift, a.model.LogitScale)
	}
	if err := errors.Join(err, a.model.Changed()); err != nil {
		return err
	}
	return norms(0)
}

func (a *attempt) checkpoints() string { return filepath.Join(a.folder, "checkpoints") }
