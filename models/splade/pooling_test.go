package splade_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	_ "github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"headroom/models/layers"
	"headroom/models/splade"
)

const (
	texts, tokens, dim, vocab = 5, 6, 7, 23
)

// inputs are hidden states, lengths, decoder, bias and the gradient by the weights.
func inputs(seed uint64) []any {
	r := rand.New(rand.NewPCG(seed, 1))
	normal := func(dims ...int) *tensors.Tensor {
		size := 1
		for _, d := range dims {
			size *= d
		}
		values := make([]float32, size)
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		return tensors.FromFlatDataAndDimensions(values, dims...)
	}
	return []any{normal(texts, tokens, dim), tensors.FromFlatDataAndDimensions([]int32{6, 1, 4, 3, 5}, texts), normal(vocab, dim), normal(vocab), normal(texts, vocab)}
}

func run(t *testing.T, build func(in []*Node) []*Node, in []any) [][]float32 {
	t.Helper()
	backend, err := compute.NewWithConfig("go:")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	exec, err := NewExec(backend, build)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	var values [][]float32
	for _, o := range out {
		values = append(values, tensors.MustCopyFlatData[float32](o))
	}
	return values
}

// plain is pooling in one piece, for autodiff: all logits at once.
func plain(hidden, lengths, weight, bias *Node, scale float64, form splade.Form) *Node {
	logits := MulScalar(Add(layers.Linear(hidden, weight, nil), ExpandLeftToRank(bias, 3)), scale)
	valid := BroadcastToDims(InsertAxes(layers.Valid(lengths, tokens), -1), texts, tokens, vocab)
	if m := form.TokenTopM; m > 0 {
		// The m-th greatest logit of a token has m-1 above it: how many each has is counted in pairs.
		mine, other := BroadcastToDims(InsertAxes(logits, -1), texts, tokens, vocab, vocab), BroadcastToDims(InsertAxes(logits, -2), texts, tokens, vocab, vocab)
		above := ReduceSum(ConvertDType(GreaterThan(other, mine), dtypes.Int32), -1)
		valid = LogicalAnd(valid, LessThan(above, BroadcastToDims(Const(logits.Graph(), int32(m)), texts, tokens, vocab)))
	}
	positive := Where(LogicalAnd(valid, GreaterThan(logits, ZerosLike(logits))), logits, ZerosLike(logits))
	weights := Log1p(positive)
	if form.Twice {
		weights = Log1p(weights)
	}
	if form.Sum {
		return ReduceSum(weights, 1)
	}
	return ReduceMax(weights, 1)
}

func TestPoolingInGroupsEqualsPlainPoolingAndItsGradient(t *testing.T) {
	for _, form := range []splade.Form{{}, {Twice: true}, {Sum: true}, {Sum: true, Twice: true}, {TokenTopM: 3}, {TokenTopM: 4, Sum: true}} {
		for _, size := range []int{1, 2, texts} {
			t.Run(fmt.Sprintf("%+v, %d texts at a time", form, size), func(t *testing.T) {
				const scale = .7
				got := run(t, func(in []*Node) []*Node {
					h := splade.Head{Weight: in[2], Bias: in[3], Scale: scale, Bytes: 4 * tokens * vocab * size}
					p := h.Pool(in[0], in[1], form)
					weights := h.Weights(p, form)
					a, b, c := h.Gradients(in[0], in[1], form, p, weights, in[4])
					return []*Node{weights, a, b, c}
				}, inputs(uint64(size)))
				want := run(t, func(in []*Node) []*Node {
					weights := plain(in[0], in[1], in[2], in[3], scale, form)
					return append([]*Node{weights}, Gradient(ReduceAllSum(Mul(weights, in[4])), in[0], in[2], in[3])...)
				}, inputs(uint64(size)))
				for k, name := range []string{"weights", "hidden states' gradient", "decoder's gradient", "bias's gradient"} {
					for i, x := range want[k] {
						if math.Abs(float64(got[k][i]-x)) > 1e-5 {
							t.Fatalf("%s: value %d is %g, want %g", name, i, got[k][i], x)
						}
					}
				}
			})
		}
	}
}

func TestMaxIsPoolWithoutPositions(t *testing.T) {
	got := run(t, func(in []*Node) []*Node {
		h := splade.Head{Weight: in[2], Bias: in[3], Scale: 3, Bytes: 1}
		return []*Node{h.Max(in[0], in[1]), h.Pool(in[0], in[1], splade.Form{}).Values}
	}, inputs(3))
	for i, x := range got[1] {
		if got[0][i] != x {
			t.Fatalf("value %d is %g, Pool's %g", i, got[0][i], x)
		}
	}
}

// Prune and its graph form keep the same weights, ties and NaN included.
func TestPruningInAGraphEqualsPrune(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, k := range []int{1, 3, 8, vocab - 1, vocab, 100} {
		form := splade.Form{TopK: k}
		// Few different logits: many ties, and many that are not active.
		logits := make([]float32, texts*vocab)
		for i := range logits {
			logits[i] = float32(r.IntN(5) - 2)
		}
		logits[3], logits[7] = float32(math.NaN()), float32(math.Inf(1))
		got := run(t, func(in []*Node) []*Node {
			return []*Node{splade.Head{Scale: 1}.Weights(splade.Pooled{Values: in[0]}, form)}
		}, []any{tensors.FromFlatDataAndDimensions(logits, texts, vocab)})[0]
		for text := range texts {
			want := make([]float32, vocab)
			for v := range want {
				want[v] = form.Weight(logits[text*vocab+v])
			}
			form.Prune(want)
			for v, w := range want {
				if x := got[text*vocab+v]; math.Abs(float64(x-w)) > 1e-6 || (x != x) != (w != w) || (x == 0) != (w == 0) {
					t.Fatalf("top_k %d: text %d, term %d: %g, want %g", k, text, v, x, w)
				}
			}
		}
	}
}
