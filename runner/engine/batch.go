package engine

import (
	"fmt"

	"headroom/models/hf"
	"headroom/models/splade/fused"
)

// Batch is a padded batch of token ids.
type Batch struct {
	IDs     Buffer[int32] // [batch, tokens], padded
	Lengths Buffer[int32] // [batch]
	Tokens  int           // padded length
}

// paddings are the lengths to which batches are padded: few, so that few graphs
// are compiled, and close together if texts are short.
var paddings = [...]int{8, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 224, 256, 320, 384, 512, 768, 1024, 2048, 4096, 8192}

// PaddedLength returns the padded length of a batch with a longest text.
func PaddedLength(longest, limit int) int {
	for _, n := range paddings {
		if n >= longest {
			return max(longest, min(n, limit))
		}
	}
	return longest
}

// NewBatch checks and pads texts of token ids. limit is the length of the longest
// text that the model takes. An id outside the vocabulary is an error here, because
// a graph would silently read another row.
func NewBatch(e *Engine, texts [][]int32, vocab, pad, limit int) (*Batch, error) {
	longest := 0
	for _, ids := range texts {
		longest = max(longest, len(ids))
	}
	return newBatch(e, texts, e.PaddedLength(longest, limit), vocab, pad, limit)
}

// NewBatchOf is NewBatch with the padded length given.
func NewBatchOf(e *Engine, texts [][]int32, tokens int, cfg hf.Config) (*Batch, error) {
	return newBatch(e, texts, tokens, cfg.Vocab, cfg.PadID, min(tokens, cfg.MaxTokens()))
}

func newBatch(e *Engine, texts [][]int32, tokens, vocab, pad, limit int) (*Batch, error) {
	for i, ids := range texts {
		if len(ids) == 0 {
			return nil, fmt.Errorf("make batch: text %d has no tokens", i)
		}
		if len(ids) > limit {
			return nil, fmt.Errorf("make batch: text %d has %d tokens; the model takes %d", i, len(ids), limit)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= vocab {
				return nil, fmt.Errorf("make batch: text %d has token id %d; the vocabulary has %d", i, id, vocab)
			}
		}
	}
	b := &Batch{Tokens: tokens}
	var err error
	if b.IDs, err = NewBuffer[int32](e, len(texts), b.Tokens); err != nil {
		return nil, err
	}
	if b.Lengths, err = NewBuffer[int32](e, len(texts)); err != nil {
		return nil, err
	}
	for i, ids := range texts {
		row := b.IDs.Values[i*b.Tokens : (i+1)*b.Tokens]
		for j := copy(row, ids); j < len(row); j++ {
			row[j] = int32(max(pad, 0))
		}
		b.Lengths.Values[i] = int32(len(ids))
	}
	return b, nil
}

// Size is the number of texts.
func (b *Batch) Size() int { return len(b.Lengths.Values) }

// Free returns the batch's memory.
func (b *Batch) Free() {
	b.IDs.Free()
	b.Lengths.Free()
}

// Texts returns views of hidden states [batch, tokens, dim] without their padding.
func (b *Batch) Texts(hidden []float32, dim int) []fused.Text {
	texts := make([]fused.Text, b.Size())
	for i := range texts {
		n := int(b.Lengths.Values[i])
		start := i * b.Tokens * dim
		texts[i] = fused.Text{Hidden: hidden[start : start+n*dim], Tokens: n}
	}
	return texts
}
