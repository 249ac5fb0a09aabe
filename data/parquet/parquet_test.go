package parquet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"headroom/data/parquet"
)

// expected are the rows of testdata/parquet_reference.py as cells.
func expected(t *testing.T) [][]string {
	t.Helper()
	texts := []string{"plain", "with\ttab", "line\nbreak\r\n", `back\slash \t`, "ünïcode ☃ \U0001f600", "", `"quoted"`}
	list := func(v any) string {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	var rows [][]string
	for i := range 300 {
		sign := float64(1 - 2*(i%2))
		negatives, scores := []string{}, []float64{}
		for j := range i % 4 {
			negatives = append(negatives, texts[(i+j)%7])
		}
		for j := range i % 3 {
			scores = append(scores, float64(i)+float64(j)/3)
		}
		rows = append(rows, []string{
			texts[i%7] + strconv.Itoa(i/7), strconv.Itoa(1<<40 + i), strconv.Itoa(i - 150),
			strconv.FormatFloat(sign*float64(i)/7, 'g', -1, 64), strconv.FormatFloat(float64(i)/8, 'g', -1, 32),
			list(negatives), list(scores), list([]int{i, -i}),
		})
	}
	return rows
}

func TestFilesOfTheCommonWriterAreRead(t *testing.T) {
	want := expected(t)
	for _, name := range []string{"default", "groups", "pages", "v2", "brotli"} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := parquet.Lines(filepath.Join("testdata", name+".parquet"), &b); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
			head, err := parquet.ParseHead([]byte(lines[0]))
			if err != nil {
				t.Fatal(err)
			}
			columns := []parquet.Column{
				{"query", parquet.Text}, {"positive_id", parquet.Integer}, {"small", parquet.Integer}, {"score", parquet.Number},
				{"label", parquet.Number}, {"negatives", parquet.Texts}, {"scores", parquet.Numbers}, {"ids", parquet.Integers},
			}
			if !reflect.DeepEqual(head, columns) {
				t.Errorf("columns %v, want %v", head, columns)
			}
			if len(lines) != len(want)+1 {
				t.Fatalf("%d lines", len(lines))
			}
			for i, row := range want {
				got := parquet.Split([]byte(lines[i+1]))
				if !reflect.DeepEqual(sameLists(t, got), sameLists(t, row)) {
					t.Fatalf("row %d: %q, want %q", i, got, row)
				}
			}
		})
	}
}

// sameLists writes lists in one form.
func sameLists(t *testing.T, cells []string) []string {
	t.Helper()
	out := append([]string(nil), cells...)
	for i := 5; i < len(out); i++ {
		var v any
		if err := json.Unmarshal([]byte(out[i]), &v); err != nil {
			t.Fatalf("cell %d, %q: %v", i, out[i], err)
		}
		out[i] = fmt.Sprint(v)
	}
	return out
}

func TestWhatIsNotReadIsAnError(t *testing.T) {
	for name, says := range map[string]string{
		"null":         `row 2: column "query": no value`,
		"null_in_list": `row 2: column "scores": no value`,
		"struct":       `column "query"`,
		"boolean":      `column "query" is BOOLEAN`,
		"unsigned":     `column "query" is INT(32,false)`,
		"nan":          `row 2: column "score": NaN`,
		"nested":       `column "lists"`,
		"binary":       `row 1: column "query"`,
	} {
		t.Run(name, func(t *testing.T) {
			err := parquet.Lines(filepath.Join("testdata", name+".parquet"), new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("error %v does not say %q", err, says)
			}
		})
	}
	if err := parquet.Lines(filepath.Join(t.TempDir(), "none"), new(bytes.Buffer)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestDamagedFilesAreErrors cuts files and changes single bytes: whatever comes of it, it is no panic.
func TestDamagedFilesAreErrors(t *testing.T) {
	whole, err := os.ReadFile("testdata/pages.parquet")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.parquet")
	try := func(text []byte) error {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return parquet.Lines(path, new(bytes.Buffer))
	}
	for cut := 0; cut < len(whole); cut += 97 {
		if err := try(whole[:cut]); err == nil {
			t.Errorf("cut at byte %d of %d: no error", cut, len(whole))
		}
	}
	for at := 4; at < len(whole); at += 31 {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x5a
		_ = try(damaged)
	}
}

func FuzzLines(f *testing.F) {
	for _, name := range []string{"null", "nan", "null_in_list", "nested"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".parquet"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "a.parquet")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := parquet.Lines(path, &b); err != nil {
			return
		}
		lines := bytes.Split(bytes.TrimSuffix(b.Bytes(), []byte("\n")), []byte("\n"))
		head, err := parquet.ParseHead(lines[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines[1:] {
			if n := len(parquet.Split(line)); n != len(head) {
				t.Fatalf("%d cells under %d columns: %q", n, len(head), line)
			}
		}
	})
}
