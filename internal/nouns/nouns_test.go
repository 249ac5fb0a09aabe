package nouns_test

import (
	"testing"

	"headroom/internal/nouns"
)

func TestOnlyOneIsSingular(t *testing.T) {
	for n, want := range map[int]string{0: "0 runs, 0 queries", 1: "1 run, 1 query", 2: "2 runs, 2 queries", -1: "-1 runs, -1 queries"} {
		if got := nouns.Count(n, "run") + ", " + nouns.CountOf(n, "query", "queries"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
