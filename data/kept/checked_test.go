package kept_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"headroom/data/kept"
)

// written writes a large result, in pieces of different lengths.
func written(t *testing.T, text []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x", "y")
	err := kept.Store{}.WriteFile(name, func(to io.Writer) error {
		for n := 1; len(text) > 0; n = n*3 + 1 {
			piece := text[:min(n, len(text))]
			if _, err := to.Write(piece); err != nil {
				return err
			}
			text = text[len(piece):]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func noise(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	return text
}

func TestALargeResultIsReadAsItWasWritten(t *testing.T) {
	// A block has 4092 bytes, and 256 blocks are read at a time.
	for _, size := range []int{0, 1, 4091, 4092, 4093, 2 * 4092, 257*4092 + 5} {
		text := noise(size)
		f, err := kept.OpenFile(written(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if f.Size() != int64(size) {
			t.Errorf("%d bytes are said to be %d", size, f.Size())
		}
		if err := f.Verify(); err != nil {
			t.Error(err)
		}
		if got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size())); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
		for _, part := range [][2]int{{0, size + 1}, {size, 1}, {size / 2, 1}, {size / 3, size / 2}, {4091, 2}, {4092, 4092}} {
			at, p := part[0], make([]byte, part[1])
			n, err := f.ReadAt(p, int64(at))
			var want []byte
			if at < size {
				want = text[at:min(at+len(p), size)]
			}
			if !bytes.Equal(p[:n], want) || (n < len(p)) != errors.Is(err, io.EOF) || n == len(p) && err != nil {
				t.Errorf("%d bytes at %d of %d: read %d, %v", len(p), at, size, n, err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDamageOfALargeResultIsAnError flips bits, cuts the file and puts one block in the
// place of another.
func TestDamageOfALargeResultIsAnError(t *testing.T) {
	name := written(t, noise(4092+40))
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	damage := func(what string, text []byte) {
		t.Helper()
		if err := os.WriteFile(name, text, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := kept.OpenFile(name)
		if err == nil {
			_, err = io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
			if verified := f.Verify(); (verified == nil) != (err == nil) {
				t.Errorf("%s: read: %v, verified: %v", what, err, verified)
			}
			f.Close()
		}
		if !errors.Is(err, kept.ErrDamaged) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for at := 0; at < len(whole); at += 1 + at%13 {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1 << (at % 8)
		damage(fmt.Sprintf("a bit of byte %d", at), flipped)
	}
	for _, length := range []int{0, 1, 3, 4, 5, 4091, 4092, 4093, 4095, 4096, 4097, 4099, 4100, 4101, len(whole) - 1} {
		damage(fmt.Sprintf("cut to %d bytes", length), whole[:length])
	}
	damage("a byte more", append(bytes.Clone(whole), 0))
	damage("a block twice", append(bytes.Clone(whole[:4096]), whole...))
}

func TestAFileThatIsCutWhileItIsOpenIsDamaged(t *testing.T) {
	name := written(t, noise(3*4092))
	f, err := kept.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(name, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(make([]byte, 10), 4092); !errors.Is(err, kept.ErrDamaged) {
		t.Errorf("%v", err)
	}
}
