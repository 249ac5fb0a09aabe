package fused_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"headroom/models/splade/fused"
)

func world(seed uint64, vocab, dim int, tokens ...int) (fused.Head, []fused.Text) {
	r := rand.New(rand.NewPCG(seed, 1))
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	head := fused.Head{Weight: fill(vocab * dim), Bias: fill(vocab), Vocab: vocab, Dim: dim}
	var texts []fused.Text
	for _, n := range tokens {
		texts = append(texts, fused.Text{Hidden: fill(n * dim), Tokens: n})
	}
	return head, texts
}

func TestMaxIsTheMaximumOfFloat64Products(t *testing.T) {
	for _, c := range []struct {
		vocab, dim int
		tokens     []int
	}{
		{1, 1, []int{1}}, {3, 5, []int{1, 2}}, {7, 16, []int{15, 16, 17}}, {130, 33, []int{31, 32, 33, 48, 49, 64, 65, 100}}, {66, 96, []int{3, 200}},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.vocab, c.dim), func(t *testing.T) {
			head, texts := world(7, c.vocab, c.dim, c.tokens...)
			out := make([]float32, len(texts)*c.vocab)
			arg := make([]int32, len(out))
			if err := head.Max(texts, out, arg, 2); err != nil {
				t.Fatal(err)
			}
			for i, text := range texts {
				for v := range c.vocab {
					want, at := math.Inf(-1), 0
					for tok := range text.Tokens {
						z, size := 0.0, 0.0
						for d := range c.dim {
							p := float64(text.Hidden[tok*c.dim+d]) * float64(head.Weight[v*c.dim+d])
							z += p
							size += math.Abs(p)
						}
						if z > want {
							want, at = z, tok
						}
						_ = size
					}
					got := float64(out[i*c.vocab+v]) - float64(head.Bias[v])
					// 1e-5 covers dim roundings of 6e-8 relative to sums below 30 plus the bias's own.
					if math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
						t.Fatalf("text %d row %d: got %g, want %g", i, v, got, want)
					}
					if int(arg[i*c.vocab+v]) != at {
						t.Fatalf("text %d row %d: token %d, want %d", i, v, arg[i*c.vocab+v], at)
					}
				}
			}
		})
	}
}

func TestMaxDoesNotDependOnThreads(t *testing.T) {
	head, texts := world(3, 501, 40, 5, 32, 47, 90)
	one := make([]float32, len(texts)*head.Vocab)
	five := make([]float32, len(one))
	argOne, argFive := make([]int32, len(one)), make([]int32, len(one))
	if err := head.Max(texts, one, argOne, 1); err != nil {
		t.Fatal(err)
	}
	if err := head.Max(texts, five, argFive, 5); err != nil {
		t.Fatal(err)
	}
	for i := range one {
		if math.Float32bits(one[i]) != math.Float32bits(five[i]) || argOne[i] != argFive[i] {
			t.Fatalf("element %d: %g at %d with one thread, %g at %d with five", i, one[i], argOne[i], five[i], argFive[i])
		}
	}
}

func TestTheFirstOfEqualTokensWins(t *testing.T) {
	for _, tokens := range []int{2, 16, 20, 32, 64, 70} {
		head, texts := world(5, 9, 8, tokens)
		for tok := 1; tok < tokens; tok++ {
			copy(texts[0].Hidden[tok*8:], texts[0].Hidden[:8])
		}
		out, arg := make([]float32, 9), make([]int32, 9)
		if err := head.Max(texts, out, arg, 1); err != nil {
			t.Fatal(err)
		}
		for v, a := range arg {
			if a != 0 {
				t.Errorf("%d equal tokens: row %d names token %d, want 0", tokens, v, a)
			}
		}
	}
}

func TestNaNIsNeverHiddenByTheMaximum(t *testing.T) {
	for _, tokens := range []int{3, 20, 40, 80} {
		for bad := range tokens {
			head, texts := world(11, 13, 8, tokens)
			texts[0].Hidden[bad*8+3] = float32(math.NaN())
			out, arg := make([]float32, 13), make([]int32, 13)
			if err := head.Max(texts, out, arg, 1); err != nil {
				t.Fatal(err)
			}
			for v, z := range out {
				if z == z {
					t.Fatalf("%d tokens, token %d NaN: row %d is %g", tokens, bad, v, z)
				}
			}
		}
	}
}

func TestBackwardIsTheDerivativeOfMax(t *testing.T) {
	head, texts := world(23, 37, 12, 5, 33)
	r := rand.New(rand.NewPCG(1, 2))
	grad := make([]float32, len(texts)*head.Vocab)
	for i := range grad {
		if r.IntN(3) > 0 {
			grad[i] = float32(r.NormFloat64())
		}
	}
	out, arg := make([]float32, len(grad)), make([]int32, len(grad))
	value := func() float64 {
		if err := head.Max(texts, out, nil, 1); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, g := range grad {
			sum += float64(g) * float64(out[i])
		}
		return sum
	}
	if err := head.Max(texts, out, arg, 1); err != nil {
		t.Fatal(err)
	}
	dW, dB := make([]float32, len(head.Weight)), make([]float32, head.Vocab)
	dH := [][]float32{make([]float32, len(texts[0].Hidden)), make([]float32, len(texts[1].Hidden))}
	if err := head.Backward(texts, arg, grad, dH, dW, dB, 3); err != nil {
		t.Fatal(err)
	}
	const step = 1.0 / 1024
	check := func(name string, x []float32, d []float32) {
		for i := 0; i < len(x); i += 7 {
			old := x[i]
			x[i] = old + step
			up := value()
			x[i] = old - step
			down := value()
			x[i] = old
			// The function is linear between changes of the maximum, so only rounding is left.
			if got := (up - down) / (2 * step); math.Abs(got-float64(d[i])) > 2e-2 {
				t.Errorf("%s[%d]: difference quotient %g, derivative %g", name, i, got, d[i])
			}
		}
	}
	check("weight", head.Weight, dW)
	check("bias", head.Bias, dB)
	check("hidden 0", texts[0].Hidden, dH[0])
	check("hidden 1", texts[1].Hidden, dH[1])
}

func TestSizesThatDisagreeAreErrors(t *testing.T) {
	head, texts := world(1, 5, 4, 3)
	if err := head.Max(texts, make([]float32, 4), nil, 1); err == nil {
		t.Error("a short output was taken")
	}
	texts[0].Tokens = 0
	if err := head.Max(texts, make([]float32, 5), nil, 1); err == nil {
		t.Error("a text without tokens was taken")
	}
}

func BenchmarkMax(b *testing.B) {
	for _, c := range []struct{ vocab, dim, texts, tokens int }{{2000, 96, 32, 40}, {30522, 128, 4, 230}, {30522, 256, 32, 64}} {
		b.Run(fmt.Sprintf("v%d-d%d-%dx%d", c.vocab, c.dim, c.texts, c.tokens), func(b *testing.B) {
			tokens := make([]int, c.texts)
			for i := range tokens {
				tokens[i] = c.tokens
			}
			head, texts := world(1, c.vocab, c.dim, tokens...)
			out := make([]float32, c.texts*c.vocab)
			arg := make([]int32, len(out))
			for b.Loop() {
				if err := head.Max(texts, out, arg, 1); err != nil {
					b.Fatal(err)
				}
			}
			flop := 2 * float64(c.vocab) * float64(c.dim) * float64(c.texts*c.tokens)
			b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// One document of 230 tokens, of whose vocabulary some 1 % is active: the head
// alone in float32 and screened, in turns, at the best time of each, since
// other programs disturb the mean.
func BenchmarkDocument(b *testing.B) {
	for _, dim := range []int{128, 384, 768} {
		b.Run(fmt.Sprintf("d%d", dim), func(b *testing.B) {
			head, texts := world(1, 30522, dim, 230)
			for v := range head.Bias {
				head.Bias[v] -= 4.1 * float32(math.Sqrt(float64(dim)))
			}
			out := make([]float32, head.Vocab)
			var screen *fused.Screen
			var err error
			best := [3]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
			for b.Loop() {
				for i, do := range []func(){
					func() { screen, err = fused.NewScreen(head, 2) },
					func() { err = head.Max(texts, out, nil, 2) },
					func() { err = screen.Positive(texts, out, 2) },
				} {
					start := time.Now()
					do()
					best[i] = min(best[i], time.Since(start).Seconds())
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(1/best[1], "float-docs/s")
			b.ReportMetric(1/best[2], "screened-docs/s")
			b.ReportMetric(best[1]/best[2], "ratio")
			b.ReportMetric(best[0]/best[2], "docs/preparation")
		})
	}
}
