package fused_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"headroom/models/splade/fused"
)

type screenCase struct {
	name  string
	head  fused.Head
	texts []fused.Text
}

// screenCases are inputs on which screening could go wrong.
func screenCases() []screenCase {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	var cases []screenCase
	add := func(name string, vocab, dim int, tokens []int, change func(r *rand.Rand, h fused.Head, texts []fused.Text)) {
		head, texts := world(uint64(len(cases)+1), vocab, dim, tokens...)
		if change != nil {
			change(rand.New(rand.NewPCG(uint64(len(cases)), 9)), head, texts)
		}
		cases = append(cases, screenCase{name, head, texts})
	}
	scale := func(x []float32, by float32) {
		for i := range x {
			x[i] *= by
		}
	}
	sparse := func(_ *rand.Rand, h fused.Head, _ []fused.Text) {
		for v := range h.Bias {
			h.Bias[v] -= 4.5 * float32(math.Sqrt(float64(h.Dim)))
		}
	}
	add("dense", 200, 64, []int{1, 16, 17, 32, 33}, nil)
	add("sparse", 517, 64, []int{1, 33, 200}, sparse)
	add("no active row", 130, 48, []int{5, 40}, func(_ *rand.Rand, h fused.Head, _ []fused.Text) {
		for v := range h.Bias {
			h.Bias[v] = -1000
		}
	})
	add("dense in one half", 999, 40, []int{33, 70}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
		sparse(r, h, t)
		for v := range h.Bias[:500] {
			h.Bias[v] = 5
		}
	})
	for _, dim := range []int{1, 2, 3, 7, 15, 31, 33, 50, 127, 769} {
		add(fmt.Sprintf("dim %d", dim), 131, dim, []int{1, 31, 33, 49}, sparse)
	}
	for _, vocab := range []int{1, 2, 3, 5, 63, 64, 65} {
		add(fmt.Sprintf("vocab %d", vocab), vocab, 24, []int{1, 33}, nil)
	}
	add("bias at the edge", 300, 32, []int{33}, func(_ *rand.Rand, h fused.Head, texts []fused.Text) {
		// The logit is a rounding away from zero on either side, or zero.
		out := make([]float32, h.Vocab)
		for v := range h.Bias {
			h.Bias[v] = 0
		}
		if err := h.Max(texts, out, nil, 1); err != nil {
			panic(err)
		}
		for v, z := range out {
			h.Bias[v] = -z
			if v%3 > 0 {
				h.Bias[v] = math.Nextafter32(-z, float32(3-2*(v%3))*math.MaxFloat32)
			}
		}
	})
	add("ties", 150, 20, []int{40}, func(_ *rand.Rand, h fused.Head, texts []fused.Text) {
		for i := range texts[0].Hidden {
			texts[0].Hidden[i] = float32(i % 20 % 3)
		}
		for i := range h.Weight {
			h.Weight[i] = float32(i%3 - 1)
		}
	})
	add("cancelling", 150, 64, []int{33}, func(_ *rand.Rand, h fused.Head, texts []fused.Text) {
		for i := range texts[0].Hidden {
			texts[0].Hidden[i] = 1 + texts[0].Hidden[i]*1e-3
		}
		for i := range h.Weight {
			h.Weight[i] = float32(1-2*(i%2)) * (1 + h.Weight[i]*1e-3)
		}
		for v := range h.Bias {
			h.Bias[v] *= 1e-3
		}
	})
	add("whole numbers", 150, 64, []int{33}, func(r *rand.Rand, h fused.Head, texts []fused.Text) {
		// Nothing is lost in int16, so only the kernel's own roundings separate it from the bound.
		for _, x := range [][]float32{h.Weight, texts[0].Hidden} {
			for i := range x {
				x[i] = float32(r.IntN(6001) - 3000)
				if i%h.Dim == 0 {
					x[i] = math.MaxInt16
				}
			}
		}
	})
	add("one outlying element", 200, 64, []int{33, 64}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
		sparse(r, h, t)
		for i := range t {
			t[i].Hidden[5] = 1e6
		}
		for v := 0; v < h.Vocab; v += 7 {
			h.Weight[v*h.Dim+5] = -1e4
		}
	})
	for _, s := range []float32{1e-44, 1e-38, 1e-30, 1e-20, 1e9, 1e17, 1e18, 1e19, 1e30} {
		add(fmt.Sprintf("hidden by %g", s), 140, 40, []int{1, 33}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
			sparse(r, h, t)
			scale(t[0].Hidden, s)
			scale(t[1].Hidden, s)
			scale(h.Bias, s)
		})
		add(fmt.Sprintf("weights by %g", s), 140, 40, []int{1, 33}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
			sparse(r, h, t)
			scale(h.Weight, s)
			scale(h.Bias, s)
		})
		add(fmt.Sprintf("both by %g", s), 140, 40, []int{33}, func(_ *rand.Rand, h fused.Head, t []fused.Text) {
			scale(h.Weight, s)
			scale(t[0].Hidden, s)
		})
	}
	add("denormal everything", 140, 40, []int{1, 33}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
		for _, x := range [][]float32{h.Weight, h.Bias, t[0].Hidden, t[1].Hidden} {
			for i := range x {
				x[i] = math.Float32frombits(uint32(r.IntN(1000)) | uint32(r.IntN(2))<<31)
			}
		}
	})
	add("denormal products", 140, 40, []int{33}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
		scale(h.Weight, 1e-22)
		scale(t[0].Hidden, 1e-22)
		for i := range h.Bias {
			h.Bias[i] = -math.Float32frombits(uint32(r.IntN(200)))
		}
	})
	add("zeros", 140, 40, []int{3, 33}, func(_ *rand.Rand, h fused.Head, t []fused.Text) {
		scale(t[0].Hidden, 0)
		scale(h.Weight[:70*40], 0)
		for v := range h.Bias {
			h.Bias[v] = float32(v%3 - 1)
		}
		h.Bias[0] = float32(math.Copysign(0, -1))
	})
	for i, bad := range []float32{nan, inf, -inf, math.MaxFloat32} {
		add(fmt.Sprintf("hidden %g", bad), 140, 40, []int{33, 33, 1}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
			sparse(r, h, t)
			t[1].Hidden[17+i] = bad
		})
		add(fmt.Sprintf("weight %g", bad), 140, 40, []int{33, 1}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
			sparse(r, h, t)
			h.Weight[77*40+i] = bad
			h.Weight[139*40+i] = bad
			h.Bias[139] = -inf
		})
		add(fmt.Sprintf("bias %g", bad), 140, 40, []int{33, 1}, func(r *rand.Rand, h fused.Head, t []fused.Text) {
			sparse(r, h, t)
			h.Bias[12], h.Bias[139] = bad, bad
			h.Weight[12*40] = nan
		})
	}
	add("largest products of opposite sign", 64, 8, []int{33}, func(_ *rand.Rand, h fused.Head, t []fused.Text) {
		for i := range h.Weight {
			h.Weight[i] = 1e20 * float32(1-2*(i%2))
		}
		for i := range t[0].Hidden {
			t[0].Hidden[i] = 1e20
		}
	})
	return cases
}

// eachLevel runs a test on every kernel of this build and CPU.
func eachLevel(t *testing.T, fn func(t *testing.T)) {
	for _, level := range fused.Levels() {
		t.Run(fmt.Sprintf("level %d", level), func(t *testing.T) {
			defer fused.SetLevel(level)()
			fn(t)
		})
	}
}

// positive is what Positive promises, by Max.
func positive(t *testing.T, c screenCase) []float32 {
	t.Helper()
	want := make([]float32, len(c.texts)*c.head.Vocab)
	if err := c.head.Max(c.texts, want, nil, 1); err != nil {
		t.Fatal(err)
	}
	for i, z := range want {
		if z <= 0 {
			want[i] = 0
		}
	}
	return want
}

func same(x, y float32) bool {
	return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y
}

func TestScreeningChangesNoBit(t *testing.T) {
	for _, c := range screenCases() {
		reference := positive(t, c)
		t.Run(c.name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T) {
				want := positive(t, c)
				for i := range want {
					if !same(want[i], reference[i]) {
						t.Fatalf("element %d: Max is %g, on the best kernel %g", i, want[i], reference[i])
					}
				}
				for i, threads := range []int{1, 2, 3, 5} {
					screen, err := fused.NewScreenOf(c.head, fused.Forms()[i%2], threads)
					if err != nil {
						t.Fatal(err)
					}
					got := make([]float32, len(want))
					for i := range got {
						got[i] = float32(math.NaN())
					}
					if err := screen.Positive(c.texts, got, threads); err != nil {
						t.Fatal(err)
					}
					for i := range got {
						if !same(got[i], want[i]) {
							t.Fatalf("%d threads, text %d row %d: %g, want %g", threads, i/c.head.Vocab, i%c.head.Vocab, got[i], want[i])
						}
					}
				}
			})
		})
	}
}

// Whole numbers leave no room: every kernel gives the products of plain Go. The
// last case has the largest sums that there can be, of the most dimensions.
func TestWholeProductsAreThoseOfPlainGo(t *testing.T) {
	cases := screenCases()
	dim := fused.MostDims
	head := fused.Head{Weight: make([]float32, 5*dim), Bias: make([]float32, 5), Vocab: 5, Dim: dim}
	text := fused.Text{Hidden: make([]float32, 17*dim), Tokens: 17}
	for i := range dim {
		text.Hidden[5*dim+i] = 1 // a sum that goes over would fall below the other tokens' zero
	}
	for i := range head.Weight {
		head.Weight[i] = float32(1 - 2*(i/dim%2))
	}
	cases = append(cases, screenCase{"largest sums", head, []fused.Text{text}})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, form := range fused.Forms() {
				screen, err := fused.NewScreenOf(c.head, form, 2)
				if err != nil {
					t.Fatal(err)
				}
				for i, text := range c.texts {
					want := plainTops(screen, text)
					if c.name == "largest sums" {
						for v, top := range want {
							if (top > 0) != (v%2 == 0) {
								t.Fatalf("%s: the product with row %d is %d: a sum went over", form, v, top)
							}
						}
					}
					eachLevel(t, func(t *testing.T) {
						for v, top := range screen.Tops(text) {
							if top != want[v] {
								t.Fatalf("%s, text %d row %d: %d, want %d", form, i, v, top, want[v])
							}
						}
					})
				}
			}
		})
	}
}

func plainTops(s *fused.Screen, t fused.Text) []int32 {
	defer fused.SetLevel(0)()
	return s.Tops(t)
}

// The bound is compared with the kernel's result and with the exact product.
func TestTheBoundIsNeverBelowAProduct(t *testing.T) {
	for _, c := range screenCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, form := range fused.Forms() {
				eachLevel(t, func(t *testing.T) { checkBound(t, c, form) })
			}
		})
	}
}

func checkBound(t *testing.T, c screenCase, form string) {
	t.Helper()
	screen, err := fused.NewScreenOf(c.head, form, 1)
	if err != nil {
		t.Fatal(err)
	}
	bare := c.head
	bare.Bias = make([]float32, bare.Vocab)
	top := make([]float32, bare.Vocab)
	for i, text := range c.texts {
		bounds, ok := screen.Bounds(text)
		if !ok {
			continue
		}
		if err := bare.Max([]fused.Text{text}, top, nil, 1); err != nil {
			t.Fatal(err)
		}
		for v, b := range bounds {
			if float64(top[v]) > b {
				t.Fatalf("text %d row %d: the kernel gives %g, the bound is %g", i, v, top[v], b)
			}
			if math.IsNaN(b) || math.IsInf(b, 1) {
				continue
			}
			if top[v] != top[v] {
				t.Fatalf("text %d row %d: not a number, but the bound is %g", i, v, b)
			}
			if v%37 > 0 {
				continue
			}
			for tok := range min(text.Tokens, 4) {
				// 700 bits hold every sum of these products without rounding.
				exact := new(big.Float).SetPrec(700)
				for d := range bare.Dim {
					p := new(big.Float).SetPrec(700).SetFloat64(float64(text.Hidden[tok*bare.Dim+d]))
					exact.Add(exact, p.Mul(p, big.NewFloat(float64(bare.Weight[v*bare.Dim+d]))))
				}
				if exact.Cmp(big.NewFloat(b)) > 0 {
					t.Fatalf("text %d row %d token %d: exact product %g above the bound %g", i, v, tok, exact, b)
				}
			}
		}
	}
}

// Random shapes, scales and sparsity.
func FuzzScreen(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint8(seed), int8(seed%30-15))
	}
	f.Fuzz(func(t *testing.T, seed uint64, shape uint8, exponent int8) {
		r := rand.New(rand.NewPCG(seed, uint64(shape)))
		head, texts := world(seed, 1+r.IntN(200), 1+r.IntN(70), 1+r.IntN(70), 1+r.IntN(40))
		edge := r.Float64() * 5
		for v := range head.Bias {
			head.Bias[v] -= float32(edge * math.Sqrt(float64(head.Dim)))
		}
		by := float32(math.Pow(10, float64(exponent%20)))
		for i := range texts[0].Hidden {
			if r.IntN(8) == 0 {
				texts[0].Hidden[i] *= by
			}
		}
		for i := range head.Weight {
			if r.IntN(8) == 0 {
				head.Weight[i] *= by
			}
		}
		c := screenCase{head: head, texts: texts}
		for _, level := range fused.Levels() {
			func() {
				defer fused.SetLevel(level)()
				form := fused.Forms()[r.IntN(2)]
				checkBound(t, c, form)
				want, got := positive(t, c), make([]float32, 2*head.Vocab)
				screen, err := fused.NewScreenOf(head, form, 1)
				if err != nil {
					t.Fatal(err)
				}
				if err := screen.Positive(texts, got, 1+r.IntN(4)); err != nil {
					t.Fatal(err)
				}
				for i := range got {
					if !same(got[i], want[i]) {
						t.Fatalf("level %d, element %d: %g, want %g", level, i, got[i], want[i])
					}
				}
			}()
		}
	})
}

func TestScreeningPaysOnSparseTextsAndStopsOnDenseOnes(t *testing.T) {
	head, texts := world(8, 30000, 32, 40)
	for form, loose := range map[string]int64{"pairs": 50, "quads": 4} {
		t.Run(form, func(t *testing.T) { checkEffort(t, head, texts, form, loose) })
	}
}

// checkEffort holds survivors of screening to the active rows and one loose-th more.
func checkEffort(t *testing.T, head fused.Head, texts []fused.Text, form string, loose int64) {
	out := make([]float32, head.Vocab)
	for v := range head.Bias {
		head.Bias[v] = -4.2 * float32(math.Sqrt(32)) // few rows reach it
	}
	effort := func() (screened, survived, plain int64) {
		t.Helper()
		screen, err := fused.NewScreenOf(head, form, 1)
		if err != nil {
			t.Fatal(err)
		}
		screened, survived, plain, err = screen.Effort(texts, out, 1)
		if err != nil {
			t.Fatal(err)
		}
		return screened, survived, plain
	}
	active := int64(0)
	if screened, survived, plain := effort(); plain != 0 || screened != 30000 {
		t.Errorf("sparse: %d rows screened, %d not, want 30000 and 0", screened, plain)
	} else {
		for _, z := range out {
			if z > 0 {
				active++
			}
		}
		if active == 0 || survived < active || survived > active+active/loose+5 {
			t.Errorf("sparse: %d rows survive, of which %d are active: the bound is not tight", survived, active)
		}
	}
	clear(head.Bias)
	if screened, _, plain := effort(); screened > 30000/20 || screened+plain != 30000 {
		t.Errorf("dense: %d rows screened and %d not, want at most one in twenty screened", screened, plain)
	}
}
