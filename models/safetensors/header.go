package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxHeader is the largest header that is read. Real ones have a few hundred bytes per tensor; the format's own
// implementation has the same limit.
const maxHeader = 100 << 20

// maxRank bounds a shape's length.
const maxRank = 32

const metadataKey = "__metadata__"

// entry is one tensor of a header. Its bytes are data[begin:end], counted from the end of the header.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64
}

// header is a checked header: entries in the order of their data.
type header struct {
	entries  []entry
	metadata map[string]string
}

// parseHeader reads the JSON header of a file with dataSize bytes of tensor data and checks everything about it.
// Errors name the tensor but not the file.
func parseHeader(text []byte, dataSize int64) (*header, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New(`header does not begin with "{": not a safetensors file`)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	h := &header{metadata: map[string]string{}}
	seen := map[string]bool{}
	err := eachKey(dec, func(key string) error {
		if seen[key] {
			return fmt.Errorf("name %q occurs twice in the header", key)
		}
		seen[key] = true
		if key == metadataKey {
			return readMetadata(dec, h.metadata)
		}
		e, err := readEntry(dec, key)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", key, err)
		}
		h.entries = append(h.entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("header continues after its closing brace")
	}
	return h, h.checkLayout(dataSize)
}

// checkLayout sorts the entries by position and refuses gaps, overlaps, and data that no tensor owns.
func (h *header) checkLayout(dataSize int64) error {
	slices.SortStableFunc(h.entries, func(a, b entry) int {
		if a.begin != b.begin {
			return compare(a.begin, b.begin)
		}
		if a.end != b.end {
			return compare(a.end, b.end)
		}
		return strings.Compare(a.name, b.name)
	})
	at := int64(0)
	previous := "the header"
	for _, e := range h.entries {
		switch {
		case e.begin < at:
			return fmt.Errorf("tensor %q: data offsets [%d, %d] overlap those of %s, which end at %d",
				e.name, e.begin, e.end, previous, at)
		case e.begin > at:
			return fmt.Errorf("tensor %q: data offsets [%d, %d] leave a gap after %s, which ends at %d",
				e.name, e.begin, e.end, previous, at)
		case e.end > dataSize:
			return fmt.Errorf("tensor %q: data offsets [%d, %d] reach beyond the file's %d bytes of data (truncated?)",
				e.name, e.begin, e.end, dataSize)
		}
		at, previous = e.end, fmt.Sprintf("tensor %q", e.name)
	}
	if at != dataSize {
		return fmt.Errorf("the tensors end at byte %d of the data, the file has %d", at, dataSize)
	}
	return nil
}

func compare(a, b int64) int {
	if a < b {
		return -1
	}
	return 1
}

// readEntry reads one tensor's object. The three fields are required, others and repeats are refused.
func readEntry(dec *json.Decoder, name string) (entry, error) {
	e := entry{name: name}
	var dtype *string
	var shape, offsets *[]int64
	err := eachKey(dec, func(key string) error {
		switch key {
		case "dtype":
			return readOnce(dec, key, &dtype)
		case "shape":
			return readOnce(dec, key, &shape)
		case "data_offsets":
			return readOnce(dec, key, &offsets)
		}
		return fmt.Errorf("unknown field %q (known: dtype, shape, data_offsets)", key)
	})
	if err != nil {
		return e, err
	}
	switch {
	case dtype == nil:
		return e, errors.New("field dtype is missing")
	case shape == nil:
		return e, errors.New("field shape is missing")
	case offsets == nil:
		return e, errors.New("field data_offsets is missing")
	case len(*offsets) != 2:
		return e, fmt.Errorf("data_offsets has %d numbers, not 2", len(*offsets))
	case len(*shape) > maxRank:
		return e, fmt.Errorf("shape has %d dimensions, at most %d are allowed", len(*shape), maxRank)
	}
	e.dtype = DType(*dtype)
	if e.dtype.Size() == 0 {
		return e, fmt.Errorf("unknown dtype %q (known: %s)", *dtype, knownTypes())
	}
	e.shape = make([]int, len(*shape))
	for i, dim := range *shape {
		e.shape[i] = int(dim)
		if int64(e.shape[i]) != dim {
			return e, fmt.Errorf("dimension %d is too large for this machine", dim)
		}
	}
	e.begin, e.end = (*offsets)[0], (*offsets)[1]
	if e.begin < 0 || e.end < e.begin {
		return e, fmt.Errorf("data offsets [%d, %d] are not in order", e.begin, e.end)
	}
	want, err := byteCount(e.dtype, e.shape)
	if err != nil {
		return e, err
	}
	if got := e.end - e.begin; got != want {
		return e, fmt.Errorf("data offsets [%d, %d] hold %d bytes, shape %v of %s needs %d",
			e.begin, e.end, got, e.shape, e.dtype, want)
	}
	return e, nil
}

func readMetadata(dec *json.Decoder, into map[string]string) error {
	return eachKey(dec, func(key string) error {
		if _, twice := into[key]; twice {
			return fmt.Errorf("%s: key %q occurs twice", metadataKey, key)
		}
		var value *string
		if err := readOnce(dec, key, &value); err != nil {
			return fmt.Errorf("%s: %w", metadataKey, err)
		}
		into[key] = *value
		return nil
	})
}

// readOnce decodes the next value into a field that must be unset so far and may not be null.
func readOnce[T any](dec *json.Decoder, key string, into **T) error {
	if *into != nil {
		return fmt.Errorf("field %q occurs twice", key)
	}
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("field %q: %w", key, jsonFault(err))
	}
	if *into == nil {
		return fmt.Errorf("field %q is null", key)
	}
	return nil
}

// eachKey walks one JSON object. It calls fn after each key; fn must read the key's value. The standard decoder into
// a map would let the last of two equal keys win silently.
func eachKey(dec *json.Decoder, fn func(key string) error) error {
	t, err := dec.Token()
	if err != nil {
		return jsonFault(err)
	}
	if t != json.Delim('{') {
		return fmt.Errorf("expected a JSON object, found %v", t)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return jsonFault(err)
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("expected a key, found %v", t)
		}
		if err := fn(key); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return jsonFault(err)
	}
	return nil
}

// jsonFault returns an error that tells a header that ends early from one that is not JSON.
func jsonFault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("header ends in the middle of its JSON")
	}
	return fmt.Errorf("header is not valid JSON: %w", err)
}
