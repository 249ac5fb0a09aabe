package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"headroom/internal/atomic"
)

// Tensor is one array to write. With DType empty or F32 and Bytes nil, Data is written as F32; otherwise Bytes holds
// the little-endian elements of DType and Data must be nil.
type Tensor struct {
	Name  string
	Shape []int // empty: a scalar
	Data  []float32
	DType DType
	Bytes []byte
}

// Write puts the tensors into a file at path and replaces one that is there, whole or not at all (internal/atomic).
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	return write(atomic.Disk{}, path, tensors, metadata)
}

func write(disk atomic.Disk, path string, tensors []Tensor, metadata map[string]string) error {
	err := disk.WriteFile(path, func(w io.Writer) error { return Encode(w, tensors, metadata) })
	if err != nil {
		return fmt.Errorf("write safetensors %q: %w", path, err)
	}
	return nil
}

// Encode writes the content of a file. The order in the file is by element size, largest first, then by name, so that
// every tensor is aligned to its elements and the order of the arguments does not matter.
func Encode(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted, err := layout(tensors)
	if err != nil {
		return err
	}
	head, err := encodeHeader(sorted, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, t := range sorted {
		if err := writeData(w, t); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// layout checks the tensors and puts them in file order.
func layout(tensors []Tensor) ([]Tensor, error) {
	sorted := slices.Clone(tensors)
	names := map[string]bool{}
	for i := range sorted {
		t := &sorted[i]
		t.DType = cmp.Or(t.DType, F32)
		if err := checkTensor(*t); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if names[t.Name] {
			return nil, fmt.Errorf("tensor %q is given twice", t.Name)
		}
		names[t.Name] = true
	}
	slices.SortFunc(sorted, func(a, b Tensor) int {
		if d := b.DType.Size() - a.DType.Size(); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return sorted, nil
}

func checkTensor(t Tensor) error {
	if t.Name == metadataKey || t.Name == "" {
		return errors.New("is not a possible tensor name")
	}
	if t.DType.Size() == 0 {
		return fmt.Errorf("unknown dtype %q (known: %s)", t.DType, knownTypes())
	}
	if len(t.Shape) > maxRank {
		return fmt.Errorf("shape has %d dimensions, at most %d are allowed", len(t.Shape), maxRank)
	}
	want, err := byteCount(t.DType, t.Shape)
	if err != nil {
		return err
	}
	got := int64(len(t.Bytes))
	if t.Bytes == nil && t.DType == F32 {
		got = 4 * int64(len(t.Data))
	} else if t.Data != nil {
		return fmt.Errorf("has both Data and Bytes, or Data for dtype %s", t.DType)
	}
	if got != want {
		return fmt.Errorf("has %d bytes, shape %v of %s needs %d", got, t.Shape, t.DType, want)
	}
	return nil
}

// encodeHeader writes length and JSON, filled up with spaces so that the data begin at a multiple of eight.
func encodeHeader(sorted []Tensor, metadata map[string]string) ([]byte, error) {
	var buf bytes.Buffer
	buf.Write(make([]byte, 8))
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	value := func(v any) error {
		err := enc.Encode(v)
		buf.Truncate(buf.Len() - 1) // Encode ends with a line feed
		return err
	}
	buf.WriteByte('{')
	separator := ""
	if len(metadata) > 0 {
		buf.WriteString(`"` + metadataKey + `":`)
		if err := value(metadata); err != nil { // maps are written in key order
			return nil, err
		}
		separator = ","
	}
	at := int64(0)
	for _, t := range sorted {
		size, err := byteCount(t.DType, t.Shape)
		if err != nil {
			return nil, err
		}
		buf.WriteString(separator)
		separator = ","
		if err := value(t.Name); err != nil {
			return nil, err
		}
		buf.WriteByte(':')
		err = value(struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int64{at, at + size}})
		if err != nil {
			return nil, err
		}
		at += size
	}
	buf.WriteByte('}')
	for buf.Len()%8 != 0 {
		buf.WriteByte(' ')
	}
	head := buf.Bytes()
	if len(head)-8 > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is above the limit of %d", len(head)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(head, uint64(len(head)-8))
	return head, nil
}

func writeData(w io.Writer, t Tensor) error {
	if t.Bytes != nil || t.DType != F32 {
		_, err := w.Write(t.Bytes)
		return err
	}
	var chunk [1 << 14]byte
	for rest := t.Data; len(rest) > 0; {
		n := min(len(rest), len(chunk)/4)
		for i, x := range rest[:n] {
			binary.LittleEndian.PutUint32(chunk[4*i:], math.Float32bits(x))
		}
		if _, err := w.Write(chunk[:4*n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}
