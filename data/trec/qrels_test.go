package trec_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/data/trec"
)

func TestQrelsAreReadInEveryLayout(t *testing.T) {
	want := trec.Qrels{"q1": {"d1": 1, "d2": 0}, "q2": {"d1": -2}}
	for name, text := range map[string]string{
		"spaces":                "q1 0 d1 1\nq1 0 d2 0\nq2 0 d1 -2\n",
		"tabs and runs of them": "q1\t0\td1\t\t1\n  q1 Q0  d2 0 \t\nq2\t0\td1\t-2",
		"windows line ends":     "q1 0 d1 1\r\nq1 0 d2 0\r\nq2 0 d1 -2\r\n",
		"blank lines":           "\n\nq1 0 d1 1\n \nq1 0 d2 0\nq2 0 d1 -2\n\n",
		"comments":              "# trec_eval 10 skips these\nq1 0 d1 1\nq1 0 d2 0\n#\nq2 0 d1 -2\n",
		"byte order mark":       "\ufeffq1 0 d1 1\nq1 0 d2 0\nq2 0 d1 -2\n",
		"BEIR":                  "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td1\t-2\n",
		"BEIR, windows":         "query-id\tcorpus-id\tscore\r\nq1\td1\t1\r\nq1\td2\t0\r\nq2\td1\t-2\r\n",
		"BEIR, other names":     "\ufeffquery\tdoc\tlabel\nq1\td1\t1\nq1\td2\t0\nq2\td1\t-2\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trec.ReadQrels(strings.NewReader(text), "qrels")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("got %v, %v", got, err)
			}
			got, err = trec.ReadQrels(bytes.NewReader(zipped(t, text)), "qrels")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("gzipped: got %v, %v", got, err)
			}
		})
	}
}

func TestBEIRIdsMayHoldSpaces(t *testing.T) {
	got, err := trec.ReadQrels(strings.NewReader("query-id\tcorpus-id\tscore\na b\tc d\t1\n"), "qrels")
	if err != nil || got["a b"]["c d"] != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestBadQrelsNameFileAndLine(t *testing.T) {
	const header = "query-id\tcorpus-id\tscore\n"
	for name, bad := range map[string]struct{ text, want string }{
		"three columns":           {"q1 0 d1 1\nq1 0 d2\n", "f:2: 3 columns"},
		"five columns":            {"q1 0 d1 1 x\n", "f:1: 5 columns"},
		"a word for a grade":      {"q1 0 d1 high\n", `f:1: grade "high"`},
		"a fraction for a grade":  {"\nq1 0 d1 0.5\n", `f:2: grade "0.5"`},
		"a grade beyond 32 bits":  {"q1 0 d1 4294967296\n", `grade "4294967296"`},
		"judged twice":            {"q1 0 d1 1\nq2 0 d1 1\nq1 0 d1 1\n", `f:3: document "d1" is judged twice for query "q1", first in line 1`},
		"BEIR without its header": {"q1\td1\t1\n", "f:1: 3 columns"},
		"BEIR, two columns":       {header + "q1\td1\n", "f:2: 2 tab-separated columns"},
		"BEIR, spaces":            {header + "q1 d1 1\n", "f:2: 1 tab-separated columns"},
		"BEIR, empty id":          {header + "q1\t\t1\n", "f:2: empty id"},
		"BEIR, grade":             {header + "q1\td1\t1.0\n", `f:2: grade "1.0"`},
		"BEIR, judged twice":      {header + "q1\td1\t1\nq1\td1\t0\n", "f:3: "},
		"a binary file":           {strings.Repeat("\x00", 2<<20), "f:1: the line is longer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := trec.ReadQrels(strings.NewReader(bad.text), "f")
			if err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Fatalf("got %v, want an error with %q", err, bad.want)
			}
		})
	}
}

func TestQrelsWithoutRowsAreAnError(t *testing.T) {
	for _, text := range []string{"", "\n\n", "# only a comment\n", "query-id\tcorpus-id\tscore\n"} {
		if _, err := trec.ReadQrels(strings.NewReader(text), "f"); !errors.Is(err, trec.ErrNoJudgements) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestTruncatedGzipIsAnError(t *testing.T) {
	whole := zipped(t, strings.Repeat("q 0 d 1\n", 1))
	for n := 2; n < len(whole); n++ {
		if _, err := trec.ReadQrels(bytes.NewReader(whole[:n]), "f"); err == nil {
			t.Fatalf("%d of %d bytes were read without an error", n, len(whole))
		}
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.tsv")
	if _, err := trec.OpenQrels(missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
	if _, err := trec.OpenRun(missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("got %v", err)
	}
}

func TestScanKeepsTheFilesOrder(t *testing.T) {
	var rows []string
	stop := errors.New("enough")
	err := trec.ScanQrels(strings.NewReader("b 0 y 1\na 0 x 2\nb 0 x 0\n"), "f", func(query, doc string, grade int) error {
		rows = append(rows, query+doc)
		if len(rows) == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || !strings.Contains(err.Error(), "f:3") {
		t.Errorf("got %v", err)
	}
	if want := []string{"by", "ax", "bx"}; !reflect.DeepEqual(rows, want) {
		t.Errorf("got %v", rows)
	}
}

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
