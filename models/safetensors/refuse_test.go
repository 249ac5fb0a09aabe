package safetensors_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/models/safetensors"
)

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
