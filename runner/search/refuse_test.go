package search_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"headroom/runner/search"
)

func TestBadVectorsAreRefused(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	index := build(t, []string{"a"}, []search.Vector{{Terms: []uint32{0}, Weights: []float32{1}}}, 10)
	for want, bad := range map[string]search.Vector{
		"2 terms but 1 weights":   {Terms: []uint32{1, 2}, Weights: []float32{1}},
		"term 1 comes after":      {Terms: []uint32{2, 1}, Weights: []float32{1, 1}},
		"term 2 comes after":      {Terms: []uint32{2, 2}, Weights: []float32{1, 1}},
		"term 2 has weight NaN":   {Terms: []uint32{2}, Weights: []float32{nan}},
		"term 2 has weight +Inf":  {Terms: []uint32{2}, Weights: []float32{inf}},
		"term 2 has weight -1":    {Terms: []uint32{2}, Weights: []float32{-1}},
		"term 2 has weight 0":     {Terms: []uint32{2}, Weights: []float32{0}},
		"outside of the vocabula": {Terms: []uint32{10}, Weights: []float32{1}},
	} {
		if _, err := search.Build([]string{"id7"}, []search.Vector{bad}, 10); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "id7") {
			t.Errorf("building: got %v, want an error with %q", err, want)
		}
		if strings.HasPrefix(want, "outside") {
			continue // a query may have terms that no document has
		}
		if _, err := index.SearchAll(context.Background(), []search.Vector{{}, bad}, 1, 1); err == nil || !strings.Contains(err.Error(), "query 1: ") {
			t.Errorf("searching: got %v, want an error with %q", err, want)
		}
		if hits := index.Search(bad, 1); hits != nil {
			t.Errorf("a bad query found %v", hits)
		}
	}
	if _, err := index.SearchAll(context.Background(), nil, 0, 1); !errors.Is(err, search.ErrCutoff) {
		t.Errorf("k 0: %v", err)
	}
	if _, err := search.Build([]string{"a"}, nil, 1); err == nil {
		t.Error("an id without a vector was taken")
	}
	twice := new(search.DuplicateError)
	if _, err := search.Build([]string{"a", "b", "a"}, make([]search.Vector, 3), 1); !errors.As(err, &twice) || twice.First != 0 || twice.Second != 2 {
		t.Errorf("a document twice: %v", err)
	}
}

func TestATooLargeIndexIsRefusedEarly(t *testing.T) {
	dense := search.Vector{Terms: make([]uint32, 1000), Weights: make([]float32, 1000)}
	for i := range dense.Terms {
		dense.Terms[i], dense.Weights[i] = uint32(i), 1
	}
	fill := func(options search.Options) (int, error) {
		builder := search.NewBuilder(options)
		for i := range 100_000 {
			if err := builder.Add(fmt.Sprint(i), dense); err != nil {
				return i, err
			}
		}
		return 0, nil
	}
	large := new(search.TooLargeError)
	at, err := fill(search.Options{MaxPostings: 1_500_500})
	if !errors.As(err, &large) || at != 1500 || large.Postings != 1_501_000 || large.Estimated || large.Mean != 1000 {
		t.Errorf("after %d documents: %v", at, err)
	}
	at, err = fill(search.Options{MaxPostings: 1_500_500, Documents: 100_000})
	if !errors.As(err, &large) || at != 999 || large.Postings != 100_000_000 || !large.Estimated {
		t.Errorf("after %d documents: %v", at, err)
	}
	if message := err.Error(); !strings.Contains(message, "100000000 postings") || !strings.Contains(message, "1000 terms per document") || !strings.Contains(message, "1500500") {
		t.Errorf("the message lacks a number: %s", message)
	}
}
