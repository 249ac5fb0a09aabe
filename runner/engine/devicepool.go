package engine

import (
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"headroom/models"
	"headroom/models/hf"
	"headroom/models/layers"
	"headroom/models/splade"
)

// devicePaddings are the padded lengths for backends that compile each new shape, which
// takes seconds to minutes. They are fewer than those of the Go backend.
var devicePaddings = [...]int{16, 32, 64, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192}

// PaddedLength returns the padded length of a batch with a longest text, if no text has more
// tokens than the limit.
func (e *Engine) PaddedLength(longest, limit int) int {
	if e.Shared() {
		return PaddedLength(longest, limit)
	}
	for _, n := range devicePaddings {
		if n >= longest {
			return max(longest, min(n, limit))
		}
	}
	return longest
}

// BatchTexts is the number of texts of a padded length in one batch of inference; larger
// batches are no faster. A device's batches are filled up to a power of two, so the number
// is one.
func (e *Engine) BatchTexts(padded int) int {
	tokens := 2048
	if e.cuda {
		tokens = 1 << 15
	}
	n := max(1, tokens/padded)
	if e.Shared() {
		return n
	}
	return 1 << (bits.Len(uint(n)) - 1)
}

// Batches is the number of batches that are encoded at the same time. If memory is
// shared, one batch leaves cores idle between the small steps of an encoder, and these cores
// work on another batch. A device computes one batch while the host copies others from it
// and makes sparse vectors of them, which takes longer than the computation on a GPU.
func (e *Engine) Batches() int {
	switch {
	case e.Shared():
		return min(e.threads, 4)
	case e.cuda:
		return 4
	}
	return 2
}

// SetPrecision sets the type in which inference computes, "float32" or "bfloat16".
// Parameters, hidden states and pooled logits that leave the device are float32 in any
// case. Call it before the model is first used; bfloat16 needs XLA.
func (m *Model) SetPrecision(precision string) error {
	var err error
	m.dtype, err = m.Engine.ComputeType(precision)
	return err
}

// Precision is what SetPrecision set: "float32" or "bfloat16".
func (m *Model) Precision() string {
	if m.dtype == dtypes.BFloat16 {
		return "bfloat16"
	}
	return "float32"
}

// GraphHead is the decoder in a graph in which get returns the parameters.
func (m *Model) GraphHead(get layers.Params) splade.Head {
	h := splade.Head{Weight: get(m.DecoderWeight().Name), Scale: float64(m.LogitScale), Bytes: splade.DefaultBytes}
	if bias := m.DecoderBias(); bias != nil {
		h.Bias = get(bias.Name)
	}
	return h
}

// devicePool is Pool with the head on the device; with plain it is Project, without bias and
// LogitScale. Several goroutines may call it.
func (m *Model) devicePool(texts [][]int32, plain bool) ([]float32, error) {
	program, err := m.poolProgram(plain)
	if err != nil {
		return nil, err
	}
	// Few shapes: the number of texts is filled up to a power of two.
	full := append([][]int32(nil), texts...)
	for n := 1 << bits.Len(uint(len(texts)-1)); len(full) < n; {
		full = append(full, texts[0][:1])
	}
	batch, err := NewBatch(m.Engine, full, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
	if err != nil {
		return nil, err
	}
	defer batch.Free()
	out, err := program.Call(Inputs(m.Params, batch.IDs.Tensor, batch.Lengths.Tensor)...)
	if err != nil {
		return nil, err
	}
	defer Free(out...)
	pooled := make([]float32, len(full)*m.Config.Vocab)
	err = m.Engine.Download(out[0], pooled)
	return pooled[:len(texts)*m.Config.Vocab], err
}

// poolProgram prepares the program of devicePool.
func (m *Model) poolProgram(plain bool) (*Program, error) {
	m.poolMu.Lock()
	defer m.poolMu.Unlock()
	program := &m.pooled
	if plain {
		program = &m.projected
	}
	if *program != nil {
		return *program, nil
	}
	var err error
	*program, err = m.Engine.Program("encode and pool", func(in []*graph.Node) []*graph.Node {
		get, rest := m.AllNodes(in)
		head := m.GraphHead(get)
		if plain {
			head.Bias = nil
		}
		hidden := models.Transformed(get, m.Config, rest[0], rest[1], layers.Inference(m.dtype))
		return []*graph.Node{head.Max(hidden, rest[1])}
	})
	return *program, err
}

// float32Type converts x to float32, if a graph computes in another type.
func float32Type(x *graph.Node) *graph.Node {
	if x.DType() == dtypes.Float32 {
		return x
	}
	return graph.ConvertDType(x, dtypes.Float32)
}

// Build compiles the program that encodes and pools a batch of the given size, without
// running it. The model may be one of Outline's, without values.
func (m *Model) Build(texts, tokens int) error {
	program, err := m.poolProgram(false)
	if err != nil {
		return err
	}
	return program.Compile(append(m.Shapes(), shapes.Make(dtypes.Int32, texts, tokens), shapes.Make(dtypes.Int32, texts))...)
}

// Shapes returns the shapes of the parameters, in their order.
func (m *Model) Shapes() []shapes.Shape {
	list := make([]shapes.Shape, len(m.Params))
	for i, p := range m.Params {
		list[i] = shapes.Make(dtypes.Float32, p.Shape...)
	}
	return list
}

// Outline returns a model without values, from which programs of any size can be built.
func Outline(e *Engine, cfg hf.Config, tied bool) (*Model, error) {
	m := &Model{Engine: e, Config: cfg, Tied: tied, LogitScale: 1}
	for _, spec := range cfg.Params() {
		m.add(&Param{Name: spec.Name, Shape: spec.Shape})
	}
	return m, m.prepare()
}
