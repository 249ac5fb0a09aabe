package evaluate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"headroom/runner/search"
)

// Documents keeps what documents were encoded to, for a further evaluation of the same
// model: on another split, or on a collection of the same corpus. It belongs to one state
// of one model's weights. A nil Documents keeps nothing.
type Documents struct {
	blocks map[[sha256.Size]byte][]search.Vector
	room   int // terms that may still be kept
}

// NewDocuments keeps at most so many terms of vectors, 8 bytes each. What is beyond them is
// encoded again.
func NewDocuments(terms int) *Documents {
	return &Documents{blocks: map[[sha256.Size]byte][]search.Vector{}, room: terms}
}

// encode is Encoder.EncodeDocuments, or what it gave for the same texts.
func (d *Documents) encode(ctx context.Context, enc *Encoder, texts []string, maxLength int, progress func(done, total int)) ([]search.Vector, error) {
	if d == nil {
		return enc.EncodeDocuments(ctx, texts, maxLength, progress)
	}
	key := textsKey(texts, maxLength)
	if vectors, ok := d.blocks[key]; ok {
		progress(len(texts), len(texts))
		return vectors, nil
	}
	vectors, err := enc.EncodeDocuments(ctx, texts, maxLength, progress)
	if err != nil {
		return nil, err
	}
	terms := 0
	for _, v := range vectors {
		terms += len(v.Terms)
	}
	if terms <= d.room {
		d.blocks[key] = vectors
		d.room -= terms
	}
	return vectors, nil
}

// textsKey tells lists of texts apart, and what they are cut to.
func textsKey(texts []string, maxLength int) [sha256.Size]byte {
	h := sha256.New()
	number := func(n int) { h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
	number(maxLength)
	for _, text := range texts {
		number(len(text))
		h.Write([]byte(text))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
