package trec_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"headroom/data/trec"
	"headroom/internal/testfile"
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
			got, err = trec.ReadQrels(bytes.NewReader(testfile.Gzip(t, text)), "qrels")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("gzipped: got %v, %v", got, err)
			}
		})
	}
}

func TestHeadersAreReadByTheirNames(t *testing.T) {
	want := trec.Qrels{"q1": {"d2": 1}, "q2": {"d1": -1}}
	for name, text := range map[string]string{
		"BEIR":                "query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\td1\t-1\n",
		"another order":       "corpus-id\tscore\tquery-id\nd2\t1\tq1\nd1\t-1\tq2\n",
		"other names":         "QID\tDocNo\tRelevance\nq1\td2\t1\nq2\td1\t-1\n",
		"four columns":        "query_id\titeration\tdoc_id\trelevance\nq1\t0\td2\t1\nq2\t0\td1\t-1\n",
		"spaces":              "query-id corpus-id score\nq1 d2  1\nq2 d1 -1\n",
		"grades with a point": "query-id\tcorpus-id\tscore\nq1\td2\t1.0\nq2\td1\t-1.\n",
		"BOM and CRLF":        "\ufeffquery-id\tcorpus-id\tscore\r\nq1\td2\t1\r\nq2\td1\t-1\r\n",
		"no header":           "q1 0 d2 1\nq2 0 d1 -1\n",
		"names as ids":        "q1 0 d2 1.00\nq2 0 d1 -1\n",
	} {
		got, err := trec.ReadQrels(strings.NewReader(text), "qrels")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	ids, err := trec.ReadQrels(strings.NewReader("query 0 doc 1\n"), "qrels")
	if err != nil || ids["query"]["doc"] != 1 {
		t.Errorf("ids that are names of columns: got %v, %v", ids, err)
	}
}

func TestBadQrelsNameFileAndLine(t *testing.T) {
	const header = "query-id\tcorpus-id\tscore\n"
	for name, bad := range map[string]struct{ text, want string }{
		"three columns":           {"q1 0 d1 1\nq1 0 d2\n", "f:2: 3 columns"},
		"five columns":            {"q1 0 d1 1 x\n", "f:1: 5 columns"},
		"a word for a grade":      {"q1 0 d1 1\nq1 0 d2 high\n", `f:2: grade "high"`},
		"a fraction for a grade":  {"\nq1 0 d1 0.5\n", `f:2: grade "0.5"`},
		"a grade beyond 32 bits":  {"q1 0 d1 4294967296\n", `grade "4294967296"`},
		"judged twice":            {"q1 0 d1 1\nq2 0 d1 1\nq1 0 d1 1\n", `f:3: document "d1" is judged twice for query "q1", first in line 1`},
		"BEIR without its header": {"q1\td1\t1\n", "f:1: 3 columns"},
		"BEIR, two columns":       {header + "q1\td1\n", "f:2: 2 tab-separated columns"},
		"BEIR, spaces":            {header + "q1 d1 1\n", "f:2: 1 tab-separated columns"},
		"BEIR, empty id":          {header + "q1\t\t1\n", "f:2: an id is empty"},
		"BEIR, grade":             {header + "q1\td1\t1.5\n", `f:2: grade "1.5"`},
		"a space after an id":     {header + "q1\td1 \t1\n", `f:2: id "d1 ": white space`},
		"a space in an id":        {header + "q1\td 1\t1\n", `f:2: id "d 1": white space`},
		"an unknown header":       {"query\tdoc\tcolour\nq1\td1\t1\n", "f:1: \"query\\tdoc\\tcolour\" is neither a row"},
		"a header without grades": {"query\tdoc\nq1\td1\n", "f:1: header \"query\\tdoc\" has no column score"},
		"a first row of words":    {"q1\td1\thigh\nq1\td2\t1\n", "f:1: "},
		"a header twice":          {header + header, "f:2: grade \"score\""},
		"two columns of ids":      {"query\tqid\tscore\n", "two columns of one meaning"},
		"commas":                  {"query-id,corpus-id,score\nq1,d1,1\n", "f:1: "},
		"a run":                   {"q1 Q0 d1 1 3.5 t\n", "6 columns, as a run has"},
		"a NUL byte":              {"q1 0 d\x001 1\n", "f:1: a NUL byte"},
		"hexadecimal grade":       {"q1 0 d1 0x1\n", "grade"},
		"underscored grade":       {"q1 0 d1 1_0\n", "grade"},
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
	whole := testfile.Gzip(t, strings.Repeat("q 0 d 1\n", 1))
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
