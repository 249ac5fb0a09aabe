// Package device trains models on a device with memory of its own: a GPU, through XLA.
package device

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/data/loader"
	"headroom/metrics/event"
	"headroom/models"
	"headroom/models/layers"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/sweeps"
)

// Splade trains a model on a device with memory of its own: a GPU, through XLA.
//
// Parameters and moments stay on the device; a step sends token ids and a few scalars
// there and gets the recorded series back. Without micro-batches a step is one program.
// With them it has the phases of host.Splade: pooling of each micro-batch, the whole
// batch's objective, the backward pass of each micro-batch, the update.
type Splade struct {
	Rate     train.Schedule
	Query    train.Ramp
	Document train.Ramp

	memory
	rates     layers.Rates
	dtype     dtypes.DType
	remat     bool
	form      splade.Form
	objective train.Objective
	optimizer adamW
	micro     int // texts encoded at a time; 0: all
	limits    [2]int
	seed      int64

	whole                         *engine.Program
	forward, first, later, update *engine.Program
	look                          *engine.Program
	minimize                      map[int]*engine.Program // by the number of micro-batches of queries

}

// New prepares the training of a model whose head has already been rescaled.
func New(m *engine.Model, cfg sweeps.RunConfig) (*Splade, error) {
	t := cfg.Train
	d := &Splade{
		memory: memory{model: m}, seed: cfg.Seed, micro: t.MicroBatch, remat: cfg.Compute.Remat, rates: models.Rates(m.Config, cfg.Model.Dropout),
		form:     splade.NewForm(cfg.Model.Pooling, cfg.Model.Activation, cfg.Model.TopK, cfg.Model.TokenTopM),
		minimize: map[int]*engine.Program{}, limits: [2]int{cfg.Data.MaxQuery, cfg.Data.MaxDocument}, optimizer: newAdamW(m, train.Optimizer(cfg)),
	}
	var err error
	if d.Rate, d.Query, d.Document, err = train.Schedules(cfg); err != nil {
		return nil, err
	}
	if d.dtype, err = m.Engine.ComputeType(t.Precision); err != nil {
		return nil, err
	}
	if d.objective, err = train.NewObjective(cfg); err != nil {
		return nil, err
	}
	return d, d.preparePrograms()
}

// preparePrograms prepares the programs; each is compiled when it is first called.
func (d *Splade) preparePrograms() error {
	for _, p := range []struct {
		program **engine.Program
		name    string
		build   func([]*Node) []*Node
	}{
		{&d.whole, "train step", d.wholeStep}, {&d.forward, "train forward", d.forwardPart},
		{&d.first, "train backward", d.backwardFirst},
		{&d.later, "train backward", d.backwardLater}, {&d.update, "optimizer", d.updatePart},
		{&d.look, "look", d.lookPart},
	} {
		var err error
		if *p.program, err = d.model.Engine.Program(p.name, p.build); err != nil {
			return err
		}
	}
	return nil
}

// Close frees programs and the device's memory; the model stays the caller's.
func (d *Splade) Close() {
	for _, p := range append(slices.Collect(maps.Values(d.minimize)), d.whole, d.forward, d.first, d.later, d.update, d.look) {
		if p != nil {
			p.Close()
		}
	}
	d.free()
}

// Step does the step-th update, 0-based, on a batch of token ids. The returned
// series hold the values from before the update.
func (d *Splade) Step(step int, b loader.Batch) (map[string]event.Value, error) {
	values, err := d.step(step, b)
	if err != nil {
		return nil, fmt.Errorf("train step %d: %w", step, err)
	}
	return values, nil
}

func (d *Splade) step(step int, b loader.Batch) (map[string]event.Value, error) {
	if err := d.objective.Check(b); err != nil {
		return nil, err
	}
	if err := d.load(); err != nil {
		return nil, err
	}
	in, err := d.inputs(step, b)
	if err != nil {
		return nil, err
	}
	defer in.free()
	var state []*tensors.Tensor
	var series []float64
	if len(in.sides[0]) == 1 && len(in.sides[1]) == 1 {
		state, series, err = d.stepWhole(in)
	} else {
		state, series, err = d.stepMicroBatches(in)
	}
	if err != nil {
		return nil, err
	}
	d.replace(state)
	return d.values(step, series)
}

// stepWhole runs a step as one program.
func (d *Splade) stepWhole(in *stepInputs) ([]*tensors.Tensor, []float64, error) {
	list := slices.Concat(d.state, in.sides[0][0].inputs(), in.sides[1][0].inputs(), in.otherTensors())
	out, err := d.whole.Call(list...)
	if err != nil {
		return nil, nil, err
	}
	return d.split(out, nil)
}

// split splits a program's outputs into the new state and the series.
func (d *Splade) split(out []*tensors.Tensor, before []float64) ([]*tensors.Tensor, []float64, error) {
	n := 3 * len(d.model.Params)
	defer engine.Free(out[n:]...)
	series, err := readFloat64(d.model.Engine, out[n])
	if err != nil {
		engine.Free(out[:n]...)
		return nil, nil, err
	}
	return out[:n], append(before, series...), nil
}

// stepMicroBatches runs a step in micro-batches.
func (d *Splade) stepMicroBatches(in *stepInputs) (_ []*tensors.Tensor, _ []float64, err error) {
	var kept []*tensors.Tensor // freed at the end, also after an error
	defer func() { engine.Free(kept...) }()
	params := d.state[:len(d.model.Params)]
	var pooled [][]*tensors.Tensor
	parts := slices.Concat(in.sides[0], in.sides[1])
	objective := in.otherTensors()
	for _, part := range parts {
		out, err := d.forward.Call(slices.Concat(params, part.inputs())...)
		if err != nil {
			return nil, nil, err
		}
		kept = append(kept, out...)
		pooled = append(pooled, out)
		objective = append(objective, out[0])
	}
	minimize, err := d.objectiveProgram(len(in.sides[0]))
	if err != nil {
		return nil, nil, err
	}
	out, err := minimize.Call(objective...)
	if err != nil {
		return nil, nil, err
	}
	kept = append(kept, out...)
	series, err := readFloat64(d.model.Engine, out[0])
	if err != nil {
		return nil, nil, err
	}
	var grads []*tensors.Tensor
	defer func() { engine.Free(grads...) }()
	for i, part := range parts {
		list := slices.Concat(params, part.inputs(), pooled[i], []*tensors.Tensor{out[1+2*i], out[2+2*i]})
		program := d.first
		if grads != nil {
			program, list = d.later, append(list, grads...)
		}
		sum, err := program.Call(list...)
		if err != nil {
			return nil, nil, err
		}
		engine.Free(grads...)
		grads = sum
	}
	out, err = d.update.Call(slices.Concat(d.state, grads, []*tensors.Tensor{in.scalars.Tensor})...)
	if err != nil {
		return nil, nil, err
	}
	return d.split(out, series)
}

// objectiveProgram returns the objective's program for a number of micro-batches of queries.
func (d *Splade) objectiveProgram(queryParts int) (*engine.Program, error) {
	if p := d.minimize[queryParts]; p != nil {
		return p, nil
	}
	p, err := d.model.Engine.Program("objective", func(in []*Node) []*Node { return d.objectivePart(queryParts, in) })
	if err == nil {
		d.minimize[queryParts] = p
	}
	return p, err
}

// values returns a step's series by name.
func (d *Splade) values(step int, series []float64) (map[string]event.Value, error) {
	names := d.seriesNames()
	if want := len(names) + recordedCount(); len(series) != want {
		return nil, fmt.Errorf("read series: the program gave %d of %d", len(series), want)
	}
	values := map[string]event.Value{
		"lr": event.Value(d.Rate.At(step)), "lambda/query": event.Value(d.Query.At(step)), "lambda/document": event.Value(d.Document.At(step)),
	}
	for i, name := range names {
		values[name] = event.Value(series[i])
	}
	d.optimizer.record(values, series[len(names):])
	_, weighted := d.objective.Names()
	loss := 0.0
	for _, part := range series[:weighted] {
		loss += part
	}
	values["loss"] = event.Value(loss)
	return values, nil
}

// Build compiles a step without micro-batches for the given numbers of texts and their
// padded lengths, without running it; the model may be an outline.
func (d *Splade) Build(queries, queryTokens, documents, documentTokens int) error {
	list := slices.Concat(d.model.Shapes(), d.model.Shapes(), d.model.Shapes())
	for _, side := range [][2]int{{queries, queryTokens}, {documents, documentTokens}} {
		list = append(list, shapes.Make(dtypes.Int32, side[0], side[1]), shapes.Make(dtypes.Int32, side[0]), shapes.Make(dtypes.Uint64, 3))
	}
	list = append(list, shapes.Make(dtypes.Float32, scalars))
	if d.objective.Teacher() {
		list = append(list, shapes.Make(dtypes.Float32, queries, documents/queries))
	}
	return d.whole.Compile(list...)
}
