package host_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"headroom/models"
	"headroom/models/layers"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
)

// The encoder's gradients written by hand are GoMLX's own of the elementary graph, for
// every family, activation and place of dropout, and where layers are computed twice.
func TestTheTapesGradientIsTheGraphs(t *testing.T) {
	for _, c := range []struct {
		folder, activation string
		rate               float64
		remat              bool
	}{
		{"bert-tied", "gelu", 0, false}, {"bert-tied", "gelu", .3, false}, {"bert-tied", "relu", .3, true},
		{"bert-tanh", "gelu_new", 0, false}, {"roberta-tied", "silu", .2, false}, {"distilbert-tied", "gelu", 0, true},
		{"roberta-pad", "gelu", .1, true}, {"electra-tied", "gelu", .2, false}, {"electra-tied", "gelu_new", 0, true},
		{"modernbert-tied", "gelu", 0, false}, {"modernbert-window", "gelu", .3, false}, {"modernbert-untied", "silu", .2, true},
	} {
		t.Run(c.folder+" "+c.activation, func(t *testing.T) {
			m := openModel(t, c.folder, false)
			m.Config.Activation, m.Config.HeadActivation = c.activation, c.activation
			rates := layers.Rates{Embedding: c.rate, Hidden: c.rate, Attention: c.rate, MLP: c.rate}
			program, err := m.Engine.Program("both gradients", func(in []*Node) []*Node {
				get, rest := m.EncoderNodes(in)
				ids, lengths, seed, upstream := rest[0], rest[1], rest[2], rest[3]
				build := func(mode layers.Mode) *Node { return models.Transformed(get, m.Config, ids, lengths, mode) }
				wrt := func(lookup *layers.Lookup) []*Node { return append([]*Node{lookup.Rows}, in[:len(m.Encoder())]...) }
				tape, lookup := layers.NewTape(), &layers.Lookup{}
				taped := build(layers.TapedTraining(tape, lookup, layers.NewDropout(rates, seed), c.remat))
				out := append(tape.Gradient(taped, upstream, wrt(lookup)...), taped, build(layers.FusedInference()))
				lookup = &layers.Lookup{}
				plain := build(layers.Training(layers.NewDropout(rates, seed), dtypes.Float32, false, lookup))
				out = append(out, Gradient(ReduceAllSum(Mul(plain, upstream)), wrt(lookup)...)...)
				return append(out, plain, build(layers.Inference(dtypes.Float32)))
			})
			if err != nil {
				t.Fatal(err)
			}
			defer program.Close()
			batch, err := engine.NewBatch(m.Engine, conformance.Texts(1, 4, m.Config.Vocab, 13, 4, 9), m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
			if err != nil {
				t.Fatal(err)
			}
			defer batch.Free()
			upstream := floats(t, m.Engine, 2, batch.Size(), batch.Tokens, m.Config.Embedding)
			seed, err := engine.NewBuffer[uint64](m.Engine, 3)
			if err != nil {
				t.Fatal(err)
			}
			seed.Values[0], seed.Values[1] = 5, 6
			out, err := program.Call(engine.Inputs(m.Encoder(), batch.IDs.Tensor, batch.Lengths.Tensor, seed.Tensor, upstream.Tensor)...)
			if err != nil {
				t.Fatal(err)
			}
			defer engine.Free(out...)
			names := []string{"words"}
			for _, p := range m.Encoder() {
				names = append(names, p.Name)
			}
			names = append(names, "hidden states with a tape", "hidden states")
			values, largest := make([][]float32, len(out)), 0.0
			for i, o := range out {
				if err := m.Engine.Read(o, func(v []float32) { values[i] = slices.Clone(v) }); err != nil {
					t.Fatal(err)
				}
				largest = math.Max(largest, sizeOf(values[i]))
			}
			for i, name := range names {
				got, want := values[i], values[i+len(names)]
				worst, size := 0.0, sizeOf(want)
				for j, x := range want {
					worst = math.Max(worst, math.Abs(float64(x)-float64(got[j])))
				}
				if size == 0 && name != m.Config.EmbeddingName() {
					t.Errorf("%s is zero everywhere: nothing is compared", name)
				}
				// The gradient by the bias of keys is 0 but for rounding of all that is summed.
				if !(worst <= 1e-5*size+3e-7*largest) {
					t.Errorf("%s is off by %.3g of %.3g, the largest being %.3g", name, worst, size, largest)
				}
			}
		})
	}
}

func sizeOf(values []float32) float64 {
	size := 0.0
	for _, x := range values {
		size = math.Max(size, math.Abs(float64(x)))
	}
	return size
}

// floats is a tensor of numbers between -1 and 1.
func floats(t *testing.T, e *engine.Engine, seed uint64, dims ...int) engine.Buffer[float32] {
	t.Helper()
	b, err := engine.NewBuffer[float32](e, dims...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Free)
	x := seed * 0x9e3779b97f4a7c15
	for i := range b.Values {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b.Values[i] = float32(int64(x)) / (1 << 63)
	}
	return b
}
