package sweeps

import (
	"fmt"
	"strings"
)

// EncodingOptions are the choices between a model and its vectors that change
// what an evaluation measures.
type EncodingOptions struct {
	// Split is the part of the collection that is judged.
	Split string
	// MaxQuery and MaxDocument are lengths in tokens; 0 where nothing is encoded.
	MaxQuery, MaxDocument int
	// TopK is the number of terms kept a text; 0 is all.
	TopK int
	// QueryPrompt and DocumentPrompt are put before texts; "" is nothing, and not in the id.
	QueryPrompt, DocumentPrompt string
}

// EncodingOf is how a run's own evaluation encodes.
func EncodingOf(c RunConfig, split string) EncodingOptions {
	query, document := c.Model.Prompts()
	return EncodingOptions{
		Split: split, MaxQuery: c.Data.MaxQuery, MaxDocument: c.Data.MaxDocument, TopK: c.Model.TopK, QueryPrompt: query, DocumentPrompt: document,
	}
}

// EvaluationID is the identity of an evaluation: of what (a run's id, a model's
// digest, or a named method with its constants), on what data, encoded how, by
// which version of the measures. The names of the measures are not in it: more
// of them can be computed from the same ranking.
func EvaluationID(of, data string, enc EncodingOptions, measures int) string {
	var b strings.Builder
	b.WriteString("headroom evaluation 1\n")
	fmt.Fprintf(&b, "of = %s\ndata = %s\nsplit = %s\n", quote(of), quote(data), quote(enc.Split))
	fmt.Fprintf(&b, "max_query = %d\nmax_document = %d\ntop_k = %d\n", enc.MaxQuery, enc.MaxDocument, enc.TopK)
	if enc.QueryPrompt != "" {
		fmt.Fprintf(&b, "query_prompt = %s\n", quote(enc.QueryPrompt))
	}
	if enc.DocumentPrompt != "" {
		fmt.Fprintf(&b, "document_prompt = %s\n", quote(enc.DocumentPrompt))
	}
	fmt.Fprintf(&b, "measures = %d\n", measures)
	return string(digest(b.String()))
}
