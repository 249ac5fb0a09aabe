package search

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"headroom/internal/atomic"
)

// SaveArrays writes the documents' vectors as numpy files into a new folder. indptr.npy (int64), indices.npy (int32)
// and data.npy (float32) are the rows of a sparse matrix [documents, vocabulary], for scipy's csr_matrix; ids.txt has
// the documents' ids, one per line, and words.txt the terms if they are words.
func (x *Index) SaveArrays(dir string) error {
	err := atomic.CreateFolder(dir, func(f *atomic.Folder) error {
		files := []struct {
			name  string
			write func(*bufio.Writer) error
		}{
			{"indptr.npy", x.writeRowEnds},
			{"indices.npy", func(w *bufio.Writer) error {
				return x.writeArray(w, "<i4", func(v Vector, i int) uint32 { return v.Terms[i] })
			}},
			{"data.npy", func(w *bufio.Writer) error {
				return x.writeArray(w, "<f4", func(v Vector, i int) uint32 { return math.Float32bits(v.Weights[i]) })
			}},
			{"ids.txt", func(w *bufio.Writer) error { return writeLines(w, x.Documents(), x.ids.at) }},
			{"words.txt", func(w *bufio.Writer) error {
				return writeLines(w, x.vocab, func(i int) string { return x.TermName(uint32(i)) })
			}},
		}
		if x.terms == nil {
			files = files[:len(files)-1]
		}
		for _, file := range files {
			err := f.WriteFile(file.name, func(w io.Writer) error {
				out := bufio.NewWriterSize(w, 1<<16)
				if err := file.write(out); err != nil {
					return err
				}
				return out.Flush()
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write arrays %q: %w", dir, err)
	}
	return nil
}

// writeArrayHead writes the head of a numpy file, format 1.0, of n numbers.
func writeArrayHead(w io.Writer, kind string, n uint64) error {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }", kind, n)
	const fixed, align = 10, 64 // bytes before the text; where the numbers begin
	padding := align - (fixed+len(text)+1)%align
	_, err := fmt.Fprintf(w, "\x93NUMPY\x01\x00%s%s%*s\n", binary.LittleEndian.AppendUint16(nil, uint16(len(text)+padding+1)), text, padding, "")
	return err
}

func (x *Index) writeRowEnds(w *bufio.Writer) error {
	if err := writeArrayHead(w, "<i8", uint64(x.Documents())+1); err != nil {
		return err
	}
	end := uint64(0)
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, end)); err != nil {
		return err
	}
	for _, v := range x.All() {
		end += uint64(len(v.Terms))
		if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, end)); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) writeArray(w *bufio.Writer, kind string, number func(v Vector, i int) uint32) error {
	if err := writeArrayHead(w, kind, x.postings); err != nil {
		return err
	}
	for _, v := range x.All() {
		for i := range v.Terms {
			if _, err := w.Write(binary.LittleEndian.AppendUint32(w.AvailableBuffer(), number(v, i))); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeLines(w *bufio.Writer, n int, line func(int) string) error {
	for i := range n {
		if _, err := w.WriteString(line(i) + "\n"); err != nil {
			return err
		}
	}
	return nil
}
