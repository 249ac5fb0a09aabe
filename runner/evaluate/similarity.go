package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"headroom/runner/search"
)

// Similarity returns how the model compares vectors: "dot", "cosine", "euclidean" or
// "manhattan".
func (e *Encoder) Similarity() string { return cmp.Or(e.similarity, "dot") }

// CheckSimilarity refuses a model whose comparison of vectors exact search cannot compute.
func (e *Encoder) CheckSimilarity() error {
	if s := e.Similarity(); s != "dot" && s != "cosine" {
		return fmt.Errorf("model %q: similarity_fn_name %q of config_sentence_transformers.json is not implemented; allowed: \"dot\", \"cosine\"", e.folder, s)
	}
	return nil
}

// scaleVectors returns vectors whose dot product is the model's similarity: for "cosine" each
// vector divided by its length, except vectors of zeros. The argument is not changed.
func (e *Encoder) scaleVectors(vectors []search.Vector) []search.Vector {
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
