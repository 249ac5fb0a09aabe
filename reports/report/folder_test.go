package report_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/internal/atomic"
	"headroom/internal/atomic/faults"
	"headroom/reports/internal/sample"
	"headroom/reports/report"
)

func TestAReportIsReplacedWholeWhateverFails(t *testing.T) {
	faults.Test(t, faults.Case{
		Before: func(t *testing.T, dir string) {
			if err := report.WriteTexts(atomic.Disk{}, filepath.Join(dir, "r"), "report.md", "old", "gone.csv", "old"); err != nil {
				t.Fatal(err)
			}
		},
		Write: func(disk atomic.Disk, dir string) error {
			return report.WriteTexts(disk, filepath.Join(dir, "r"), "report.md", "new", "table.csv", "new")
		},
		Read: func(dir string) (string, error) {
			folder := filepath.Join(dir, "r")
			if err := errors.Join(atomic.Mend(folder), report.Replaceable(folder)); err != nil {
				return "", err
			}
			var found strings.Builder
			err := fs.WalkDir(os.DirFS(folder), ".", func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() && path != report.Manifest {
					text, err := os.ReadFile(filepath.Join(folder, path))
					found.WriteString(path + " " + string(text) + "\n")
					return err
				}
				return err
			})
			return found.String(), err
		},
	})
}

func TestAReportReplacesNothingOfTheUsers(t *testing.T) {
	c := compared(t, sample.Demo())
	put := func(t *testing.T, path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(t *testing.T, folder string) (kept string){
		"files of the same names": func(t *testing.T, folder string) string {
			if err := os.RemoveAll(folder); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(folder, "report.md"))
			put(t, filepath.Join(folder, "table.csv"))
			return "table.csv"
		},
		"a file beside the report": func(t *testing.T, folder string) string {
			put(t, filepath.Join(folder, "notes.txt"))
			return "notes.txt"
		},
		"a folder beside it": func(t *testing.T, folder string) string {
			if err := os.Mkdir(filepath.Join(folder, "figures"), 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(folder, "figures", "a.png"))
			return filepath.Join("figures", "a.png")
		},
		"a report that was edited": func(t *testing.T, folder string) string {
			put(t, filepath.Join(folder, "report.md"))
			return "report.md"
		},
		"a manifest of something else": func(t *testing.T, folder string) string {
			put(t, filepath.Join(folder, report.Manifest))
			return report.Manifest
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "r")
			if _, err := report.Folder(c, report.Extras{}, folder); err != nil {
				t.Fatal(err)
			}
			kept := change(t, folder)
			_, err := report.Folder(c, report.Extras{}, folder)
			if !errors.Is(err, report.ErrNotReport) || !strings.Contains(err.Error(), folder) {
				t.Fatalf("the error is %v", err)
			}
			if got := string(read(t, filepath.Join(folder, kept))); got != "mine" {
				t.Errorf("%s has become %q", kept, got)
			}
		})
	}
}

func TestAReportReplacesItsEarlierOneWhole(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "r")
	if err := report.WriteTexts(atomic.Disk{}, folder, "report.md", "of another sweep", "effectiveness-gone.svg", "<svg/>"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "report.md")); err != nil { // what is missing is nobody's
		t.Fatal(err)
	}
	summary, err := report.Folder(compared(t, sample.Demo()), report.Extras{}, folder)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != len(summary.Files) {
		t.Errorf("%d files, %d in the summary: %v (%v)", len(entries), len(summary.Files), entries, err)
	}
}
