// Package vectors keeps documents' sparse vectors on the disk, so that a collection need not be encoded twice: not
// after a kill, not for further queries, not for another program that uses them.
//
// Vectors are in blocks, one file per block. A block's name is the digest of all that decides its vectors: the weights,
// the form, and the texts. So a block with the right name is the right one, whoever wrote it and for whatever
// collection, and none has to be brought up to date. It is written under another name, synced and renamed, and ends
// with its own SHA-256.
package vectors

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"

	"headroom/runner/search"
)

// Key is the digest of all that decides a block's vectors.
type Key [sha256.Size]byte

// String returns the key as it is in names of files.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// KeyOf returns the key of the vectors of texts that are cut to a number of tokens. of identifies the model and the
// form in which it encodes.
func KeyOf(of string, texts []string, maxLength int) Key {
	h := sha256.New()
	number := func(n int) { h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n))) }
	text := func(s string) {
		number(len(s))
		io.WriteString(h, s) // a hash returns no error
	}
	text("headroom vectors 1")
	text(of)
	number(maxLength)
	for _, s := range texts {
		text(s)
	}
	return Key(h.Sum(nil))
}

// head begins a block's file. After it come: the key; the number of documents and of their terms, as uint64; for each
// document the number of its terms and the differences of its ascending term ids, each less 1, as varints; all
// weights as float32; the SHA-256 of everything before. Numbers are little-endian.
const head = "headroom vectors 1\n"

// write writes a block.
func write(to io.Writer, key Key, block []search.Vector) error {
	h := sha256.New()
	out := io.MultiWriter(to, h)
	postings, text := 0, []byte{}
	for _, v := range block {
		if len(v.Terms) != len(v.Weights) {
			return fmt.Errorf("a vector has %d terms and %d weights", len(v.Terms), len(v.Weights))
		}
		postings += len(v.Terms)
		text = binary.AppendUvarint(text, uint64(len(v.Terms)))
		next := int64(0)
		for _, term := range v.Terms {
			if int64(term) < next {
				return fmt.Errorf("a vector has term %d where %d or more is allowed", term, next)
			}
			text = binary.AppendUvarint(text, uint64(int64(term)-next))
			next = int64(term) + 1
		}
	}
	opening := append([]byte(head), key[:]...)
	opening = binary.LittleEndian.AppendUint64(opening, uint64(len(block)))
	opening = binary.LittleEndian.AppendUint64(opening, uint64(postings))
	for _, part := range [][]byte{opening, text} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	text = text[:0]
	for i, v := range block {
		for _, w := range v.Weights {
			text = binary.LittleEndian.AppendUint32(text, math.Float32bits(w))
		}
		if len(text) < 1<<16 && i < len(block)-1 {
			continue
		}
		if _, err := out.Write(text); err != nil {
			return err
		}
		text = text[:0]
	}
	_, err := to.Write(h.Sum(nil))
	return err
}

// read reads a block that write wrote. The error says what is wrong with it.
func read(text []byte, key Key) ([]search.Vector, error) {
	const fixed = len(head) + sha256.Size + 16
	if len(text) < fixed+sha256.Size || string(text[:len(head)]) != head {
		return nil, fmt.Errorf("it does not begin as a block of vectors: %.20q", text)
	}
	body, sum := text[:len(text)-sha256.Size], text[len(text)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("its digest is %.16x…, it was made with %.16x…", got, sum)
	}
	body = body[len(head):]
	if !bytes.Equal(body[:sha256.Size], key[:]) {
		return nil, fmt.Errorf("it holds the block %.16x…", body[:sha256.Size])
	}
	body = body[sha256.Size:]
	documents, postings := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint64(body[8:])
	body = body[16:]
	// A document takes at least one byte, a term at least five: larger numbers cannot be
	// right.
	if documents > uint64(len(body)) || postings > uint64(len(body))/5 {
		return nil, fmt.Errorf("it has %d documents and %d terms in %d bytes", documents, postings, len(body))
	}
	weights := body[len(body)-4*int(postings):]
	body = body[:len(body)-len(weights)]
	number := func() (uint64, error) {
		n, used := binary.Uvarint(body)
		if used <= 0 {
			return 0, fmt.Errorf("it ends within its terms")
		}
		body = body[used:]
		return n, nil
	}
	block, terms, values := make([]search.Vector, documents), make([]uint32, postings), make([]float32, postings)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(weights[4*i:]))
	}
	for i := range block {
		n, err := number()
		if err != nil {
			return nil, err
		}
		if n > uint64(len(terms)) {
			return nil, fmt.Errorf("its documents have more than %d terms", postings)
		}
		v := search.Vector{Terms: terms[:n:n], Weights: values[:n:n]}
		terms, values = terms[n:], values[n:]
		next := uint64(0)
		for j := range v.Terms {
			step, err := number()
			if err != nil {
				return nil, err
			}
			if step > math.MaxUint32-next { // next is at most one above that
				return nil, fmt.Errorf("a term is above %d", uint32(math.MaxUint32))
			}
			v.Terms[j] = uint32(next + step)
			next += step + 1
		}
		block[i] = v
	}
	if len(terms) > 0 || len(body) > 0 {
		return nil, fmt.Errorf("%d terms and %d bytes are left over", len(terms), len(body))
	}
	return block, nil
}
