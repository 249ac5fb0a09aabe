package engine

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// maxShapes bounds the compiled forms of one program; callers pad to few lengths.
const maxShapes = 64

// Program is a graph function over a store's variables, compiled once for each
// combination of input shapes.
type Program struct {
	name string
	exec *model.Exec
}

// Program compiles build lazily. build receives the inputs as graph nodes, may
// read and set variables of the store, and returns the outputs.
func (e *Engine) Program(name string, store *model.Store, build func(inputs []*graph.Node) []*graph.Node) (program *Program, err error) {
	defer catch(&err)
	exec, err := model.NewExec(e.backend, store, func(_ *model.Scope, inputs []*graph.Node) []*graph.Node {
		return build(inputs)
	})
	if err != nil {
		return nil, fmt.Errorf("build program %q: %w", name, err)
	}
	return &Program{name: name, exec: exec.WithName(name).SetMaxCache(maxShapes)}, nil
}

// Call runs the program. The caller owns the outputs and frees them with Free.
func (p *Program) Call(inputs ...*tensors.Tensor) (outputs []*tensors.Tensor, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run program %q: %w", p.name, err)
		}
	}()
	defer catch(&err)
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	return p.exec.Call(args...)
}

// Close frees the compiled forms.
func (p *Program) Close() { p.exec.Finalize() }

// Free gives the memory of tensors back at once rather than at some later
// garbage collection: a training step would otherwise hold several steps' worth.
func Free(list ...*tensors.Tensor) {
	for _, t := range list {
		if t != nil {
			_ = t.FinalizeAll() // freeing twice is the only fault it reports
		}
	}
}

// Float32 copies values into a new tensor.
func Float32(values []float32, dims ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// Int32 copies values into a new tensor.
func Int32(values []int32, dims ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// Read calls fn with the tensor's values, which are valid only during the call.
func Read(t *tensors.Tensor, fn func(values []float32)) error {
	return tensors.ConstFlatData(t, fn)
}

// Write calls fn with the tensor's values to change in place.
func Write(t *tensors.Tensor, fn func(values []float32)) error {
	return tensors.MutableFlatData(t, fn)
}

// Zeros is a float32 tensor of zeros.
func Zeros(dims ...int) *tensors.Tensor {
	return tensors.FromShape(shapes.Make(dtypes.Float32, dims...))
}
