package train

// Vectors are what a model makes of some texts, without dropout.
type Vectors struct {
	// Weights [texts, vocab] are the term weights.
	Weights []float32
	// Logits [texts, vocab] are the largest logit of each term, and Positions the first token
	// that has it. Both are nil under sum pooling, where no logit is the one that counts.
	Logits    []float32
	Positions []int32
}
