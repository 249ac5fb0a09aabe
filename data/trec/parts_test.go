package trec_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"headroom/data/trec"
)

// However a file is cut into parts, and whatever is wrong in it, the run and the error are those of one part.
func TestPartsOfAFileMakeTheSameRunAndTheSameErrors(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 3))
	broken := 0
	for round := range 60 {
		var text strings.Builder
		if round%3 == 0 {
			text.WriteString("\ufeff")
		}
		for i := range 40 {
			query := i / 7
			if round%2 == 0 { // rows of a query that are not consecutive
				query = random.IntN(4)
			}
			fmt.Fprintf(&text, "q%d Q0 d%d 1 %d t", query, i*7%41, i)
			text.WriteString([]string{"\n", "\r\n", "\n\n", "\n# a comment\n"}[random.IntN(4)])
			switch {
			case random.IntN(100) > 0:
			case random.IntN(2) == 0:
				text.WriteString("q1 Q0 d high 1 t\n")
			default:
				fmt.Fprintf(&text, "q%d Q0 d%d 1 1 t\n", query, i*7%41)
			}
		}
		whole := strings.TrimSuffix(text.String(), "\n")
		want, wantErr := trec.ReadRunIn(strings.NewReader(whole), "f", 1<<20, 1)
		if wantErr != nil {
			broken++
		}
		for _, size := range []int{13, 400} {
			got, err := trec.ReadRunIn(strings.NewReader(whole), "f", size, 3)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
				t.Fatalf("parts of %d bytes: %v, %v; want %v, %v, of\n%s", size, got, err, want, wantErr, whole)
			}
		}
	}
	if broken < 10 || broken > 50 {
		t.Errorf("%d files of 60 are broken", broken)
	}
}

func TestAReaderThatFailsIsNamedWithTheLineThatItLeft(t *testing.T) {
	cut := errors.New("the cable is out")
	for text, want := range map[string]string{
		"q Q0 a 1 2 t\nq Q0 b 1 1 t\n": "read f:3: the cable is out",
		"q Q0 a 1 2 t\nq Q0 b":         "read f:3: the cable is out", // the torn line is no fault of the file
		"q Q0 a 1 2 t\nq Q0 b 1 1 t":   "read f:3: the cable is out",
		"q Q0 a 1 high t\nq Q0 b":      `read f:1: score "high"`,
		"":                             "read f:1: the cable is out",
	} {
		for _, size := range []int{5, 1 << 20} {
			_, err := trec.ReadRunIn(io.MultiReader(strings.NewReader(text), iotest.ErrReader(cut)), "f", size, 2)
			if text == "" && err != nil { // unpacking looks at the first bytes before there are lines
				continue
			}
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q in parts of %d: got %v, want %s", text, size, err, want)
			}
		}
	}
}

func TestALineThatNeverEndsIsRefused(t *testing.T) {
	for _, after := range []string{"", "\nq Q0 b 1 1 t\n"} {
		text := "q Q0 a 1 2 t\nq Q0 " + strings.Repeat("x", 3<<20) + after
		for _, size := range []int{1000, 1 << 22} {
			_, err := trec.ReadRunIn(strings.NewReader(text), "f", size, 2)
			if err == nil || !strings.Contains(err.Error(), "read f:2: the line is longer than") {
				t.Errorf("parts of %d: got %v", size, err)
			}
		}
	}
}

// BenchmarkReadRun reads a run of 6,980 queries with 1,000 documents each, 219 MB.
func BenchmarkReadRun(b *testing.B) {
	path := runFile(b, 6980)
	for b.Loop() {
		start := time.Now()
		if _, err := trec.OpenRun(path); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s")
	}
}

// runFile writes a run of some queries with 1,000 documents each.
func runFile(b *testing.B, queries int) string {
	b.Helper()
	file, err := os.Create(b.TempDir() + "/run.trec")
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	var block []byte
	for q := range queries {
		block = block[:0]
		score := 40.0
		for d := range 1000 {
			score -= random.Float64() / 50
			block = fmt.Appendf(block, "%d Q0 %d %d %.6f headroom\n", 1000000+q, (q*7919+d*104729)%8841823, d+1, score)
		}
		if _, err := file.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return file.Name()
}
