package sweeps

import (
	"fmt"
	"strings"
)

// Encoding is how a model's logits become vectors and how many tokens of a text it
// sees: all that decides its vectors beside the weights. The zero value encodes
// nothing, as BM25.
type Encoding struct {
	Pooling    string `json:"pooling"`
	Activation string `json:"activation"`
	TopK       int    `json:"top_k"` // terms kept per text; 0 is all
	// TokenTopM is how many logits a token keeps before pooling; 0 is all.
	TokenTopM   int `json:"token_top_m,omitempty"`
	MaxQuery    int `json:"max_query"`
	MaxDocument int `json:"max_document"`
	// Precision of the matrix products. Backends that compute in one precision agree
	// within its rounding, so the backend itself is no part of an identity.
	Precision string `json:"precision"`
	// QueryPrompt and DocumentPrompt are put before texts; "" is nothing.
	QueryPrompt    string `json:"query_prompt,omitempty"`
	DocumentPrompt string `json:"document_prompt,omitempty"`
}

// EncodingOf is how a run encodes, and what its sweep measures the untrained model with.
func EncodingOf(c RunConfig) Encoding {
	query, document := c.Model.Prompts()
	return Encoding{
		Pooling: c.Model.Pooling, Activation: c.Model.Activation, TopK: c.Model.TopK, TokenTopM: c.Model.TokenTopM,
		MaxQuery: c.Data.MaxQuery, MaxDocument: c.Data.MaxDocument, Precision: c.Train.Precision,
		QueryPrompt: query, DocumentPrompt: document,
	}
}

// Form says in words how the form, apart from the lengths, differs from the default
// one: "top_k 10, pooling sum"; "" where it does not.
func (e Encoding) Form() string {
	usual := EncodingOf(Defaults())
	var parts []string
	add := func(name, value, usual string) {
		if value != usual {
			parts = append(parts, name+" "+value)
		}
	}
	add("top_k", fmt.Sprint(e.TopK), fmt.Sprint(usual.TopK))
	add("token_top_m", fmt.Sprint(e.TokenTopM), fmt.Sprint(usual.TokenTopM))
	add("pooling", e.Pooling, usual.Pooling)
	add("activation", e.Activation, usual.Activation)
	add("precision", e.Precision, usual.Precision)
	add("query_prompt", quote(e.QueryPrompt), quote(usual.QueryPrompt))
	add("document_prompt", quote(e.DocumentPrompt), quote(usual.DocumentPrompt))
	return strings.Join(parts, ", ")
}

// EncoderID identifies what makes vectors: weights (a run's id, digests of a model, or
// the name of a method with its constants) in one encoding.
func EncoderID(weights string, e Encoding) string {
	text := fmt.Sprintf("headroom encoder 1\nweights = %s\npooling = %s\nactivation = %s\ntop_k = %d\nmax_query = %d\nmax_document = %d\nprecision = %s\n",
		quote(weights), quote(e.Pooling), quote(e.Activation), e.TopK, e.MaxQuery, e.MaxDocument, quote(e.Precision))
	if e.TokenTopM != 0 {
		text += fmt.Sprintf("token_top_m = %d\n", e.TokenTopM)
	}
	if e.QueryPrompt != "" || e.DocumentPrompt != "" {
		text += fmt.Sprintf("query_prompt = %s\ndocument_prompt = %s\n", quote(e.QueryPrompt), quote(e.DocumentPrompt))
	}
	return string(digest(text))
}

// EvaluationID is the identity of an evaluation: an encoder, on the split of a
// collection with that digest, by a version of the measures. Neither the collection's
// name nor the names of the measures are in it: a name may come to mean other data,
// and more measures can be computed from the same ranking.
func EvaluationID(encoder, collection, split string, measures int) string {
	return string(digest(fmt.Sprintf("headroom evaluation 2\nencoder = %s\ncollection = %s\nsplit = %s\nmeasures = %d\n",
		encoder, quote(collection), quote(split), measures)))
}
