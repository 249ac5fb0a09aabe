package plot_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"headroom/reports/internal/sample"
	"headroom/reports/plot"
)

func pdfOf(t *testing.T, f *plot.Figure) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.PDF(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// content unpacks the one page of a PDF, and compares the file's table of objects with their places.
func content(t *testing.T, pdf []byte) string {
	t.Helper()
	_, tail, ok := bytes.Cut(pdf, []byte("startxref\n"))
	at, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(string(tail)), "%%EOF")))
	if !ok || err != nil || !bytes.HasPrefix(pdf[at:], []byte("xref\n0 5\n")) {
		t.Fatalf("no table of objects at %d: %v", at, err)
	}
	for i, found := range regexp.MustCompile(`(\d{10}) 00000 n `).FindAllSubmatch(pdf[at:], -1) {
		offset, _ := strconv.Atoi(string(found[1]))
		if want := fmt.Sprintf("%d 0 obj\n", i+1); !bytes.HasPrefix(pdf[offset:], []byte(want)) {
			t.Errorf("object %d is not at %d", i+1, offset)
		}
	}
	_, rest, _ := bytes.Cut(pdf, []byte("stream\n"))
	packed, _, _ := bytes.Cut(rest, []byte("\nendstream"))
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPDF reads the operations of every figure's page: known ones, with as many operands
// as they take, and states that are restored as often as they are saved.
func TestPDF(t *testing.T) {
	takes := map[string]int{"m": 2, "l": 2, "c": 6, "h": 0, "f": 0, "S": 0, "w": 1, "rg": 3, "RG": 3, "cm": 6, "q": 0, "Q": 0, "M": 1, "gs": 1}
	for _, f := range all(compared(t, sample.Lambda())) {
		pdf := pdfOf(t, f)
		if !bytes.Equal(pdf, pdfOf(t, f)) {
			t.Errorf("%s differs between two writings", f.Name)
		}
		depth, seen := 0, map[string]int{}
		for _, line := range strings.Split(strings.TrimSpace(content(t, pdf)), "\n") {
			words := strings.Fields(line)
			operator := words[len(words)-1]
			seen[operator]++
			if operator == "d" {
				continue // a list and its offset
			}
			if n, ok := takes[operator]; !ok || len(words)-1 != n {
				t.Fatalf("%s: %q", f.Name, line)
			}
			switch operator {
			case "q":
				depth++
			case "Q":
				depth--
			}
			if depth < 0 {
				t.Fatalf("%s: a state is restored that was not saved", f.Name)
			}
		}
		if depth != 0 || seen["f"] < 50 || seen["S"] < 10 || seen["c"] < 500 {
			t.Errorf("%s: depth %d, operations %v", f.Name, depth, seen)
		}
	}
}

// TestPDFSize compares the page's size with the width in inches.
func TestPDFSize(t *testing.T) {
	f := plot.Loss(compared(t, sample.Demo()))
	for inches, want := range map[float64]string{3.33: "/MediaBox[0 0 239.76 ", 7: "/MediaBox[0 0 504 "} {
		if pdf := pdfOf(t, f.Wide(inches)); !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("%v in: no %q", inches, want)
		}
	}
	if tall, short := pdfOf(t, f), pdfOf(t, f.Untitled()); bytes.Equal(tall, short) || len(content(t, short)) >= len(content(t, tall)) {
		t.Error("the title is drawn all the same")
	}
}
