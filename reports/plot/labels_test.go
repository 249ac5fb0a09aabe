package plot_test

import (
	"fmt"
	"testing"

	"headroom/reports/plot"
)

func TestLabelsOfManyFactorsDoNotTouch(t *testing.T) {
	for _, n := range []int{2, 4, 9, 21, 60, 200} {
		var texts []string
		for i := range n {
			texts = append(texts, fmt.Sprint(1+i*5))
		}
		labels := plot.DivisionLabels(texts, 520)
		for i := 1; i < len(labels); i++ {
			if gap := labels[i].Begin - labels[i-1].End; gap < 3 {
				t.Errorf("%d factors: %q and %q are %.1f points apart", n, labels[i-1].Text, labels[i].Text, gap)
			}
		}
		if n <= 21 && len(labels) != n+1 {
			t.Errorf("%d factors have %d labels, and there is room for all", n, len(labels))
		}
		if len(labels) < 8 && n >= 9 {
			t.Errorf("%d factors have %d labels only", n, len(labels))
		}
		if first := labels[0].Text; n <= 4 && (first != "as loaded" || labels[1].Text != "k = 1") || n == 21 && (first != "none" || labels[1].Text != "1") {
			t.Errorf("%d factors: %q and %q", n, first, labels[1].Text)
		}
	}
}
