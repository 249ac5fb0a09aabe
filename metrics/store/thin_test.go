package store_test

import (
	"math"
	"reflect"
	"testing"

	"headroom/metrics/event"
	"headroom/metrics/store"
)

func TestAThinCurveKeepsEverySpike(t *testing.T) {
	w := newSpace(t)
	l := w.attempt("a", 0)
	// Two buckets of four steps and a started one: a spike up, a dip, values that are none.
	for step, v := range []float64{5, 5, 90, 5, 4, -7, 4, math.NaN(), 3, math.Inf(1)} {
		w.Add(l, event.Step{Step: step, Values: map[string]event.Value{"loss": event.Value(v)}})
	}
	s := w.open()
	w.fold(s)
	got, err := s.Thin(t.Context(), id("a"), "loss", store.Span{From: 0, To: 100}, 4)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Thin{Bucket: 4, Last: 9,
		Steps: []int{0, 2, 4, 5, 8}, Values: []float64{5, 90, 4, -7, 3},
		At: []int{0, 5, 8}, Mean: []float64{26.25, 1.0 / 3, 3},
		NonFinite: []store.NonFinite{{Step: 7, Word: "nan"}, {Step: 9, Word: "+inf"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("buckets of 4:\n got %+v\nwant %+v", got, want)
	}
	got, err = s.Thin(t.Context(), id("a"), "loss", store.Span{From: 4, To: 7}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := (store.Thin{Bucket: 1, Last: 9, Steps: []int{4, 5, 6}, Values: []float64{4, -7, 4}, At: []int{4, 5, 6}, Mean: []float64{4, -7, 4}}); !reflect.DeepEqual(got, want) {
		t.Errorf("whole, steps 4 to 6:\n got %+v\nwant %+v", got, want)
	}
	for _, missing := range [][2]string{{id("a"), "no such series"}, {"no such run", "loss"}} {
		got, err := s.Thin(t.Context(), missing[0], missing[1], store.Span{To: 100}, 4)
		if err != nil || got.Last != -1 || len(got.Steps) != 0 {
			t.Errorf("%v: %+v, %v", missing, got, err)
		}
	}
	names, err := s.SeriesNames(t.Context(), id("a"))
	if err != nil || !reflect.DeepEqual(names, []string{"loss"}) {
		t.Errorf("series are %v, %v", names, err)
	}
}

func TestAMarkChangesWithItsRunAlone(t *testing.T) {
	w := newSpace(t)
	a, b := w.attempt("a", 0), w.attempt("b", 0)
	w.steps(a, 0, 3)
	w.steps(b, 0, 3)
	w.sweep("demo", "0001", member("a", 1), member("b", 4))
	s := w.open()
	marks := func() store.Marks {
		w.fold(s)
		m, err := s.Marks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := marks()
	if again := marks(); !reflect.DeepEqual(again, before) {
		t.Errorf("without news the marks change: %v, %v", before, again)
	}
	w.steps(b, 3, 4)
	after := marks()
	if after.Runs[id("a")] != before.Runs[id("a")] || after.Runs[id("b")] == before.Runs[id("b")] || after.Sweeps != before.Sweeps {
		t.Errorf("after a step of b: %v, before %v", after, before)
	}
	w.evaluation("runs/"+id("a")+"/evaluations", "e", "test", .5)
	if scored := marks(); scored.Runs[id("a")] == after.Runs[id("a")] {
		t.Error("an evaluation of a changes nothing of it")
	}
	w.sweep("demo", "0002", member("a", 1))
	if edited := marks(); edited.Sweeps == after.Sweeps {
		t.Error("another revision changes nothing of the sweeps")
	}
	some, err := s.RunsAmong(t.Context(), "demo", []string{id("b"), id("a"), id("c")})
	if err != nil || len(some) != 2 || some[0].Run != id("a") || some[1].Standing != store.Former {
		t.Errorf("among a, b and c: %+v, %v", some, err)
	}
}
