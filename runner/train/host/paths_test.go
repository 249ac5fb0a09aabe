package host_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/data/loader"
	"headroom/models"
	"headroom/models/layers"
	"headroom/models/mlmhead"
	"headroom/runner/engine"
	"headroom/runner/train"
	"headroom/runner/train/conformance"
	"headroom/runner/train/host"
	"headroom/sweeps"
)

func openModel(t testing.TB, name string, untie bool) *engine.Model {
	t.Helper()
	return openModelOn(t, name, untie, 2)
}

func openModelOn(t testing.TB, name string, untie bool, threads int) *engine.Model {
	t.Helper()
	return conformance.Model(t, conformance.Host(t, threads), name, untie)
}

// plainProgram is a step's gradients and loss as one graph with dense logits. Its
// inputs are the parameters, then ids and lengths of queries and of documents, then
// for each side, if there are any, factors on its term weights.
func plainProgram(m *engine.Model, objective train.Objective, lambda [2]float64) (*engine.Program, error) {
	return m.Engine.Program("plain", func(in []*Node) []*Node {
		get, rest := m.AllNodes(in)
		reps := func(ids, lengths *Node) *Node {
			logits := layers.Linear(models.Transformed(get, m.Config, ids, lengths, layers.Mode{}), get(m.DecoderWeight().Name), nil)
			if bias := m.DecoderBias(); bias != nil {
				logits = Add(logits, ExpandLeftToRank(get(bias.Name), 3))
			}
			logits = MulScalar(logits, m.LogitScale)
			valid := BroadcastToShape(InsertAxes(layers.Valid(lengths, ids.Shape().Dimensions[1]), -1), logits.Shape())
			return Log1p(layers.Activation("relu", ReduceMax(Where(valid, logits, AddScalar(ZerosLike(logits), -1e30)), 1)))
		}
		g := in[0].Graph()
		queries, documents := reps(rest[0], rest[1]), reps(rest[2], rest[3])
		if len(rest) > 4 {
			queries, documents = Mul(queries, rest[4]), Mul(documents, rest[5])
		}
		c := objective.Build(queries, documents, nil, Scalar(g, dtypes.Float32, lambda[0]), Scalar(g, dtypes.Float32, lambda[1]))
		return append(Gradient(c.Total(), in[:len(m.Params)]...), c.Total())
	})
}

// plainGradients is the whole step as one graph with dense logits: the form
// that the split step with its fused head must equal.
func plainGradients(t *testing.T, m *engine.Model, cfg sweeps.RunConfig, lambda [2]float64, queries, documents [][]int32, factors ...[]float32) (map[string][]float32, float64) {
	t.Helper()
	objective, err := train.NewObjective(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var inputs []*tensors.Tensor
	for _, side := range [][][]int32{queries, documents} {
		b, err := engine.NewBatch(m.Engine, side, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
		if err != nil {
			t.Fatal(err)
		}
		defer b.Free()
		inputs = append(inputs, b.IDs.Tensor, b.Lengths.Tensor)
	}
	for _, values := range factors {
		f, err := engine.NewBuffer[float32](m.Engine, len(values)/m.Config.Vocab, m.Config.Vocab)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Free()
		copy(f.Values, values)
		inputs = append(inputs, f.Tensor)
	}
	program, err := plainProgram(m, objective, lambda)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	out, err := program.Call(engine.Inputs(m.Params, inputs...)...)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]float32{}
	for i, p := range m.Params {
		got[p.Name] = tensors.MustCopyFlatData[float32](out[i])
	}
	return got, float64(tensors.ToScalar[float32](out[len(m.Params)]))
}

func TestTheSplitStepEqualsOneDenseGraph(t *testing.T) {
	for _, c := range []struct {
		folder string
		untie  bool
		k      float64
		target mlmhead.Target
		kind   string
	}{
		{"bert-tied", false, 1, mlmhead.Decoder, "flops"},
		{"bert-tied", true, 4, mlmhead.Decoder, "l1"},
		{"modernbert-tied", false, 1, mlmhead.Decoder, "flops"},
		{"modernbert-tied", true, 4, mlmhead.DecoderBias, "flops"},
		{"modernbert-untied", false, 2, mlmhead.Logits, "none"},
		{"modernbert-window", true, .5, mlmhead.Decoder, "flops"},
		{"distilbert-tied", true, 2, mlmhead.Decoder, "flops"},
	} {
		t.Run(fmt.Sprintf("%s untie=%v k=%g %s %s", c.folder, c.untie, c.k, c.target, c.kind), func(t *testing.T) {
			m := openModel(t, c.folder, c.untie)
			var bias []float32
			if b := m.DecoderBias(); b != nil {
				bias = b.Values
			}
			scale, err := mlmhead.Rescale(m.DecoderWeight().Values, bias, c.k, c.target)
			if err != nil {
				t.Fatal(err)
			}
			m.LogitScale = scale
			cfg := conformance.Config(10)
			cfg.Regularizer.Kind = c.kind
			s, err := host.New(m, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			queries, documents := conformance.Texts(1, 4, m.Config.Vocab, 3, 5, 2), conformance.Texts(2, 4, m.Config.Vocab, 7, 19, 11)
			got, err := s.Gradients(5, loader.Batch{Queries: queries, Documents: documents})
			if err != nil {
				t.Fatal(err)
			}
			want, _ := plainGradients(t, m, cfg, [2]float64{s.Query.At(5), s.Document.At(5)}, queries, documents)
			sameGradients(t, got, want)
		})
	}
}

// Pruning is a choice of terms: the gradient is that of the chosen ones.
func TestTheGradientGoesThroughKeptTermsOnly(t *testing.T) {
	m := openModel(t, "modernbert-tied", true)
	cfg := conformance.Config(10)
	cfg.Model.TopK = 6
	s, err := host.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	queries, documents := conformance.Texts(1, 4, m.Config.Vocab, 3, 5, 2), conformance.Texts(2, 4, m.Config.Vocab, 7, 19, 11)
	var kept [2][]float32
	for i, side := range [2][][]int32{queries, documents} {
		if kept[i], err = s.Weights(side); err != nil {
			t.Fatal(err)
		}
		for row := range len(side) {
			n := 0
			for v, w := range kept[i][row*m.Config.Vocab : (row+1)*m.Config.Vocab] {
				if w != 0 {
					kept[i][row*m.Config.Vocab+v] = 1
					n++
				}
			}
			if n != 6 {
				t.Errorf("side %d, text %d: %d terms are kept, want 6", i, row, n)
			}
		}
	}
	got, err := s.Gradients(5, loader.Batch{Queries: queries, Documents: documents})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := plainGradients(t, m, cfg, [2]float64{s.Query.At(5), s.Document.At(5)}, queries, documents, kept[0], kept[1])
	sameGradients(t, got, want)
}

func sameGradients(t *testing.T, got, want map[string][]float32) {
	t.Helper()
	largest := 0.0
	for _, g := range want {
		for _, x := range g {
			largest = math.Max(largest, math.Abs(float64(x)))
		}
	}
	if largest == 0 {
		t.Fatal("the gradient is zero everywhere: nothing is compared")
	}
	for name, g := range want {
		worst, size := 0.0, 0.0
		for i, x := range g {
			worst = math.Max(worst, math.Abs(float64(x)-float64(got[name][i])))
			size = math.Max(size, math.Abs(float64(x)))
		}
		// Sums run in another order; a gradient that cancels to nothing is compared at the scale of the largest one.
		if worst > 2e-5*size+1e-7*largest {
			t.Errorf("%s: off by %.3g of %.3g", name, worst, size)
		}
	}
}

// A side that is encoded in several parts has the gradient of the whole.
func TestPartsGiveTheWholeBatchsGradient(t *testing.T) {
	for _, folder := range []string{"bert-tied", "modernbert-window"} {
		m := openModel(t, folder, false)
		cfg := conformance.Config(10)
		s, err := host.New(m, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		queries, documents := conformance.Texts(1, 70, m.Config.Vocab, 3, 5, 2), conformance.Texts(2, 70, m.Config.Vocab, 7, 26, 11)
		if n := s.Parts(documents); n < 2 {
			t.Fatalf("the documents are %d part: nothing is tested", n)
		}
		got, err := s.Gradients(5, loader.Batch{Queries: queries, Documents: documents})
		if err != nil {
			t.Fatal(err)
		}
		want, _ := plainGradients(t, m, cfg, [2]float64{s.Query.At(5), s.Document.At(5)}, queries, documents)
		sameGradients(t, got, want)
	}
}

// Threads and the order in which parts are done change nothing.
func TestTheSameSeedGivesTheSameBits(t *testing.T) {
	final := func(threads int) []float32 {
		m := openModelOn(t, "modernbert-tied", true, threads)
		cfg := conformance.Config(6)
		half := .3
		cfg.Model.Dropout = &half
		s, err := host.New(m, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for step := range 6 {
			if _, err := s.Step(step, loader.Batch{Queries: conformance.Texts(uint64(step), 70, m.Config.Vocab, 3, 6), Documents: conformance.Texts(uint64(step)+50, 140, m.Config.Vocab, 9, 21)}); err != nil {
				t.Fatal(err)
			}
		}
		var all []float32
		for _, p := range m.Params {
			all = append(all, p.Values...)
		}
		return all
	}
	a, b := final(1), final(3)
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			t.Fatalf("parameter %d: %g and %g", i, a[i], b[i])
		}
	}
}

// A head that is screened trains the same bits, whether few terms are active or most.
func TestScreeningTheHeadChangesNoBit(t *testing.T) {
	for _, lower := range []float32{0, 1, 2, 100} { // what is taken from the bias
		var few bool
		final := func(screened bool) []float32 {
			m := openModelOn(t, "modernbert-tied", true, 2)
			for v := range m.DecoderBias().Values {
				m.DecoderBias().Values[v] -= lower
			}
			s, err := host.New(m, conformance.Config(6))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var all []float32
			for step := range 6 {
				few = s.Screen(screened)
				values, err := s.Step(step, loader.Batch{Queries: conformance.Texts(uint64(step), 20, m.Config.Vocab, 3, 6), Documents: conformance.Texts(uint64(step)+50, 20, m.Config.Vocab, 9, 21, 40)})
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range slices.Sorted(maps.Keys(values)) {
					all = append(all, float32(values[name]))
				}
			}
			for _, p := range m.Params {
				all = append(all, p.Values...)
			}
			return all
		}
		a, b := final(true), final(false)
		if lower != 2 && few != (lower == 100) {
			t.Errorf("bias lowered by %g: a step of its own would be screened: %v", lower, few)
		}
		for i := range a {
			if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
				t.Fatalf("bias lowered by %g: value %d is %g and %g", lower, i, a[i], b[i])
			}
		}
	}
}

func TestDropoutRepeatsInTheBackwardPass(t *testing.T) {
	// With dropout the gradient must be the derivative of the very forward pass
	// that was taken: the loss falls along it.
	m := openModel(t, "bert-untied", false)
	cfg := conformance.Config(10)
	half := .4
	cfg.Model.Dropout = &half
	s, err := host.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	queries, documents := conformance.Texts(1, 4, m.Config.Vocab, 4), conformance.Texts(2, 4, m.Config.Vocab, 9)
	gradient, err := s.Gradients(3, loader.Batch{Queries: queries, Documents: documents})
	if err != nil {
		t.Fatal(err)
	}
	loss := func() float64 {
		v, err := s.Forward(3, loader.Batch{Queries: queries, Documents: documents})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	square := 0.0
	for _, g := range gradient {
		for _, x := range g {
			square += float64(x) * float64(x)
		}
	}
	const size = 1e-4
	move := func(by float64) {
		for _, p := range m.Params {
			for i, g := range gradient[p.Name] {
				p.Values[i] += float32(by * float64(g) / math.Sqrt(square))
			}
		}
	}
	move(size)
	up := loss()
	move(-2 * size)
	down := loss()
	move(size)
	slope := (up - down) / (2 * size)
	if want := math.Sqrt(square); math.Abs(slope-want) > .03*want {
		t.Errorf("the loss rises by %g along its gradient, whose norm is %g", slope, want)
	}
}
