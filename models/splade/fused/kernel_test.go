package fused_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"headroom/models/splade/fused"
)

func TestKernelsAgreeToTheBitAndToTheToken(t *testing.T) {
	for _, c := range screenCases() {
		want, arg := make([]float32, len(c.texts)*c.head.Vocab), make([]int32, len(c.texts)*c.head.Vocab)
		if err := c.head.Max(c.texts, want, arg, 1); err != nil {
			t.Fatal(err)
		}
		eachLevel(t, func(t *testing.T) {
			got, at := make([]float32, len(want)), make([]int32, len(want))
			if err := c.head.Max(c.texts, got, at, 3); err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i] != want[i] && !(got[i] != got[i] && want[i] != want[i]) || at[i] != arg[i] {
					t.Fatalf("%s, element %d: %g of token %d, the best kernel says %g of %d", c.name, i, got[i], at[i], want[i], arg[i])
				}
			}
		})
	}
}

func TestPlainFusedOperationRoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	draw := func() float32 {
		switch r.IntN(4) {
		case 0:
			return math.Float32frombits(uint32(r.IntN(1<<24)) | uint32(r.IntN(2))<<31)
		case 1:
			return float32(r.IntN(1<<13)) * float32(math.Pow(2, float64(r.IntN(80)-100)))
		case 2:
			return 1 + float32(r.IntN(64))*0x1p-23
		}
		return float32(r.NormFloat64())
	}
	check := func(x, y, z float32) {
		exact := new(big.Float).SetPrec(2000).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
		want, _ := exact.SetPrec(2000).Add(exact, big.NewFloat(float64(z))).Float32()
		if got := fused.FMA(x, y, z); got != want {
			t.Fatalf("%g·%g + %g is %g, want %g", x, y, z, got, want)
		}
	}
	for range 30000 {
		x, y := draw(), draw()
		check(x, y, draw())
		// A product just off the middle between z and its neighbour.
		z := x * y * 0x1p24
		if half := (math.Nextafter32(z, math.MaxFloat32) - z) / 2; x != 0 && !math.IsInf(float64(z), 0) && math.Abs(float64(half)) > 0x1p-120 {
			check(half/4, 4*(1+0x1p-23), z)
			check(half, math.Nextafter32(1, 0), z)
			check(-half, math.Nextafter32(1, 2), z)
		}
	}
}

func TestAThreadMoreThanRowsAndNoTexts(t *testing.T) {
	head, texts := world(1, 3, 4, 2)
	screen, err := fused.NewScreen(head, 9)
	if err != nil {
		t.Fatal(err)
	}
	if err := screen.Positive(nil, nil, 2); err != nil {
		t.Error(err)
	}
	if err := screen.Positive(texts, make([]float32, 3), 9); err != nil {
		t.Error(err)
	}
	if err := screen.Positive(texts, make([]float32, 2), 1); err == nil {
		t.Error("a short output was taken")
	}
	head.Bias = nil
	if _, err := fused.NewScreen(head, 1); err == nil {
		t.Error("a head without biases was taken")
	}
}
