package train

// Vectors are a model's vectors of some texts, without dropout.
type Vectors struct {
	// Weights [texts, vocab] are the term weights.
	Weights []float32
	// Logits [texts, vocab] are the largest logit of each term, and Positions the first token
	// that has it. Both are nil under sum pooling, where no single logit decides a weight.
	Logits    []float32
	Positions []int32
}
