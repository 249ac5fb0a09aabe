package report_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/reports/compare"
	"headroom/reports/internal/sample"
	"headroom/reports/report"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

func compared(t *testing.T, in *compare.Input) *compare.Comparison {
	t.Helper()
	c, err := compare.Compare(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestGolden writes the demo-like report and compares every text of it.
func TestGolden(t *testing.T) {
	folder := t.TempDir()
	summary, err := report.Folder(compared(t, sample.Demo()), report.Extras{}, folder)
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	for _, name := range summary.Files {
		if strings.HasSuffix(name, ".png") || strings.HasSuffix(name, ".svg") || name == "report.html" || name == report.Manifest {
			continue
		}
		texts++
		golden(t, name, read(t, filepath.Join(folder, name)))
	}
	if texts != 19 {
		t.Errorf("%d texts in the report, want report.md and three forms of six tables", texts)
	}
	var printed bytes.Buffer
	if err := report.Print(&printed, compared(t, sample.Demo())); err != nil {
		t.Fatal(err)
	}
	golden(t, "printed.md", printed.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := read(t, path); !bytes.Equal(got, want) {
		t.Errorf("%s differs from its golden file; run with -update and read the diff", name)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSameBytes writes one report twice, the second time from input in another order.
func TestSameBytes(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	first, err := report.Folder(compared(t, sample.Hard()), report.Extras{}, one)
	if err != nil {
		t.Fatal(err)
	}
	in := sample.Hard()
	for i, j := 0, len(in.Runs)-1; i < j; i, j = i+1, j-1 {
		in.Runs[i], in.Runs[j] = in.Runs[j], in.Runs[i]
	}
	for i, j := 0, len(in.Baselines)-1; i < j; i, j = i+1, j-1 {
		in.Baselines[i], in.Baselines[j] = in.Baselines[j], in.Baselines[i]
	}
	second, err := report.Folder(compared(t, in), report.Extras{}, two)
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Files) == 0 || len(first.Files) != len(second.Files) {
		t.Fatalf("%d and %d files", len(first.Files), len(second.Files))
	}
	for _, name := range first.Files {
		if !bytes.Equal(read(t, filepath.Join(one, name)), read(t, filepath.Join(two, name))) {
			t.Errorf("%s differs between two writings of one report", name)
		}
	}
}

// TestNothingYet writes a report of a sweep before its first run.
func TestNothingYet(t *testing.T) {
	folder := t.TempDir()
	c := compared(t, &compare.Input{Sweep: "empty", Runs: []compare.Run{{ID: "ab", Label: "x-k1-s1-ab", Backbone: "x", Rescale: 1, Seed: 1, State: "new"}}})
	if _, err := report.Folder(c, report.Extras{}, folder); err != nil {
		t.Fatal(err)
	}
	text := string(read(t, filepath.Join(folder, "report.md")))
	for _, want := range []string{"1 run: 0 finished", "not finished: 1 new", "nothing is shown yet"} {
		if !strings.Contains(text, want) {
			t.Errorf("report.md lacks %q", want)
		}
	}
}

// TestLinksHold follows every link of report.md.
func TestLinksHold(t *testing.T) {
	folder := t.TempDir()
	if _, err := report.Folder(compared(t, sample.Demo()), report.Extras{}, folder); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(read(t, filepath.Join(folder, "report.md"))), "](")
	if len(parts) < 15 {
		t.Fatalf("%d links in report.md", len(parts)-1)
	}
	for _, part := range parts[1:] {
		name, _, _ := strings.Cut(part, ")")
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Errorf("report.md links to %q: %v", name, err)
		}
	}
}
