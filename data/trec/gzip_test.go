package trec_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/internal/testfile"
)

// What a cut leaves of a line is not the line's fault, and a line that it leaves sound is not the last one.
func TestDamagedGzipIsToldFromDamagedRows(t *testing.T) {
	text := ""
	for i := range 3000 {
		text += fmt.Sprintf("q%d Q0 d%d 1 %d.5 t\n", i%7, i*i, i)
	}
	whole := testfile.Gzip(t, text)
	if _, err := trec.ReadRun(bytes.NewReader(whole), "r"); err != nil {
		t.Fatal(err)
	}
	for cut := 12; cut < len(whole); cut += 1 + len(whole)/300 {
		if _, err := trec.ReadRun(bytes.NewReader(whole[:cut]), "r"); err == nil || !strings.Contains(err.Error(), "read r:") || !strings.Contains(err.Error(), "the file is cut short") {
			t.Fatalf("cut to %d of %d bytes: %v", cut, len(whole), err)
		}
	}
	for _, at := range []int{len(whole) - 6, len(whole) / 2} {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0xff
		if _, err := trec.ReadRun(bytes.NewReader(damaged), "r"); err == nil {
			t.Errorf("byte %d of %d is changed, and nobody says so", at, len(whole))
		}
	}
	if _, err := trec.ReadRun(bytes.NewReader(whole[:5]), "r"); err == nil || !strings.Contains(err.Error(), `read "r"`) {
		t.Errorf("the head alone: %v", err)
	}
	junk := append(bytes.Clone(whole), "junk"...)
	if _, err := trec.ReadRun(bytes.NewReader(junk), "r"); err == nil || !strings.Contains(err.Error(), "other bytes follow") {
		t.Errorf("more than gzip: %v", err)
	}
}
