package search

import (
	"bufio"
	"encoding/json/jsontext"
	"fmt"
	"io"
	"strconv"
)

// WriteImpacts writes the format of Anserini's and Pyserini's JsonVectorCollection: one line
// {"id","contents","vector":{"<term>":n,…}} per document. n is the weight × 100, rounded; terms for which it is 0 are
// left out. Terms are words, or token ids if the index has these.
func (x *Index) WriteImpacts(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for id, v := range x.All() {
		var err error
		if line, err = jsontext.AppendQuote(append(line[:0], `{"id":`...), id); err != nil {
			return fmt.Errorf("write vector %q: %w", id, err)
		}
		line = append(line, `,"contents":"","vector":{`...)
		first := true
		for i, term := range v.Terms {
			n := impact(v.Weights[i])
			if n == 0 {
				continue
			}
			if !first {
				line = append(line, ',')
			}
			first = false
			if line, err = jsontext.AppendQuote(line, x.TermName(term)); err != nil {
				return fmt.Errorf("write vector %q: %w", id, err)
			}
			line = strconv.AppendUint(append(line, ':'), n, 10)
		}
		line = append(line, "}}\n"...)
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write vectors: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write vectors: %w", err)
	}
	return nil
}

// WriteVectors writes the vectors unchanged, for `headroom index` to read.
func (x *Index) WriteVectors(w io.Writer) error {
	if x.terms != nil {
		return fmt.Errorf("write vectors: the index's terms are words: they are written as impacts, or as arrays")
	}
	out := NewVectorWriter(w)
	for id, v := range x.All() {
		if err := out.Write(id, v); err != nil {
			return err
		}
	}
	return out.Flush()
}
