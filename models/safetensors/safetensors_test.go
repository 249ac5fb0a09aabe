package safetensors_test

import (
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
