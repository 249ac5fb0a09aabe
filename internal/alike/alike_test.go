package alike_test

import (
	"fmt"
	"slices"
	"testing"

	"headroom/internal/alike"
)

func TestManyOfOneKindAreOneLine(t *testing.T) {
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf(`/data/run-%d/log: line %d: "q%d" is damaged, sum 0a1b2c%02d`, i, i*7, i, i))
	}
	list := append([]string{"first"}, many...)
	list = append(list, "train.lr = -1: too small", "train.lr = -2.5e-3: too small", "loss.kind = \"x\": unknown")
	want := []string{"first", many[0] + " (and 39 more of this kind)", "train.lr = -1: too small", "train.lr = -2.5e-3: too small", "loss.kind = \"x\": unknown"}
	if got := alike.Lines(list); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := alike.Lines(many[:3]); !slices.Equal(got, many[:3]) {
		t.Errorf("three are shown as %q", got)
	}
}
