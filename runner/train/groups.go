package train

import (
	"math"
	"strings"

	"headroom/metrics/event"
	"headroom/runner/engine"
)

// The groups of parameters for which gradients and updates are recorded, in their order.
const (
	embeddings = iota // of words, positions and types, with their norm; includes a tied decoder
	encoder           // the layers
	head              // of the language model: its transform, and a decoder that is its own parameter
	groups
)

func groupNames() [groups]string { return [groups]string{"embeddings", "encoder", "head"} }

// Sums are sums of squares over one group's elements: of the gradient before clipping, of
// the changes that an update makes, and of the weights before the update.
type Sums struct{ Gradient, Change, Weight float64 }

// NewSums makes sums of zero for every group.
func NewSums() []Sums { return make([]Sums, groups) }

// GroupsOf returns, for each of the model's parameters, the index of its group's sums.
func GroupsOf(m *engine.Model) []int {
	ofHead := map[string]bool{}
	for _, spec := range m.Config.Params() {
		ofHead[spec.Name] = spec.Head
	}
	list := make([]int, len(m.Params))
	for i, p := range m.Params {
		switch {
		case ofHead[p.Name]:
			list[i] = head
		case strings.Contains(p.Name, ".embeddings."):
			list[i] = embeddings
		default:
			list[i] = encoder
		}
	}
	return list
}

// RecordGroups records each group's gradient norm before clipping, and the L2 norm of its
// update over that of its weights. A group whose weights are all 0 has no such ratio.
func RecordGroups(values map[string]event.Value, sums []Sums) {
	for i, name := range groupNames() {
		s := sums[i]
		values["grad_norm/"+name] = event.Value(math.Sqrt(s.Gradient))
		if s.Weight != 0 {
			values["update_ratio/"+name] = event.Value(math.Sqrt(s.Change / s.Weight))
		}
	}
}
