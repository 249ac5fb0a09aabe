package search_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/runner/search"
)

// three documents of token ids; a weight of 0.004 rounds to an impact of 0.
func three(t *testing.T) *search.Index {
	t.Helper()
	return build(t, []string{"d1", "d2", "d3"}, []search.Vector{
		{Terms: []uint32{2, 10}, Weights: []float32{1.5, 0.25}}, {Terms: []uint32{10}, Weights: []float32{0.004}}, {Terms: []uint32{2}, Weights: []float32{3}},
	}, 11)
}

func TestImpactsAreWeightsTimesAHundred(t *testing.T) {
	var out bytes.Buffer
	if err := three(t).WriteImpacts(&out); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"d1","contents":"","vector":{"2":150,"10":25}}` + "\n" + `{"id":"d2","contents":"","vector":{}}` + "\n" + `{"id":"d3","contents":"","vector":{"2":300}}` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestVectorsComeBackAsTheyWereRead(t *testing.T) {
	var out bytes.Buffer
	if err := three(t).WriteVectors(&out); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"d1","vector":{"2":1.5,"10":0.25}}` + "\n" + `{"id":"d2","vector":{"10":0.004}}` + "\n" + `{"id":"d3","vector":{"2":3}}` + "\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// The bytes are worked by hand from the format's protobuf definition: "10" comes before "2", documents as distances.
func TestCIFFByHand(t *testing.T) {
	var out bytes.Buffer
	if err := three(t).WriteCIFF(&out); err != nil {
		t.Fatal(err)
	}
	description := "sparse vectors, weights x 100 as frequencies"
	var want []byte
	message := func(parts ...string) {
		whole := strings.Join(parts, "")
		want = append(binary.AppendUvarint(want, uint64(len(whole))), whole...)
	}
	// 475 = 0xdb 0x03 as a varint; 475/3 as a double.
	average := string(binary.LittleEndian.AppendUint64(nil, 0x4063caaaaaaaaaab))
	message("\x08\x01", "\x10\x02", "\x18\x03", "\x20\x02", "\x28\x03", "\x30\xdb\x03", "\x39"+average, fmt.Sprintf("\x42%c%s", len(description), description))
	message("\x0a\x0210", "\x10\x01", "\x18\x19", "\x22\x02\x10\x19")                                        // document 0 is left out, being 0
	message("\x0a\x012", "\x10\x02", "\x18\xc2\x03", "\x22\x03\x10\x96\x01", "\x22\x05\x08\x02\x10\xac\x02") // 150, then two further 300
	message("\x12\x02d1", "\x18\xaf\x01")
	message("\x08\x01", "\x12\x02d2")
	message("\x08\x02", "\x12\x02d3", "\x18\xac\x02")
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("got\n%q\nwant\n%q", out.Bytes(), want)
	}
	heavy := build(t, []string{"d"}, []search.Vector{{Terms: []uint32{0}, Weights: []float32{3e7}}}, 0)
	if err := heavy.WriteCIFF(&out); err == nil || !strings.Contains(err.Error(), `term "0" of document "d"`) {
		t.Errorf("got %v", err)
	}
}

func TestArraysAreNumpys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "arrays")
	if err := three(t).SaveArrays(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		head string
		data any
	}{
		"indptr.npy":  {"{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }", []int64{0, 2, 3, 4}},
		"indices.npy": {"{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }", []int32{2, 10, 10, 2}},
		"data.npy":    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", []float32{1.5, 0.25, 0.004, 3}},
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		// numpy's format 1.0: ten bytes, then a dictionary padded with spaces to a multiple of 64, its last byte a line end.
		expected := append([]byte("\x93NUMPY\x01\x00\x76\x00"+want.head), bytes.Repeat([]byte(" "), 118-1-len(want.head))...)
		expected = append(expected, '\n')
		if expected, err = binary.Append(expected, binary.LittleEndian, want.data); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, expected) {
			t.Errorf("%s: got\n%q\nwant\n%q", name, got, expected)
		}
	}
	if ids, err := os.ReadFile(filepath.Join(dir, "ids.txt")); err != nil || string(ids) != "d1\nd2\nd3\n" {
		t.Errorf("%q, %v", ids, err)
	}
	if err := three(t).SaveArrays(dir); err == nil {
		t.Error("a folder was replaced")
	}
}
