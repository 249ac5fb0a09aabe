package trec_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/internal/testfile"
)

func TestRunIgnoresAllButQueryDocumentAndScore(t *testing.T) {
	text := "# made by hand\nq2 Q0 d1 7 -1e3 tag\nq1\tx\td1\t99\t0.5\ttag and more\n\n  q1 Q0 d2 0 2 tag\nq2 Q0 d2 0 inf t\n"
	want := trec.Run{
		"q1": {{Doc: "d1", Score: 0.5}, {Doc: "d2", Score: 2}},
		"q2": {{Doc: "d1", Score: -1000}, {Doc: "d2", Score: math.Inf(1)}},
	}
	for _, input := range [][]byte{[]byte(text), testfile.Gzip(t, text)} {
		got, err := trec.ReadRun(bytes.NewReader(input), "run")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
	}
}

func TestRunWithoutRowsIsValid(t *testing.T) {
	got, err := trec.ReadRun(strings.NewReader("\n"), "run")
	if err != nil || got == nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestBadRunsNameFileAndLine(t *testing.T) {
	for name, bad := range map[string]struct{ text, want string }{
		"five columns":      {"q Q0 d 1 0.5\n", "f:1: 5 columns"},
		"no number":         {"q Q0 a 1 1 t\nq Q0 d 1 high t\n", `f:2: score "high"`},
		"NaN":               {"q Q0 d 1 nan t\n", `f:1: score "nan"`},
		"underscores":       {"q Q0 d 1 1_000 t\n", `f:1: score "1_000"`},
		"hexadecimal":       {"q Q0 d 1 0x1p3 t\n", `f:1: score "0x1p3"`},
		"a comma":           {"q Q0 d 1 0,5 t\n", `f:1: score "0,5"`},
		"too great":         {"q Q0 d 1 1e400 t\n", "within float64"},
		"no digits":         {"q Q0 d 1 -e t\n", `f:1: score "-e"`},
		"NUL":               {"q Q0 d\x00e 1 1 t\n", "f:1: a NUL byte"},
		"a space in an id":  {"q Q0 d e 1 1 t\n", "f:1: 7 columns"},
		"a number in an id": {"q Q0 d 7 1 2.5 t\n", "f:1: 7 columns"},
		"qrels":             {"q 0 d 1\n", "f:1: 4 columns, as qrels have"},
		"repeated": {"q Q0 d 1 9 t\np Q0 e 1 9 t\nq Q0 e 2 8 t\np Q0 e 3 7 t\nq Q0 d 3 7 t\n",
			`f:4: document "e" is twice in query "p", first in line 2`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trec.ReadRun(strings.NewReader(bad.text), "f")
			if err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Fatalf("got %v, want an error with %q", err, bad.want)
			}
		})
	}
}

func TestRankBreaksTiesByDescendingBytes(t *testing.T) {
	scored := []trec.Scored{{Doc: "9", Score: 1}, {Doc: "10", Score: 1}, {Doc: "é", Score: 1}, {Doc: "z", Score: 1}, {Doc: "low", Score: -1}, {Doc: "high", Score: 2}, {Doc: "none", Score: math.NaN()}, {Doc: "Z", Score: 1}}
	trec.Rank(scored)
	var order []string
	for _, hit := range scored {
		order = append(order, hit.Doc)
	}
	if want := []string{"high", "é", "z", "Z", "9", "10", "low", "none"}; !reflect.DeepEqual(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}

func TestRankDoesNotRoundToFloat32(t *testing.T) {
	scored := []trec.Scored{{Doc: "b", Score: 1}, {Doc: "a", Score: 1 + 1e-12}}
	trec.Rank(scored)
	if scored[0].Doc != "a" {
		t.Error("scores that differ as float64 were taken as a tie")
	}
}

func TestWriteRunIsAsItsContractSays(t *testing.T) {
	run := trec.Run{"q10": {{Doc: "a", Score: 0.25}, {Doc: "b", Score: float64(float32(0.1))}}, "q1": {{Doc: "x", Score: 1}, {Doc: "y", Score: 1}, {Doc: "z", Score: 2.5}}, "empty": nil}
	var out bytes.Buffer
	if err := trec.WriteRun(&out, run, "tag"); err != nil {
		t.Fatal(err)
	}
	want := "q1 Q0 z 1 2.5 tag\nq1 Q0 y 2 1 tag\nq1 Q0 x 3 1 tag\n" +
		"q10 Q0 a 1 0.25 tag\nq10 Q0 b 2 0.1 tag\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if run["q1"][0].Doc != "x" {
		t.Error("the run was reordered")
	}
}

func TestWrittenRunReadsBack(t *testing.T) {
	for _, bits := range []int{32, 64} {
		run := randomRun(bits)
		var out bytes.Buffer
		if err := trec.WriteRun(&out, run, "t"); err != nil {
			t.Fatal(err)
		}
		got, err := trec.ReadRun(&out, "written")
		if err != nil {
			t.Fatal(err)
		}
		for query, scored := range run {
			trec.Rank(scored)
			read := got[query]
			trec.Rank(read)
			if bits == 32 { // the digits are those of a float32
				for i := range read {
					read[i].Score = float64(float32(read[i].Score))
				}
			}
			if !reflect.DeepEqual(read, scored) {
				t.Errorf("%d bits: query %s changed on its way through a file", bits, query)
			}
		}
	}
}

// randomRun has ties; of 64 bits, also a float32 and a float64 that the digits of a float32 would make equal.
func randomRun(bits int) trec.Run {
	random := rand.New(rand.NewPCG(1, 2))
	run := trec.Run{}
	for q := range 20 {
		query := fmt.Sprint("q", q)
		for d := range 50 {
			score := random.ExpFloat64() * math.Pow(10, float64(random.IntN(20)-10))
			if bits == 32 {
				score = float64(float32(score))
			}
			if d%5 == 0 {
				score = 1
			}
			run[query] = append(run[query], trec.Scored{Doc: fmt.Sprint("d", d), Score: score})
		}
		if bits == 64 {
			run[query] = append(run[query], trec.Scored{Doc: "single", Score: float64(float32(0.1))}, trec.Scored{Doc: "double", Score: 0.1})
		}
	}
	return run
}

func TestWriteRunRefusesWhatCannotBeRead(t *testing.T) {
	one := []trec.Scored{{Doc: "d", Score: 1}}
	for name, bad := range map[string]struct {
		run  trec.Run
		tag  string
		want string
	}{
		"space in a query":    {trec.Run{"a b": one}, "t", `query "a b"`},
		"space in a document": {trec.Run{"q": {{Doc: "a b", Score: 1}}}, "t", `document "a b"`},
		"empty document":      {trec.Run{"q": {{Doc: "", Score: 1}}}, "t", `document ""`},
		"empty tag":           {trec.Run{"q": one}, "", `tag ""`},
		"a query as comment":  {trec.Run{"#q": one}, "t", "comment"},
		"NaN":                 {trec.Run{"q": {{Doc: "d", Score: math.NaN()}}}, "t", "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			err := trec.WriteRun(&bytes.Buffer{}, bad.run, bad.tag)
			if err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Fatalf("got %v, want an error with %q", err, bad.want)
			}
		})
	}
}

type fullDisk struct{ left int }

var errFull = errors.New("disk full")

func (f *fullDisk) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errFull
	}
	f.left -= len(p)
	return len(p), nil
}

func TestWriteRunReportsAFailedWrite(t *testing.T) {
	run := trec.Run{"q": nil}
	for d := range 10_000 {
		run["q"] = append(run["q"], trec.Scored{Doc: fmt.Sprint(d), Score: float64(d)})
	}
	for _, room := range []int{0, 100_000} {
		if err := trec.WriteRun(&fullDisk{room}, run, "t"); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: got %v", room, err)
		}
	}
}

func TestRunsMayBeReadByTheirRankColumn(t *testing.T) {
	want := trec.Run{"q1": {{Doc: "d1", Score: -2}, {Doc: "d2", Score: -1}}}
	for _, text := range []string{"q1 Q0 d1 2 9 t\nq1 Q0 d2 1 8 t\n", "q1\td1\t2\nq1\td2\t1\n"} {
		got, err := trec.ReadRunByRank(strings.NewReader(text), "run")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	for text, want := range map[string]string{
		"q1\td1\t0\n": `rank "0"`, "q1\td1\t1.5\n": `rank "1.5"`, "q1\td1\t1000001\n": "rank", "q1\td1\n": "2 columns", "q1 0 d1 1\n": "4 columns",
	} {
		if _, err := trec.ReadRunByRank(strings.NewReader(text), "f"); err == nil || !strings.Contains(err.Error(), "f:1: "+want) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
