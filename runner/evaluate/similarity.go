package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"headroom/runner/search"
)

// Similarity is how the folder has vectors compared: "dot", "cosine", "euclidean" or
// "manhattan".
func (e *Encoder) Similarity() string { return cmp.Or(e.similarity, "dot") }

// CheckSimilarity refuses a model whose vectors are compared in a way that exact search
// cannot follow.
func (e *Encoder) CheckSimilarity() error {
	if s := e.Similarity(); s != "dot" && s != "cosine" {
		return fmt.Errorf("model %q: similarity_fn_name %q of config_sentence_transformers.json is not implemented; allowed: \"dot\", \"cosine\"", e.folder, s)
	}
	return nil
}

// scaled are vectors whose dot product is what the model compares them by: of a cosine
// each is divided by its length. A vector of zeros stays. The given ones do not change.
func (e *Encoder) scaled(vectors []search.Vector) []search.Vector {
	if e.Similarity() != "cosine" {
		return vectors
	}
	out := slices.Clone(vectors)
	for at, v := range vectors {
		var sum float64
		for _, w := range v.Weights {
			sum += float64(w) * float64(w)
		}
		if sum == 0 {
			continue
		}
		out[at].Weights = make([]float32, len(v.Weights))
		for i, w := range v.Weights {
			out[at].Weights[i] = float32(float64(w) / math.Sqrt(sum))
		}
	}
	return out
}
