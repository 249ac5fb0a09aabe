package gunzip_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"headroom/internal/gunzip"
	"headroom/internal/testfile"
)

func TestTextsAreReadByTheirContent(t *testing.T) {
	long := strings.Repeat("a line of text\n", 20_000)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"plain":                 {[]byte("plain"), "plain"},
		"empty":                 {nil, ""},
		"one byte of the magic": {[]byte{0x1f}, "\x1f"},
		"gzipped":               {testfile.Gzip(t, long), long},
		"gzipped nothing":       {testfile.Gzip(t, ""), ""},
		"three members": {bytes.Join([][]byte{testfile.Gzip(t, "one "), testfile.Gzip(t, ""), testfile.Gzip(t, "two")}, nil),
			"one two"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []io.Reader{bytes.NewReader(c.data), iotest.OneByteReader(bytes.NewReader(c.data))} {
				r, err := gunzip.NewReader(from)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || string(got) != c.want {
					t.Errorf("got %d bytes and %v, want %d bytes", len(got), err, len(c.want))
				}
			}
		})
	}
}

func TestDamageIsCalledWhatItIs(t *testing.T) {
	whole := testfile.Gzip(t, strings.Repeat("a line of text\n", 100))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"cut in the text":     {whole[:len(whole)/2], "cut short"},
		"cut in the checksum": {whole[:len(whole)-3], "cut short"},
		"cut in the header":   {whole[:5], "cut short"},
		"a wrong checksum":    {flipped, "are damaged"},
		"a newline follows":   {append(bytes.Clone(whole), '\n'), "other bytes follow"},
		"text follows":        {append(bytes.Clone(whole), "more than ten bytes of text"...), "other bytes follow"},
		"a second, cut":       {append(bytes.Clone(whole), whole[:20]...), "cut short"},
		"a second, damaged":   {append(bytes.Clone(whole), 0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0), "are damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := gunzip.NewReader(bytes.NewReader(c.data))
			if err == nil {
				_, err = io.ReadAll(r)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestAReadersOwnErrorIsPassedOn(t *testing.T) {
	broken := errors.New("the disk is gone")
	whole := testfile.Gzip(t, "text")
	for _, data := range [][]byte{nil, whole[:4], whole} {
		r, err := gunzip.NewReader(io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)))
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: got %v", len(data), err)
		}
	}
}
