package lines_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/data/kept"
	"headroom/data/lines"
	"headroom/internal/testfile"
)

func open(t testing.TB, path string, store kept.Store) *lines.File {
	t.Helper()
	f, err := lines.Open(t.Context(), path, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// scan returns the lines as "number@place text" and the index of all of them.
func scan(t testing.TB, f *lines.File) (got []string, x lines.Index, sum string) {
	t.Helper()
	sum, err := f.Scan(func(l lines.Line) error {
		got = append(got, fmt.Sprintf("%d@%d %s", l.Number, l.At, l.Text))
		x.Add(l.At)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, x, sum
}

func TestLinesEndAsTheyEnd(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"plain":             {"a\nb\n", "1@0 a|2@2 b"},
		"no last line feed": {"a\nb", "1@0 a|2@2 b"},
		"Windows":           {"a\r\nb\r\n", "1@0 a|2@3 b"},
		"blank ones":        {"\n  \na\n\n\t\nb\n\n", "3@4 a|5@7 \t|6@9 b"},
		"a byte order mark": {"\ufeffa\n\ufeffb\n", "1@0 a|2@5 \ufeffb"},
		"nothing":           {"", ""},
		"a long one":        {strings.Repeat("x", 3<<20) + "\ny\n", "1@0 " + strings.Repeat("x", 3<<20) + "|2@3145729 y"},
	} {
		t.Run(name, func(t *testing.T) {
			sum := sha256.Sum256([]byte(c.text))
			for form, bytes := range map[string][]byte{"plain": []byte(c.text), "gzipped": testfile.Gzip(t, c.text)} {
				f := open(t, testfile.PutBytes(t, filepath.Join(dir, form), bytes), kept.Store{Dir: filepath.Join(dir, "cache")})
				got, _, digest := scan(t, f)
				if strings.Join(got, "|") != c.want {
					t.Errorf("%s: %.200q, want %.200q", form, got, c.want)
				}
				if digest != hex.EncodeToString(sum[:]) {
					t.Errorf("%s: the digest is not that of the text", form)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestBrokenFilesAreErrors(t *testing.T) {
	dir := t.TempDir()
	store := kept.Store{Dir: filepath.Join(dir, "cache")}
	whole := testfile.Gzip(t, strings.Repeat("some text\n", 1000))
	cut := testfile.PutBytes(t, filepath.Join(dir, "cut.gz"), whole[:len(whole)-9])
	if _, err := lines.Open(t.Context(), cut, store, nil); err == nil || !strings.Contains(err.Error(), "cut.gz") || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut archive: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(store.Dir, "unpacked", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := lines.Open(t.Context(), filepath.Join(dir, "none"), store, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := lines.Open(t.Context(), dir, store, nil); err == nil {
		t.Error("a folder was read")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lines.Open(ctx, testfile.PutBytes(t, filepath.Join(dir, "whole.gz"), whole), store, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled unpacking: %v", err)
	}
	f := open(t, testfile.PutBytes(t, filepath.Join(dir, "a"), []byte("one\ntwo\n")), store)
	defer f.Close()
	wrong := errors.New("wrong")
	_, err := f.Scan(func(l lines.Line) error {
		if l.Number == 2 {
			return wrong
		}
		return nil
	})
	if !errors.Is(err, wrong) || !strings.Contains(err.Error(), "/a:2: wrong") {
		t.Errorf("error %v", err)
	}
}

// TestRowsAreFoundAtAnyPlace compares ranges and single rows of several files with the lines as they were written.
func TestRowsAreFoundAtAnyPlace(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	dir := t.TempDir()
	var want []string
	var files []*lines.File
	var indexes []lines.Index
	for i, n := range []int{1, 700, 256, 0, 513} {
		var text strings.Builder
		if i%2 == 0 {
			text.WriteString("\ufeff")
		}
		for row := range n {
			line := fmt.Sprintf("%d-%d %s", i, row, strings.Repeat("z", random.IntN(40)))
			if random.IntN(50) == 0 {
				text.WriteString("\n")
				line += strings.Repeat("long ", 3000)
			}
			want = append(want, line)
			text.WriteString(line + "\n")
		}
		f := open(t, testfile.PutBytes(t, filepath.Join(dir, fmt.Sprint(i)), []byte(text.String())), kept.Store{})
		_, x, _ := scan(t, f)
		var b bytes.Buffer
		if _, err := x.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		x, err := lines.ReadIndex(&b)
		if err != nil || x.Rows != n {
			t.Fatalf("an index of %d rows came back with %d: %v", n, x.Rows, err)
		}
		files, indexes = append(files, f), append(indexes, x)
	}
	table, err := lines.NewTable(files, indexes)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if table.Rows() != len(want) {
		t.Fatalf("%d rows, want %d", table.Rows(), len(want))
	}
	for range 300 {
		from := random.IntN(len(want))
		to := from + random.IntN(min(600, len(want)-from)+1)
		var got []string
		err := table.Read(from, to, func(file int, place int64, text []byte) error {
			got = append(got, string(text))
			again, line, err := table.Line(place)
			if err != nil || again != file || string(line) != string(text) {
				t.Fatalf("at place %d: %q of file %d, %v; want %q of file %d", place, line, again, err, text, file)
			}
			return nil
		})
		if err != nil || strings.Join(got, "\n") != strings.Join(want[from:to], "\n") {
			t.Fatalf("rows %d to %d: %v, %d lines", from, to, err, len(got))
		}
	}
	for _, r := range [][2]int{{-1, 2}, {5, len(want) + 1}} {
		if err := table.Read(r[0], r[1], nil); err == nil {
			t.Errorf("rows %v were read", r)
		}
	}
	wrong := errors.New("wrong")
	if err := table.Read(3, 5, func(int, int64, []byte) error { return wrong }); !errors.Is(err, wrong) || !strings.Contains(err.Error(), "/1, row 3: wrong") {
		t.Errorf("error %v", err)
	}
}

func FuzzScan(f *testing.F) {
	for _, seed := range []string{"a\nb\n", "\ufeff\r\n\n x", "\x1f\x8b", "a\r\r\n\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1 && text[0] == 0x1f && text[1] == 0x8b {
			t.Skip("gzipped input: another way through the reader")
		}
		file := open(t, testfile.PutBytes(t, filepath.Join(t.TempDir(), "a"), text), kept.Store{})
		defer file.Close()
		got, x, _ := scan(t, file)
		table, err := lines.NewTable([]*lines.File{file}, []lines.Index{x})
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		err = table.Read(0, table.Rows(), func(_ int, place int64, text []byte) error {
			_, line, err := table.Line(place)
			if err != nil || !bytes.Equal(line, text) || !strings.HasSuffix(got[i], fmt.Sprintf("@%d %s", place, text)) {
				t.Fatalf("row %d: %q, %q, %q, %v", i, got[i], text, line, err)
			}
			i++
			return nil
		})
		if err != nil || i != len(got) {
			t.Fatalf("%d rows of %d: %v", i, len(got), err)
		}
	})
}
