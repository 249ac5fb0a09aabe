package sweeps

import (
	"fmt"
	"strings"
)

// The names of baselines, in files and in commands.
const (
	BM25      = "bm25"
	Untrained = "untrained"
)

// Encoding holds every setting that decides a model's vectors besides its weights: how
// logits become vectors, and how many tokens of a text the model sees. The zero value
// stands for methods that encode nothing, such as BM25.
type Encoding struct {
	Pooling    string `json:"pooling"`
	Activation string `json:"activation"`
	TopK       int    `json:"top_k"` // terms kept per text; 0 is all
	// TokenTopM is the number of logits that a token keeps before pooling; 0 is all.
	TokenTopM   int `json:"token_top_m,omitempty"`
	MaxQuery    int `json:"max_query"`
	MaxDocument int `json:"max_document"`
	// Precision of the matrix products. Backends that compute in the same precision agree
	// within its rounding, so the backend itself does not enter an identity.
	Precision string `json:"precision"`
	// QueryPrompt and DocumentPrompt are put before texts; "" is nothing.
	QueryPrompt    string `json:"query_prompt,omitempty"`
	DocumentPrompt string `json:"document_prompt,omitempty"`
}

// EncodingOf returns the encoding of a run, with which its sweep also measures the untrained model.
func EncodingOf(c RunConfig) Encoding {
	query, document := c.Model.Prompts()
	return Encoding{
		Pooling: c.Model.Pooling, Activation: c.Model.Activation, TopK: c.Model.TopK, TokenTopM: c.Model.TokenTopM,
		MaxQuery: c.Data.MaxQuery, MaxDocument: c.Data.MaxDocument, Precision: c.Train.Precision,
		QueryPrompt: query, DocumentPrompt: document,
	}
}

// Form lists the settings, apart from the lengths, that differ from their defaults:
// "top_k 10, pooling sum", or "" if none differs.
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

// EncoderID identifies an encoder: its weights (a run's id, digests of a model, or the
// name of a method with its constants) and its encoding.
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

// EvaluationID is the identity of an evaluation: an encoder, the digest of a collection,
// one of its splits, and the version of the measures. The names of the collection and of
// the measures do not enter it: a name may come to mean other data, and more measures can
// be computed from the same ranking.
func EvaluationID(encoder, collection, split string, measures int) string {
	return string(digest(fmt.Sprintf("headroom evaluation 2\nencoder = %s\ncollection = %s\nsplit = %s\nmeasures = %d\n",
		encoder, quote(collection), quote(split), measures)))
}
