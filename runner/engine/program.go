package engine

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// maxShapes bounds the number of compiled forms of one program; callers pad to few lengths.
const maxShapes = 256

// Program is a graph function, compiled once for each combination of input shapes.
type Program struct {
	engine *Engine
	name   string
	exec   *graph.Exec
}

// Program makes a program of build, which receives the inputs as graph nodes and
// returns the outputs. The graph is built at the first call with new shapes.
func (e *Engine) Program(name string, build func(inputs []*graph.Node) []*graph.Node) (program *Program, err error) {
	defer catch(&err)
	exec, err := graph.NewExec(e.backend, build)
	if err != nil {
		return nil, fmt.Errorf("build program %q: %w", name, err)
	}
	return &Program{engine: e, name: name, exec: exec.WithName(name).SetMaxCache(maxShapes)}, nil
}

// Call runs the program. The caller owns the outputs and frees them with Free.
func (p *Program) Call(inputs ...*tensors.Tensor) (outputs []*tensors.Tensor, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("run program %q: %w", p.name, p.engine.fault(err))
		}
	}()
	defer catch(&err)
	args := make([]any, len(inputs))
	for i, t := range inputs {
		args[i] = t
	}
	return p.exec.Call(args...)
}

// Compile builds and compiles the program for inputs of the given shapes, without running it.
func (p *Program) Compile(inputs ...shapes.Shape) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("compile program %q: %w", p.name, p.engine.fault(err))
		}
	}()
	defer catch(&err)
	_, err = p.exec.Compile(inputs...)
	return err
}

// Close frees the compiled forms, unless the device was lost.
func (p *Program) Close() {
	if !p.engine.lost.Load() {
		p.exec.Finalize()
	}
}

// Buffer is a tensor whose values Go code reads and writes in place.
type Buffer[T float32 | int32 | uint64] struct {
	Tensor *tensors.Tensor
	Values []T
}

// NewBuffer makes a tensor of zeros. The Go backend shares it with Go code. With any
// other backend the values are in the program's memory, and the first call that takes
// the tensor copies them to the device. If they are written after that, call Changed.
func NewBuffer[T float32 | int32 | uint64](e *Engine, dims ...int) (b Buffer[T], err error) {
	defer catch(&err)
	shape := shapes.Make(dtypes.FromGenericsType[T](), dims...)
	if !e.Shared() {
		b.Tensor = tensors.FromShape(shape)
		err = tensors.MutableFlatData(b.Tensor, func(flat []T) { b.Values = flat })
		return b, err
	}
	tensor, err := tensors.FromShapeForBackend(e.backend, 0, shape)
	if err != nil {
		return b, fmt.Errorf("allocate tensor %s: %w", shape, err)
	}
	if !tensor.IsShared() {
		return b, fmt.Errorf("allocate tensor %s: backend %q does not share memory with the program", shape, e.name)
	}
	b.Tensor = tensor
	err = tensors.MutableFlatData(tensor, func(flat []T) { b.Values = flat })
	return b, err
}

// Changed drops the device's copy of values that Go code has written to.
func (b Buffer[T]) Changed() error { return b.Tensor.InvalidateOnDevice() }

// Free returns the buffer's memory.
func (b Buffer[T]) Free() { Free(b.Tensor) }

// Free returns the memory of tensors at once. If that were left to the garbage
// collector, training would hold the tensors of several steps.
func Free(list ...*tensors.Tensor) {
	for _, t := range list {
		if t != nil {
			_ = t.FinalizeAll() // it fails only for a tensor that was freed before
		}
	}
}

// Read calls fn with an output's values, which are valid only during the call.
func (e *Engine) Read(t *tensors.Tensor, fn func(values []float32)) error {
	return e.read(t, tensors.ConstFlatData(t, fn))
}

// Read64 is Read for float64.
func (e *Engine) Read64(t *tensors.Tensor, fn func(values []float64)) error {
	return e.read(t, tensors.ConstFlatData(t, fn))
}

// read explains a failed copy from the device. GoMLX would leave zeros and take them for
// the values the next time, so read drops them.
func (e *Engine) read(t *tensors.Tensor, err error) error {
	if err != nil && t.IsOnAnyDevice() {
		t.FinalizeLocal()
	}
	return e.fault(err)
}

// Upload copies values to the device. The caller frees the tensor with Free.
func (e *Engine) Upload(values []float32, dims ...int) (t *tensors.Tensor, err error) {
	defer catch(&err)
	buffer, err := e.backend.BufferFromFlatData(0, values, shapes.Make(dtypes.Float32, dims...))
	if err != nil {
		return nil, e.fault(err)
	}
	return tensors.FromBuffer(buffer)
}

// Download copies a tensor's values from the device into values, a slice of the same length.
func (e *Engine) Download(t *tensors.Tensor, values []float32) (err error) {
	defer catch(&err)
	if t.Size() != len(values) {
		return fmt.Errorf("copy tensor %s from the device: there is room for %d values", t.Shape(), len(values))
	}
	buffer, err := t.Buffer(e.backend, 0)
	if err != nil {
		return e.fault(err)
	}
	return e.fault(buffer.ToFlatData(values))
}
