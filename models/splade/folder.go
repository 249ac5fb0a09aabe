package splade

import "headroom/models/hf"

// FormOf returns the form that a sentence-transformers folder states; nil gives SPLADE-max.
func FormOf(se *hf.SparseEncoder) Form {
	if se == nil {
		return Form{}
	}
	return Form{Sum: se.Pooling == "sum", Twice: se.Activation == "log1p_relu", TopK: se.MaxActive, TokenTopM: se.TokenTopM}
}

// Names are pooling and activation as sentence-transformers' files have them.
func (f Form) Names() (pooling, activation string) {
	pooling, activation = "max", "relu"
	if f.Sum {
		pooling = "sum"
	}
	if f.Twice {
		activation = "log1p_relu"
	}
	return pooling, activation
}
