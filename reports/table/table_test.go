package table_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/reports/table"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// difficult has every kind of cell and every character that a form must escape.
func difficult() *table.Table {
	t := &table.Table{Title: "Scores & more", Columns: []table.Column{
		{Name: "backbone_name", Key: true}, {Name: "k", Numeric: true, Key: true},
		{Name: "nDCG@10", Better: table.Higher, Numeric: true, Spread: true},
		{Name: "time", Unit: "s", Better: table.Lower, Numeric: true},
	}}
	t.Columns[2].Notes = []int{t.Note("mean ± sd (n)")}
	bad := t.Note("1 of 2 collapsed | 50 % & \"more\", not < 10 %")
	t.Rows = [][]table.Cell{
		{table.Text("a|b_c*d", bad), table.Number(0.125, "1/8"), {Text: "0.500 ± 0.100 (2)", Value: 0.5, SD: 0.1, N: 2, Notes: []int{0, bad}}, table.Number(1.0/3, "0.33")},
		{table.Text(`back\slash ~ #1 {x} ^ $ % & _y_`), table.Number(16, "16"), {Text: "0.1 (1)", Value: 0.1, SD: math.NaN(), N: 1}, table.Number(math.Inf(1), "inf")},
		{{Text: "cut", Full: "cut, but whole here"}, table.Text("auto-norm"), {Text: "–", Value: math.NaN(), SD: math.NaN()}},
	}
	return t
}

func TestGolden(t *testing.T) {
	forms := map[string]func(*table.Table, io.Writer) error{
		"difficult.md": (*table.Table).Markdown, "difficult.csv": (*table.Table).CSV, "difficult.tex": (*table.Table).LaTeX,
	}
	for name, write := range forms {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(difficult(), &b); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("got:\n%s\nwant:\n%s", b.Bytes(), want)
			}
		})
	}
}

// TestMarkdownIsOneTable: every line has the same number of bars that are not escaped.
func TestMarkdownIsOneTable(t *testing.T) {
	var b bytes.Buffer
	if err := difficult().Markdown(&b); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(b.String(), "\n\n")
	for line := range strings.Lines(head) {
		if n := strings.Count(line, "|") - strings.Count(line, `\|`); n != 5 {
			t.Errorf("%d bars in %q", n, line)
		}
	}
}

// TestCSVReadsBack reads the numbers with a CSV reader.
func TestCSVReadsBack(t *testing.T) {
	var b bytes.Buffer
	if err := difficult().CSV(&b); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"backbone_name", "k", "nDCG@10", "nDCG@10 sd", "nDCG@10 n", "time (s)", "notes"},
		{"a|b_c*d", "0.125", "0.5", "0.1", "2", "0.3333333333333333", "1 of 2 collapsed | 50 % & \"more\", not < 10 %; mean ± sd (n)"},
		{`back\slash ~ #1 {x} ^ $ % & _y_`, "16", "0.1", "", "1", "inf", ""},
		{"cut, but whole here", "auto-norm", "", "", "0", "", ""},
	}
	if len(records) != len(want) {
		t.Fatalf("%d records", len(records))
	}
	for i, record := range records {
		if strings.Join(record, "\x00") != strings.Join(want[i], "\x00") {
			t.Errorf("record %d is %q, want %q", i, record, want[i])
		}
	}
}

func TestInline(t *testing.T) {
	for in, want := range map[string]string{
		"non_finite":        "non_finite",
		"_x_ and y_":        `\_x\_ and y\_`,
		"(~) alone":         "(~) alone",
		"~two~":             `\~two\~`,
		"a*b [c] <d> `e` |": "a\\*b \\[c\\] \\<d> \\`e\\` \\|",
		"two\nlines":        "two lines",
	} {
		if got := table.Inline(in); got != want {
			t.Errorf("Inline(%q) = %q, want %q", in, got, want)
		}
	}
}
