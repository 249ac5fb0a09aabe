package source

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Parameters counts the numbers in a model's weight files, from their headers alone.
func (r *Resolver) Parameters(folder string) (int64, error) {
	names, err := weightFiles(folder)
	if err != nil {
		return 0, err
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = filepath.Join(folder, name)
	}
	text, err := r.Remember("parameters", paths, func() (string, error) {
		total := int64(0)
		for _, path := range paths {
			n, err := parametersOf(path)
			if err != nil {
				return "", err
			}
			total += n
		}
		return strconv.FormatInt(total, 10), nil
	})
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

func parametersOf(path string) (int64, error) {
	header, err := headerOf(path)
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for name, raw := range header {
		var tensor struct {
			Shape []int64 `json:"shape"`
		}
		if name == "__metadata__" {
			continue
		}
		if err := json.Unmarshal(raw, &tensor); err != nil {
			return 0, fmt.Errorf("read weights %s: tensor %q: %w", path, name, err)
		}
		n := int64(1)
		for _, side := range tensor.Shape {
			n *= side
		}
		total += n
	}
	return total, nil
}

// headerOf reads the length and the JSON at the head of a safetensors file.
func headerOf(path string) (map[string]json.RawMessage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read weights: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read weights: %w", err)
	}
	var length uint64
	if err := binary.Read(f, binary.LittleEndian, &length); err != nil {
		return nil, fmt.Errorf("read weights %s: shorter than a header's length", path)
	}
	if size := uint64(info.Size()); length > size-8 || length > 100<<20 {
		return nil, fmt.Errorf("read weights %s: the header claims %d bytes of a file of %d", path, length, size)
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(f, header); err != nil {
		return nil, fmt.Errorf("read weights %s: %w", path, err)
	}
	var tensors map[string]json.RawMessage
	if err := json.Unmarshal(header, &tensors); err != nil {
		return nil, fmt.Errorf("read weights %s: the header is not JSON: %w", path, err)
	}
	return tensors, nil
}
