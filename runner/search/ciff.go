package search

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// impactScale is the factor on weights for programs that need integers. Anserini's collections of SPLADE vectors use
// the same.
const impactScale = 100

// impact is a weight as an integer; 0 means no posting.
func impact(weight float32) uint64 { return uint64(math.Round(float64(weight) * impactScale)) }

// TermName is the text of a term: its word, or the digits of its token id.
func (x *Index) TermName(term uint32) string {
	if x.terms != nil {
		return x.terms.words[term]
	}
	return strconv.FormatUint(uint64(term), 10)
}

// WriteCIFF writes the index in the Common Index File Format, version 1, which PISA, Anserini and other engines import:
// a header, a list of postings for each term, in byte order of the terms, and a record for each document. Each is a
// protobuf message after its length. The frequency of a term in CIFF is its weight × 100, rounded, at most 2³¹−1; a
// weight that rounds to 0 has no posting.
func (x *Index) WriteCIFF(w io.Writer) error {
	lengths, frequency := make([]uint64, x.Documents()), make([]uint64, x.vocab)
	for i := range x.blocks {
		b := &x.blocks[i]
		for _, l := range b.lists {
			for at := l.Start; at < l.Start+l.Count; at++ {
				n := impact(b.weight(at))
				if n > math.MaxInt32 {
					return fmt.Errorf("write ciff: term %q of document %q weighs %v: × %d it is no 32-bit integer", x.TermName(l.Term), x.ids.at(int(b.first)+int(b.docs[at])), b.weight(at), impactScale)
				}
				if n > 0 {
					lengths[int(b.first)+int(b.docs[at])] += n
					frequency[l.Term]++
				}
			}
		}
	}
	var terms []uint32
	for term, n := range frequency {
		if n > 0 {
			terms = append(terms, uint32(term))
		}
	}
	slices.SortFunc(terms, func(a, b uint32) int { return strings.Compare(x.TermName(a), x.TermName(b)) })
	total := uint64(0)
	for _, length := range lengths {
		total += length
	}
	out := bufio.NewWriterSize(w, 1<<16)
	message := func(m protobuf) {
		_, _ = out.Write(binary.AppendUvarint(nil, uint64(len(m)))) // out keeps its first error for Flush
		_, _ = out.Write(m)
	}
	var head protobuf
	head.number(1, 1)
	head.number(2, uint64(len(terms)))
	head.number(3, uint64(len(lengths)))
	head.number(4, uint64(len(terms)))
	head.number(5, uint64(len(lengths)))
	head.number(6, total)
	head.double(7, float64(total)/float64(max(1, len(lengths))))
	head.text(8, fmt.Sprintf("sparse vectors, weights x %d as frequencies", impactScale))
	message(head)
	for _, term := range terms {
		message(x.ciffList(term, frequency[term]))
	}
	for doc, length := range lengths {
		var record protobuf
		record.number(1, uint64(doc))
		record.text(2, x.ids.at(doc))
		record.number(3, length)
		message(record)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write ciff: %w", err)
	}
	return nil
}

// ciffList is a term's list, with each document as the distance from the previous one.
func (x *Index) ciffList(term uint32, frequency uint64) protobuf {
	var postings, posting protobuf
	sum, last := uint64(0), uint64(0)
	for i := range x.blocks {
		b := &x.blocks[i]
		l, found := b.find(term)
		if !found {
			continue
		}
		for at := l.Start; at < l.Start+l.Count; at++ {
			n := impact(b.weight(at))
			if n == 0 {
				continue
			}
			doc := uint64(b.first) + uint64(b.docs[at])
			posting = posting[:0]
			posting.number(1, doc-last)
			posting.number(2, n)
			postings.bytes(4, posting)
			sum, last = sum+n, doc
		}
	}
	var m protobuf
	m.text(1, x.TermName(term))
	m.number(2, frequency)
	m.number(3, sum)
	return append(m, postings...)
}

// protobuf is a message in the wire format of protocol buffers. Numbers that are 0 are left out.
type protobuf []byte

func (m *protobuf) number(field int, n uint64) {
	if n > 0 {
		*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3), n)
	}
}

func (m *protobuf) double(field int, x float64) {
	*m = binary.LittleEndian.AppendUint64(binary.AppendUvarint(*m, uint64(field)<<3|1), math.Float64bits(x))
}

func (m *protobuf) bytes(field int, data []byte) {
	*m = binary.AppendUvarint(binary.AppendUvarint(*m, uint64(field)<<3|2), uint64(len(data)))
	*m = append(*m, data...)
}

func (m *protobuf) text(field int, text string) { m.bytes(field, []byte(text)) }
