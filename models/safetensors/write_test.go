package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/safetensors"
)

func TestWriteAndReadBack(t *testing.T) {
	nan := math.Float32frombits(0x7fc00123)
	tensors := []safetensors.Tensor{
		{Name: "w", Shape: []int{2, 3}, Data: []float32{1, nan, float32(math.Copysign(0, -1)), 4, float32(math.Inf(-1)), 1e-45}},
		safetensors.Array("step", nil, []int64{-3}),
		safetensors.Array("random state", []int{2}, []uint64{1 << 63, 5}),
		safetensors.Array("ids", []int{3}, []uint32{1, 2, math.MaxUint32}),
		safetensors.Array("order", []int{1, 2}, []int32{-1, 1}),
		safetensors.Array("blob <é>\"\\", []int{5}, []uint8("hello")),
		safetensors.Array("double", []int{1}, []float64{math.Pi}),
		safetensors.Array("w2", []int{1}, []float32{7}),
		{Name: "half", Shape: []int{2}, DType: safetensors.BF16, Bytes: []byte{0x80, 0x3f, 0, 0}},
		{Name: "none", Shape: []int{0}},
	}
	path := filepath.Join(t.TempDir(), "state.safetensors")
	if err := safetensors.Write(path, tensors, map[string]string{"format": "pt", "a": "ü"}); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Metadata()["a"] != "ü" || len(f.Names()) != len(tensors) {
		t.Errorf("metadata %v, names %v", f.Metadata(), f.Names())
	}
	w, err := f.Float32("w")
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range tensors[0].Data {
		if math.Float32bits(w[i]) != math.Float32bits(x) {
			t.Errorf("w[%d] is %x, was %x", i, math.Float32bits(w[i]), math.Float32bits(x))
		}
	}
	check(t, f, "step", []int64{-3})
	check(t, f, "random state", []uint64{1 << 63, 5})
	check(t, f, "ids", []uint32{1, 2, math.MaxUint32})
	check(t, f, "order", []int32{-1, 1})
	check(t, f, "blob <é>\"\\", []uint8("hello"))
	check(t, f, "double", []float64{math.Pi})
	check(t, f, "w2", []float32{7})
	if half, err := f.Float32("half"); err != nil || half[0] != 1 || half[1] != 0 {
		t.Errorf("half is %v, %v", half, err)
	}
	if b, err := f.Bytes("half"); err != nil || !bytes.Equal(b, []byte{0x80, 0x3f, 0, 0}) {
		t.Errorf("half's bytes are %v, %v", b, err)
	}
	if _, shape, _ := f.Info("step"); len(shape) != 0 {
		t.Errorf("a scalar's shape is %v", shape)
	}

	t.Run("bytes do not depend on the order of the arguments", func(t *testing.T) {
		first, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(tensors)
		if err := safetensors.Write(path, tensors, map[string]string{"a": "ü", "format": "pt"}); err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Error("they differ")
		}
		if n := binary.LittleEndian.Uint64(first); n%8 != 0 {
			t.Errorf("the data begin at byte %d", 8+n)
		}
	})
	t.Run("nothing else is left in the folder", func(t *testing.T) {
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Errorf("folder holds %v, %v", entries, err)
		}
	})
}

func check[T safetensors.Element](t *testing.T, f *safetensors.File, name string, want []T) {
	t.Helper()
	got, err := safetensors.Values[T](f, name)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s is %v, %v; was %v", name, got, err, want)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, tensors := range map[string][]safetensors.Tensor{
		"too few values":         {{Name: "a", Shape: []int{3}, Data: []float32{1}}},
		"a negative dimension":   {{Name: "a", Shape: []int{-1}, Data: nil}},
		"a name twice":           {{Name: "a", Shape: []int{0}}, {Name: "a", Shape: []int{0}}},
		"no name":                {{Name: "", Shape: []int{0}}},
		"the metadata's name":    {{Name: "__metadata__", Shape: []int{0}}},
		"an unknown dtype":       {{Name: "a", DType: "F7", Bytes: []byte{}}},
		"Data with another type": {{Name: "a", DType: safetensors.I32, Shape: []int{1}, Data: []float32{1}}},
		"Data and Bytes":         {{Name: "a", Shape: []int{1}, Data: []float32{1}, Bytes: []byte{1, 2, 3, 4}}},
		"too few bytes":          {{Name: "a", DType: safetensors.I32, Shape: []int{1}, Bytes: []byte{1}}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f.safetensors")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := safetensors.Write(path, tensors, nil)
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error is %v", err)
			}
			if kept, _ := os.ReadFile(path); string(kept) != "old" {
				t.Error("the old file is gone")
			}
		})
	}
	t.Run("a folder that is not there", func(t *testing.T) {
		if err := safetensors.Write(filepath.Join(t.TempDir(), "x", "f"), nil, nil); err == nil {
			t.Error("is no error")
		}
	})
	t.Run("a target that is a folder leaves nothing behind", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.MkdirAll(filepath.Join(folder, "f", "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := safetensors.Write(filepath.Join(folder, "f"), nil, nil); err == nil {
			t.Error("is no error")
		}
		if entries, _ := os.ReadDir(folder); len(entries) != 1 {
			t.Errorf("folder holds %v", entries)
		}
	})
}
