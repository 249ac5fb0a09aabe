package engine

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models"
	"headroom/models/hf"
	"headroom/models/layers"
	"headroom/models/splade/fused"
)

// Param is one parameter. Its values are in memory that graphs and Go code share. For a
// device with memory of its own they are in the program's memory, and the device has a
// copy, which Model.Changed drops.
type Param struct {
	Name  string
	Shape []int
	Buffer[float32]
}

// Model is a masked language model on a backend.
type Model struct {
	Engine *Engine
	Config hf.Config
	// Tied: the decoder is the input embeddings.
	Tied bool
	// Params in the order of Config.Params, without the decoder's weight if Tied.
	Params []*Param
	// LogitScale multiplies every logit; 1 but for rescale target "logits".
	LogitScale float32

	encoder []*Param     // the parameters of the encoder and the head's transform
	hidden  *Program     // inference: no dropout
	dtype   dtypes.DType // of inference; the zero value is float32

	poolMu            sync.Mutex
	pooled, projected *Program // with the head; nil until used, and with shared memory
}

// NewModel copies a checkpoint's parameters to the backend. With tied false the
// decoder becomes a parameter of its own, a copy of the embeddings if the
// checkpoint ties the two; with tied true the checkpoint must tie them.
func NewModel(e *Engine, ck *hf.Checkpoint, tied bool) (*Model, error) {
	if ck.MissingHead {
		return nil, fmt.Errorf("load model %q: it has no MLM head: pretrain one with a recipe (start.head = \"new\")", ck.Folder)
	}
	if tied && !ck.Tied {
		return nil, fmt.Errorf("load model %q: its decoder is not tied to the embeddings, so tie = \"keep\" has nothing to keep; use tie = \"untie\"", ck.Folder)
	}
	m := &Model{Engine: e, Config: ck.Config, Tied: tied, LogitScale: 1}
	for _, spec := range ck.Config.Params() {
		if tied && spec.Name == ck.Config.DecoderName() {
			continue
		}
		buffer, err := NewBuffer[float32](e, spec.Shape...)
		if err != nil {
			return nil, fmt.Errorf("load model %q: parameter %q: %w", ck.Folder, spec.Name, err)
		}
		copy(buffer.Values, ck.Tensors[spec.Name].Data)
		m.add(&Param{Name: spec.Name, Shape: spec.Shape, Buffer: buffer})
	}
	return m, m.prepare()
}

// add adds a parameter, unless it is a decoder that is tied to the embeddings.
func (m *Model) add(p *Param) {
	decoder := p.Name == m.Config.DecoderName()
	if decoder && m.Tied {
		return
	}
	m.Params = append(m.Params, p)
	if !decoder && p.Name != m.Config.DecoderBiasName() {
		m.encoder = append(m.encoder, p)
	}
}

// prepare makes the program for hidden states, which every model has.
func (m *Model) prepare() error {
	var err error
	m.hidden, err = m.Engine.Program("encode", func(in []*graph.Node) []*graph.Node {
		params, rest := m.EncoderNodes(in)
		mode := layers.Inference(m.dtype)
		if m.Engine.Shared() {
			mode = layers.FusedInference()
		}
		return []*graph.Node{float32Type(models.Transformed(params, m.Config, rest[0], rest[1], mode))}
	})
	return err
}

// Close frees parameters and programs.
func (m *Model) Close() {
	for _, program := range []*Program{m.hidden, m.pooled, m.projected} {
		if program != nil {
			program.Close()
		}
	}
	for _, p := range m.Params {
		p.Free()
	}
}

// Changed must be called after Go code has written to the parameters' values. It drops
// the device's copies.
func (m *Model) Changed() error {
	for _, p := range m.Params {
		if err := p.Changed(); err != nil {
			return fmt.Errorf("change parameter %q: %w", p.Name, err)
		}
	}
	return nil
}

// Param finds a parameter by its name; nil if there is none.
func (m *Model) Param(name string) *Param {
	i := slices.IndexFunc(m.Params, func(p *Param) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return m.Params[i]
}

// Encoder lists the parameters of the encoder and the head's transform.
func (m *Model) Encoder() []*Param { return m.encoder }

// DecoderWeight is the decoder's parameter: the input embeddings if Tied.
func (m *Model) DecoderWeight() *Param {
	if m.Tied {
		return m.Param(m.Config.EmbeddingName())
	}
	return m.Param(m.Config.DecoderName())
}

// DecoderBias is the decoder's bias, nil if the model has none.
func (m *Model) DecoderBias() *Param { return m.Param(m.Config.DecoderBiasName()) }

// EncoderNodes splits a program's inputs, which begin with the encoder's parameters.
func (m *Model) EncoderNodes(in []*graph.Node) (layers.Params, []*graph.Node) {
	return m.nodes(m.encoder, in)
}

// AllNodes splits a program's inputs, which begin with every parameter.
func (m *Model) AllNodes(in []*graph.Node) (layers.Params, []*graph.Node) {
	return m.nodes(m.Params, in)
}

func (m *Model) nodes(list []*Param, in []*graph.Node) (layers.Params, []*graph.Node) {
	byName := make(map[string]*graph.Node, len(list))
	for i, p := range list {
		byName[p.Name] = in[i]
	}
	return func(name string) *graph.Node {
		node := byName[name]
		if node == nil {
			panic(fmt.Errorf("build graph: the model has no parameter %q", name))
		}
		return node
	}, in[len(list):]
}

// Inputs returns the tensors of a list of parameters, followed by rest.
func Inputs(list []*Param, rest ...*tensors.Tensor) []*tensors.Tensor {
	out := make([]*tensors.Tensor, 0, len(list)+len(rest))
	for _, p := range list {
		out = append(out, p.Tensor)
	}
	return append(out, rest...)
}

// Hidden runs the encoder on a batch: the result is [batch, tokens, hidden].
func (m *Model) Hidden(b *Batch) (*tensors.Tensor, error) {
	out, err := m.hidden.Call(Inputs(m.encoder, b.IDs.Tensor, b.Lengths.Tensor)...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Head is the decoder as the fused kernels read it; its bias is zeros if the
// model has none. The slices are the parameters themselves.
func (m *Model) Head() fused.Head {
	h := fused.Head{Weight: m.DecoderWeight().Values, Vocab: m.Config.Vocab, Dim: m.Config.Embedding}
	if bias := m.DecoderBias(); bias != nil {
		h.Bias = bias.Values
	} else {
		h.Bias = make([]float32, m.Config.Vocab)
	}
	return h
}

// Pool returns max over tokens of the logits, bias and LogitScale included,
// [len(texts), vocab], of texts of token ids.
func (m *Model) Pool(texts [][]int32) ([]float32, error) {
	var pooled []float32
	var err error
	if m.Engine.Shared() {
		pooled, err = m.pool(texts, m.max(m.Head()))
	} else {
		pooled, err = m.devicePool(texts, false)
	}
	if m.LogitScale != 1 {
		for i := range pooled {
			pooled[i] *= m.LogitScale
		}
	}
	return pooled, err
}

// Project is Pool without bias and LogitScale: max over tokens of hidden·W_v. The
// pooled logits for every rescale factor follow from it.
func (m *Model) Project(texts [][]int32) ([]float32, error) {
	if !m.Engine.Shared() {
		return m.devicePool(texts, true)
	}
	head := m.Head()
	head.Bias = make([]float32, m.Config.Vocab)
	return m.pool(texts, m.max(head))
}

// pooling computes out [len(texts), vocab] from hidden states.
type pooling func(texts []fused.Text, out []float32) error

func (m *Model) max(head fused.Head) pooling {
	return func(texts []fused.Text, out []float32) error { return head.Max(texts, out, nil, m.Engine.Threads()) }
}

func (m *Model) pool(texts [][]int32, pool pooling) ([]float32, error) {
	batch, err := NewBatch(m.Engine, texts, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
	if err != nil {
		return nil, err
	}
	defer batch.Free()
	hidden, err := m.Hidden(batch)
	if err != nil {
		return nil, err
	}
	defer Free(hidden)
	pooled := make([]float32, len(texts)*m.Config.Vocab)
	var fault error
	if err := m.Engine.Read(hidden, func(values []float32) {
		fault = pool(batch.Texts(values, m.Config.Embedding), pooled)
	}); err != nil {
		return nil, err
	}
	return pooled, fault
}
