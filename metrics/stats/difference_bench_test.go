package stats_test

import (
	"testing"

	"headroom/metrics/stats"
)

// A report makes some dozens of these.
func BenchmarkCompare(b *testing.B) {
	w := worlds[0]
	a, c, others := w.draw(newRandom(1), 3, 700)
	for b.Loop() {
		if _, err := stats.Compare(a, c, others, .95); err != nil {
			b.Fatal(err)
		}
	}
}
