package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/models/safetensors"
)

// file writes a safetensors file from a header's text and its data, with the right length in front.
func file(t testing.TB, header string, data []byte) string {
	t.Helper()
	return raw(t, image(header, data))
}

func image(header string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func raw(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadsAFileWrittenByHand(t *testing.T) {
	// The order of the header is not the order of the data, and the header ends in padding.
	path := file(t, `{"b":{"dtype":"I64","shape":[2],"data_offsets":[12,28]},"__metadata__":{"format":"pt"},`+
		`"a":{"shape":[1,3],"dtype":"F32","data_offsets":[0,12]},"none":{"dtype":"F32","shape":[0,7],"data_offsets":[28,28]}}   `,
		slices.Concat(f32(1, -2.5, float32(math.Inf(1))), i64(7, -9)))
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Names(); !slices.Equal(got, []string{"a", "b", "none"}) {
		t.Errorf("names are %v", got)
	}
	if got := f.Metadata(); len(got) != 1 || got["format"] != "pt" {
		t.Errorf("metadata is %v", got)
	}
	a, err := f.Float32("a")
	if err != nil || !slices.Equal(a, []float32{1, -2.5, float32(math.Inf(1))}) {
		t.Errorf("a is %v, %v", a, err)
	}
	b, err := safetensors.Values[int64](f, "b")
	if err != nil || !slices.Equal(b, []int64{7, -9}) {
		t.Errorf("b is %v, %v", b, err)
	}
	if dtype, shape, ok := f.Info("none"); !ok || dtype != safetensors.F32 || !slices.Equal(shape, []int{0, 7}) {
		t.Errorf("none is %v %v %v", dtype, shape, ok)
	}
	if none, err := f.Float32("none"); err != nil || len(none) != 0 {
		t.Errorf("none holds %v, %v", none, err)
	}
	if _, _, ok := f.Info("c"); ok {
		t.Error("an unknown name has a type")
	}
	if _, err := f.Float32("b"); err == nil || !strings.Contains(err.Error(), "I64") {
		t.Errorf("reading I64 as float32: %v", err)
	}
	if _, err := safetensors.Values[int32](f, "b"); err == nil {
		t.Error("reading I64 as int32 is no error")
	}
	if _, err := f.Float32("c"); err == nil || !strings.Contains(err.Error(), `"c"`) || !strings.Contains(err.Error(), path) {
		t.Errorf("reading an unknown tensor: %v", err)
	}
}

func f32(values ...float32) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

func i64(values ...int64) []byte {
	var out []byte
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	return out
}

// TestHalfPrecision checks every one of the 65,536 patterns of both short types against arithmetic on their fields.
func TestHalfPrecision(t *testing.T) {
	data := make([]byte, 0, 1<<17)
	for i := range 1 << 16 {
		data = binary.LittleEndian.AppendUint16(data, uint16(i))
	}
	path := file(t, `{"h":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]},"b":{"dtype":"BF16","shape":[65536],"data_offsets":[131072,262144]}}`,
		slices.Concat(data, data))
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, split := range map[string]struct{ exponent, mantissa, bias int }{"h": {5, 10, 15}, "b": {8, 7, 127}} {
		got, err := f.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range got {
			want := decode(i, split.exponent, split.mantissa, split.bias)
			same := math.Float32bits(x) == math.Float32bits(float32(want))
			if math.IsNaN(want) {
				same = x != x
			}
			if !same {
				t.Fatalf("%s: pattern %#04x reads as %v, is %v", name, i, x, want)
			}
		}
	}
}

func decode(bits, exponentBits, mantissaBits, bias int) float64 {
	mantissa := bits & (1<<mantissaBits - 1)
	exponent := bits >> mantissaBits & (1<<exponentBits - 1)
	sign := 1.0
	if bits>>(mantissaBits+exponentBits) == 1 {
		sign = -1
	}
	switch {
	case exponent == 1<<exponentBits-1 && mantissa != 0:
		return math.NaN()
	case exponent == 1<<exponentBits-1:
		return math.Inf(int(sign))
	case exponent == 0:
		return math.Copysign(math.Ldexp(float64(mantissa), 1-bias-mantissaBits), sign)
	}
	return sign * math.Ldexp(float64(mantissa+1<<mantissaBits), exponent-bias-mantissaBits)
}

// badFiles are files that must be refused; each message must contain every one of the words.
var badFiles = []struct {
	name    string
	content []byte
	words   []string
}{
	{"empty file", nil, []string{"0 bytes"}},
	{"too short for a length", []byte{1, 2, 3}, []string{"3 bytes"}},
	{"header beyond the file", binary.LittleEndian.AppendUint64(nil, 50), []string{"header length 50", "beyond"}},
	{"header length of 2^63", binary.LittleEndian.AppendUint64(nil, 1<<63), []string{"header length", "limit"}},
	{"header length 0", image("", nil), []string{"not a safetensors file"}},
	{"a zip file", append([]byte("PK\x03\x04\x00\x00\x08\x08"), make([]byte, 100)...), []string{"header length"}},
	{"not JSON", image("{nope}", nil), []string{"not valid JSON"}},
	{"cut JSON", image(`{"a":{"dtype":"F32","shape":[1]`, nil), []string{"end"}},
	{"two documents", image(`{}{}`, nil), []string{"closing brace"}},
	{"a tensor that is no object", image(`{"a":3}`, nil), []string{`"a"`, "object"}},
	{"data cut off", image(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}`, f32(1, 2)), []string{`"a"`, "truncated"}},
	{"data left over", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, f32(1, 2)), []string{"byte 4", "8"}},
	{"overlap", image(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`,
		f32(1, 2, 3)), []string{`"b"`, `"a"`, "overlap"}},
	{"same bytes twice", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`,
		f32(1)), []string{`"b"`, "overlap"}},
	{"gap", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`,
		f32(1, 2, 3)), []string{`"b"`, "gap"}},
	{"gap at the start", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, f32(1, 2)), []string{`"a"`, "gap"}},
	{"end before begin", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, f32(1)), []string{`"a"`, "not in order"}},
	{"negative offset", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, f32(1)), []string{`"a"`, "not in order"}},
	{"three offsets", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, f32(1)), []string{`"a"`, "3 numbers"}},
	{"unknown dtype", image(`{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, `"F7"`, "BF16"}},
	{"dtype in lower case", image(`{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}`, f32(1)), []string{`"f32"`}},
	{"shape does not fit", image(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "needs 12"}},
	{"negative dimension", image(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "negative"}},
	{"product that wraps around", image(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil),
		[]string{`"a"`, "larger than any file"}},
	{"dimension beyond int64", image(`{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "shape"}},
	{"fractional dimension", image(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "shape"}},
	{"33 dimensions", image(`{"a":{"dtype":"F32","shape":[1`+strings.Repeat(",1", 32)+`],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "33 dimensions"}},
	{"name twice", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`,
		f32(1, 2)), []string{`"a"`, "twice"}},
	{"field twice", image(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "dtype", "twice"}},
	{"field missing", image(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "shape", "missing"}},
	{"field null", image(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, "shape", "null"}},
	{"field unknown", image(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, f32(1)), []string{`"a"`, `"x"`}},
	{"field in another case", image(`{"a":{"Dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, f32(1)), []string{`"a"`, `"Dtype"`}},
	{"metadata that is no text", image(`{"__metadata__":{"n":3}}`, nil), []string{"__metadata__"}},
}

func TestBadFilesAreRefused(t *testing.T) {
	for _, bad := range badFiles {
		t.Run(bad.name, func(t *testing.T) {
			path := raw(t, bad.content)
			f, err := safetensors.Open(path)
			if err == nil {
				f.Close()
				t.Fatal("is accepted")
			}
			for _, word := range append(bad.words, path) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("message lacks %q: %v", word, err)
				}
			}
		})
	}
	t.Run("a folder", func(t *testing.T) {
		if _, err := safetensors.Open(t.TempDir()); err == nil {
			t.Error("is accepted")
		}
	})
	t.Run("no such file", func(t *testing.T) {
		if _, err := safetensors.Open(filepath.Join(t.TempDir(), "x")); !os.IsNotExist(unwrapAll(err)) {
			t.Errorf("error is %v", err)
		}
	})
}

func unwrapAll(err error) error {
	for {
		inner, ok := err.(interface{ Unwrap() error })
		if !ok {
			return err
		}
		if _, ok := err.(*os.PathError); ok {
			return err
		}
		err = inner.Unwrap()
	}
}

func TestAnEmptyHeaderIsAFileWithoutTensors(t *testing.T) {
	f, err := safetensors.Open(file(t, "{}", nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Names()) != 0 {
		t.Error("it has tensors")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestReadsAfterCloseAreErrors(t *testing.T) {
	f, err := safetensors.Open(file(t, `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, f32(1)))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := f.Float32("a")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := f.Float32("a"); err == nil {
		t.Error("Float32 after Close is no error")
	}
	if kept[0] != 1 {
		t.Error("values do not outlive Close")
	}
}

// TestAFileCutWhileOpen: the mapping outlives the data; touching it must not kill the program.
func TestAFileCutWhileOpen(t *testing.T) {
	const n = 1 << 16
	path := filepath.Join(t.TempDir(), "f.safetensors")
	if err := safetensors.Write(path, []safetensors.Tensor{{Name: "a", Shape: []int{n}, Data: make([]float32, n)}}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32("a"); err == nil || !strings.Contains(err.Error(), "changed while") {
		t.Errorf("reading gives %v", err)
	}
}

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

// FuzzOpen: no input may panic, hang or be half accepted; what opens can be read whole.
func FuzzOpen(f *testing.F) {
	for _, bad := range badFiles {
		f.Add(bad.content)
	}
	f.Add(image(`{"a":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[],"data_offsets":[4,5]}}`, []byte("12345")))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := raw(t, content)
		file, err := safetensors.Open(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("message does not name the file: %v", err)
			}
			return
		}
		defer file.Close()
		total := 0
		for _, name := range file.Names() {
			dtype, shape, ok := file.Info(name)
			data, err := file.Bytes(name)
			if !ok || err != nil {
				t.Fatalf("tensor %q opens but does not read: %v", name, err)
			}
			n := dtype.Size()
			for _, d := range shape {
				n *= d
			}
			if n != len(data) {
				t.Fatalf("tensor %q has %d bytes for shape %v of %s", name, len(data), shape, dtype)
			}
			total += n
			if dtype == safetensors.F32 || dtype == safetensors.F16 || dtype == safetensors.BF16 {
				if _, err := file.Float32(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		if want := len(content) - 8 - int(binary.LittleEndian.Uint64(content)); total != want {
			t.Fatalf("the tensors have %d bytes, the file %d", total, want)
		}
	})
}

// BenchmarkFloat32 opens and reads a file of BERT-base's size (110 million float32) as a loader does.
func BenchmarkFloat32(b *testing.B) {
	const tensors, n = 110, 1_000_000
	path := filepath.Join(b.TempDir(), "big.safetensors")
	var all []safetensors.Tensor
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i)
	}
	for i := range tensors {
		all = append(all, safetensors.Tensor{Name: fmt.Sprint("t", i), Shape: []int{n}, Data: data})
	}
	if err := safetensors.Write(path, all, nil); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(4 * tensors * n)
	for b.Loop() {
		f, err := safetensors.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range f.Names() {
			values, err := f.Float32(name)
			if err != nil || values[n-1] != n-1 {
				b.Fatal(values[n-1], err)
			}
		}
		f.Close()
	}
}
