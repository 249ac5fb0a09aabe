package compare_test

import (
	"math"
	"reflect"
	"testing"

	"headroom/reports/compare"
)

func TestKText(t *testing.T) {
	for k, want := range map[float64]string{0.125: "1/8", 1.0 / 3: "1/3", 1: "1", 16: "16", 2.5: "2.5", 0.3: "0.3", 0: "?"} {
		if got := compare.KText(k); got != want {
			t.Errorf("KText(%v) = %q, want %q", k, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		compare.Score(0.66249): "0.662", compare.Signed(0.1): "+0.100", compare.Signed(-0.0001): "+0.000",
		compare.Score(math.NaN()): "?", compare.Quantity(330.25): "330", compare.Quantity(42): "42.0", compare.Quantity(4.256): "4.26",
		compare.Quantity(0): "0", compare.QuantityLike(0.07, 14.4): "0.1", compare.QuantityLike(2.4, 330): "2",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestParseSettings(t *testing.T) {
	got, err := compare.ParseSettings([]byte(`{"seed":1,"train":{"lr":2e-5,"steps":150},"evaluate":{"final":["a", "b"]},"model":{"rescale":"auto-norm","dropout":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []compare.Setting{{"evaluate.final", `["a","b"]`}, {"model.dropout", "null"}, {"model.rescale", "auto-norm"}, {"seed", "1"}, {"train.lr", "2e-5"}, {"train.steps", "150"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	for _, bad := range []string{"", "[1]", `{"a":1`, `{"a":1,"a":2}`, `{"a":1} x`, `{"a":{"b":}}`} {
		if _, err := compare.ParseSettings([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
