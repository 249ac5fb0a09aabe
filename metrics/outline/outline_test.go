package outline

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// withMeans is a series that is drawn with its moving means.
var withMeans = Drawn{Means: true}

func drawnAs(name string) Drawn {
	return AllDrawn()[slices.IndexFunc(AllDrawn(), func(d Drawn) bool { return d.Name == name })]
}

// long is a falling, noisy series of n points at every second step, with values of several powers
// of ten; broken ones have three stretches that are not finite.
func long(n int, broken bool) Series {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	var s Series
	for i := range n {
		s.Steps, s.Values = append(s.Steps, 2*i), append(s.Values, math.Exp(-12*float64(i)/float64(n))*(1+random.Float64()))
	}
	if broken {
		s.Values[0], s.Values[n-1] = math.NaN(), math.Inf(1)
		for i := n / 2; i < n/2+n/10; i++ {
			s.Values[i] = math.Inf(-1)
		}
	}
	return s
}

// equal compares two curves; NaN equals NaN.
func equal(a, b Series) bool {
	return slices.Equal(a.Steps, b.Steps) && slices.EqualFunc(a.Values, b.Values, func(x, y float64) bool {
		return x == y || math.IsNaN(x) && math.IsNaN(y)
	})
}

// TestReducedIsDrawnAsWhole draws series and what Reduce leaves of them: with as many points as
// fit into whole three hundredths, the drawings are the same.
func TestReducedIsDrawnAsWhole(t *testing.T) {
	for _, n := range []int{1, Most, Most + 1, 1234, 10_000} {
		for _, broken := range []bool{false, n > 1} {
			s := long(n, broken)
			whole, reduced := Curve{Series: s}, Reduce(s, withMeans)
			if got := len(reduced.Steps); got > Most {
				t.Errorf("%d of %d points are left", got, n)
			}
			if reduced.Last() != 2*(n-1) || reduced.Least() != whole.Least() {
				t.Errorf("%d points: the last step is %d and the least value %g, want %d and %g", n, reduced.Last(), reduced.Least(), 2*(n-1), whole.Least())
			}
			low, high := bounds(s.Values)
			if l, h := bounds(reduced.Values); l != low || h != high {
				t.Errorf("%d points: from %g to %g, want %g to %g", n, l, h, low, high)
			}
			for _, limit := range []int{Most, 450, 180, 60} {
				if got, want := reduced.Draw(limit), whole.Draw(limit); !equal(got, want) {
					t.Errorf("%d points drawn in %d are %v, want %v", n, limit, got, want)
				}
				for _, axis := range []Axis{{}, {Logarithmic: true, Low: low}, {Logarithmic: true, Low: low / 10}} {
					if got, want := reduced.DrawMean(limit, axis), whole.DrawMean(limit, axis); !equal(got, want) {
						t.Errorf("the mean of %d points drawn in %d on %+v is %v, want %v", n, limit, axis, got, want)
					}
				}
			}
		}
	}
}

// TestOddLimit: in other numbers of points a reduced curve still has the whole one's extremes and
// gaps, in ascending steps.
func TestOddLimit(t *testing.T) {
	s := long(10_000, true)
	reduced := Reduce(s, Drawn{})
	low, high := bounds(s.Values)
	for limit := 60; limit < Most; limit += 7 {
		got := reduced.Draw(limit)
		l, h := bounds(got.Values)
		if l != low || h != high || !slices.IsSorted(got.Steps) || len(got.Steps) > limit || len(got.Steps) < limit/2 {
			t.Errorf("in %d points: %d points from %g to %g, want %g to %g", limit, len(got.Steps), l, h, low, high)
		}
		if !math.IsNaN(got.Values[0]) || !slices.ContainsFunc(got.Values, func(v float64) bool { return math.IsInf(v, -1) }) || !slices.ContainsFunc(got.Values, func(v float64) bool { return math.IsInf(v, 1) }) {
			t.Errorf("in %d points a gap is lost", limit)
		}
	}
	if got := reduced.DrawMean(60, Axis{}); len(got.Steps) > 0 {
		t.Errorf("means that were not kept are drawn: %v", got)
	}
}

// TestFloor: half of the series is 0, half is 1. On a logarithmic axis whose end is above some
// value, a 0 counts as the curve's own end: its least positive value, here 0.001, or a ten
// thousandth of its greatest, if that is more.
func TestFloor(t *testing.T) {
	for _, c := range []struct{ least, floor float64 }{{1e-3, 1e-3}, {1e-6, 1e-4}} {
		var s Series
		for i := range 1000 {
			s.Steps, s.Values = append(s.Steps, i), append(s.Values, float64(i/500))
		}
		s.Values[999] = c.least
		got := Reduce(s, withMeans).DrawMean(Most, Axis{Logarithmic: true, Low: 0.1})
		if want := (Curve{Series: s}).DrawMean(Most, Axis{Logarithmic: true, Low: c.floor}); !equal(got, want) {
			t.Errorf("with %g the mean is %v, want %v", c.least, got, want)
		}
		// By hand: the window of the first step has nothing but zeros, that of the last one 20 values of 1 and the least.
		if first, last := got.Values[0], got.Values[len(got.Values)-1]; math.Abs(first/c.floor-1) > 1e-12 || math.Abs(last/math.Pow(c.floor, 1./21)-1) > 1e-12 {
			t.Errorf("with %g the mean is from %g to %g, want %g and %g", c.least, first, last, c.floor, math.Pow(c.floor, 1./21))
		}
	}
	s := Series{make([]int, 1000), make([]float64, 1000)}
	zero := Reduce(Series{s.Steps, make([]float64, 1000)}, withMeans).DrawMean(Most, Axis{Logarithmic: true, Low: 0.1})
	if low, high := bounds(zero.Values); low != 0 || high != 0 {
		t.Errorf("the mean of zeros is from %g to %g", low, high)
	}
}

// TestLowEnd: a loss that began at 16,000 and ends at 0.05 is drawn down to its end, not to a ten
// thousandth of its beginning; below 0.03 nothing more of it is shown. A regularizer, which
// begins at 0, is shown for four decades.
func TestLowEnd(t *testing.T) {
	for _, c := range []struct {
		name                 string
		least, greatest, end float64
	}{
		{"loss/contrastive", 0.05, 16_000, 0.05}, {"loss/contrastive", 1e-5, 16_000, 0.03}, {"loss/contrastive", 1e-5, 40, 0.004},
		{"loss/margin_mse", 1e-5, 1e8, 0.03}, {"loss/kl", 2, 16_000, 2},
		{"loss/reg_query", 1e-9, 16_000, 1.6}, {"loss/reg_document", 0.5, 1, 0.5},
	} {
		if got := drawnAs(c.name).LowEnd(c.least, c.greatest); math.Abs(got/c.end-1) > 1e-12 {
			t.Errorf("%s from %g to %g is drawn from %g on, want %g", c.name, c.least, c.greatest, got, c.end)
		}
	}
	s := Series{Steps: make([]int, 1000), Values: make([]float64, 1000)}
	for i := range 1000 {
		s.Steps[i], s.Values[i] = i, 16_000
		if i >= 500 {
			s.Values[i] = 0.05
		}
	}
	s.Values[700] = 0 // so that the axis has an end
	got := Reduce(s, drawnAs("loss/contrastive")).DrawMean(Most, Axis{Logarithmic: true, Low: 1})
	if last := got.Values[len(got.Values)-1]; math.Abs(last/0.05-1) > 1e-12 {
		t.Errorf("the mean of a reduced loss ends at %g, want 0.05", last)
	}
}

func TestEncode(t *testing.T) {
	zeros := Series{long(1000, false).Steps, make([]float64, 1000)}
	for _, c := range []Curve{{}, Reduce(long(3, true), withMeans), Reduce(long(5000, true), withMeans), Reduce(long(5000, false), Drawn{}), Reduce(zeros, withMeans)} {
		text := c.Encode()
		got, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if !equal(got.Series, c.Series) || got.Last() != c.Last() || got.Least() != c.Least() || (got.reduced == nil) != (c.reduced == nil) {
			t.Errorf("%v was read as %v", c, got)
		}
		if c.reduced != nil && (!slices.Equal(got.reduced.places, c.reduced.places) || got.reduced.points != c.reduced.points || got.reduced.floor != c.reduced.floor) {
			t.Errorf("%v was read as %v", c.reduced, got.reduced)
		}
		for _, axis := range []Axis{{}, {Logarithmic: true, Low: 1e-6}, {Logarithmic: true, Low: 1e-2}} {
			if got, want := got.DrawMean(60, axis), c.DrawMean(60, axis); !equal(got, want) {
				t.Errorf("the mean on %+v was %v and is read as %v", axis, want, got)
			}
		}
		if !reflect.DeepEqual(got.Encode(), text) {
			t.Error("what was read is written as other bytes")
		}
		for n := range text {
			if _, err := Decode(text[:n]); err == nil {
				t.Fatalf("%d of %d bytes were read", n, len(text))
			}
		}
		for _, other := range [][]byte{append(slices.Clone(text), 0), append([]byte{Version + 1}, text[1:]...)} {
			if _, err := Decode(other); err == nil {
				t.Error("a byte too many or another version was read")
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Reduce(long(5000, true), withMeans).Encode())
	f.Add(Reduce(long(3, false), withMeans).Encode())
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Decode(text)
		if err != nil {
			return
		}
		c.Draw(60)
		c.DrawMean(60, Axis{Logarithmic: true, Low: 1})
	})
}
