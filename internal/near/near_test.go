package near_test

import (
	"strings"
	"testing"

	"headroom/internal/near"
)

func TestDistances(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"recal", "recall", 1}, {"kitten", "sitting", 3}} {
		if got := near.Distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestOnlyALikeWordIsFound(t *testing.T) {
	words := []string{"train.steps", "train.lr", "seed"}
	for word, want := range map[string]string{"train.step": "train.steps", "sede": "seed", "something else": "", strings.Repeat("s", 101): ""} {
		if got := near.Word(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
