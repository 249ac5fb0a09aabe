// Package train holds the parts of training that all backends share: the objective,
// exactly as a configuration lists it (losses and regularizers are named components), the
// learning rate and λ as pure functions of the global step, and the trainers' interfaces.
// The trainers are in the packages host and device; package trainers opens the trainer for
// a model's backend.
package train

import (
	"errors"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models/safetensors"
	"headroom/sweeps"
)

// Trainer is one run's training on some backend, one optimizer step at a time.
type Trainer interface {
	// Step does the step-th update, 0-based. The series it returns hold the values
	// from before the update, as scalars.
	Step(step int, b loader.Batch) (map[string]event.Value, error)
	// Look runs texts of token ids forward as the next step would, without dropout. It
	// changes no trained value.
	Look(texts [][]int32) (Vectors, error)
	// Updates is how many updates the optimizer has done.
	Updates() int
	// Sync brings the model's parameters in the program's memory up to date. Call it
	// before you read them between steps.
	Sync() error
	// Moments are the optimizer's moments as tensors to save.
	Moments() ([]safetensors.Tensor, error)
	// Restore puts saved weights, moments and the number of updates back, all or nothing.
	Restore(updates int, weights, moments *safetensors.File) error
	Close()
}

// Pretrainer is one recipe's training on some backend, one optimizer step at a time.
type Pretrainer interface {
	// Step does the step-th update, 0-based, on a masked batch.
	Step(step int, masked Masked) (map[string]event.Value, error)
	// Updates, Sync, Moments and Restore are as in Trainer.
	Updates() int
	Sync() error
	Moments() ([]safetensors.Tensor, error)
	Restore(updates int, weights, moments *safetensors.File) error
	Close()
}

// RampEnd is the first step at which λ has its full value.
func RampEnd(cfg sweeps.RunConfig) int {
	return RampSteps(cfg.Regularizer.RampSteps, cfg.Regularizer.Ramp, cfg.Train.Steps)
}

// Schedules returns a configuration's learning rate, and its λ of queries and of documents.
// An unknown kind is an error.
func Schedules(cfg sweeps.RunConfig) (rate Schedule, query, document Ramp, err error) {
	t, r := cfg.Train, cfg.Regularizer
	rate = Schedule{Peak: t.LR, Kind: t.Schedule, Warmup: WarmupSteps(t.WarmupSteps, t.Warmup, t.Steps), Steps: t.Steps}
	query = Ramp{Full: r.LambdaQuery, Kind: r.RampKind, Steps: RampEnd(cfg)}
	document = Ramp{Full: r.LambdaDocument, Kind: r.RampKind, Steps: RampEnd(cfg)}
	return rate, query, document, errors.Join(rate.Check(), query.Check())
}

// Optimizer is a configuration's optimizer.
func Optimizer(cfg sweeps.RunConfig) AdamW {
	o := NewAdamW()
	o.WeightDecay, o.Clip, o.HeadLRScale = cfg.Train.WeightDecay, cfg.Train.Clip, cfg.Train.HeadLRScale
	return o
}

// RecipeOptimizer returns a recipe's optimizer and learning rate. An unknown schedule is
// an error.
func RecipeOptimizer(recipe sweeps.Recipe) (AdamW, Schedule, error) {
	o, t := NewAdamW(), recipe.Train
	o.Beta1, o.Beta2, o.WeightDecay, o.Clip = t.Beta1, t.Beta2, t.WeightDecay, t.Clip
	rate := Schedule{Peak: t.LR, Kind: t.Schedule, Warmup: WarmupSteps(nil, t.Warmup, t.Steps), Steps: t.Steps}
	return o, rate, rate.Check()
}

// RecordMLM records the losses of a step of pretraining: that of the masked language model
// and, if flops is above 0, FLOPS of pooled logits. The loss is the sum of the two.
func RecordMLM(values map[string]event.Value, losses []float64, flops float64) {
	values["loss"] = event.Value(losses[0])
	if flops == 0 {
		return
	}
	values["loss/mlm"], values["flops"], values["loss/reg_flops"] = event.Value(losses[0]), event.Value(losses[1]), event.Value(flops*losses[1])
	values["loss"] = event.Value(losses[0] + flops*losses[1])
}
