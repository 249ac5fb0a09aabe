// Package loader turns training examples into batches of token ids, one per step, as a
// pure function of the step.
package loader

// Batch is the data of one optimizer step.
type Batch struct {
	// Queries are token ids, one text per query.
	Queries [][]int32
	// Documents are token ids in columns, as sentence-transformers orders them: first the
	// positives of all queries, then their first hard negatives, then their second ones.
	// Their number is a multiple of the queries'.
	Documents [][]int32
	// Scores are the scores of a teacher, [queries, documents per query], the positive's
	// first; nil if the examples have none.
	Scores []float32
}

// Columns is the number of documents per query: its positive and its hard negatives.
func (b Batch) Columns() int { return len(b.Documents) / len(b.Queries) }
