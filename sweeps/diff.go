package sweeps

import "reflect"

// Change is one key in which two configurations differ; A and B are TOML
// literals, "" if the key is not set.
type Change struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
	// Semantic reports whether the key can change the result of a run.
	Semantic bool `json:"semantic"`
}

// Diff lists where two configurations differ, in the order of Keys.
func Diff(a, b RunConfig) []Change {
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	selects := a.Selects() || b.Selects()
	var changes []Change
	for _, f := range runFields() {
		if x, y := literal(f.of(va)), literal(f.of(vb)); x != y {
			semantic := f.identity == "" || f.identity == "stop" && (a.Stability.Stop || b.Stability.Stop) ||
				f.identity == "select" && selects && (f.key != "evaluate.measures" || firstMeasure(a.Evaluate.Measures) != firstMeasure(b.Evaluate.Measures))
			changes = append(changes, Change{Key: f.key, A: x, B: y, Semantic: semantic})
		}
	}
	return changes
}
