package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headroom/runner/cli"
)

const root = "../.."

// The largest number of lines of a Go file that is not a test, of a test, and of a page of docs.
const (
	sourceLines = 400
	testLines   = 650
	pageLines   = 150
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFilesAreShort(t *testing.T) {
	files := 0
	eachFile(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_generated.go") {
			return
		}
		files++
		most := sourceLines
		if strings.HasSuffix(path, "_test.go") {
			most = testLines
		}
		if lines := strings.Count(string(text), "\n"); lines > most {
			t.Errorf("%s has %d lines; %d are allowed: split it by what its parts are about", path, lines, most)
		}
	}, ".go")
	if files < 300 {
		t.Errorf("only %d Go files were found", files)
	}
}

// eachFile gives do the path and text of each file of the project whose name ends in one of ends. It leaves out
// folders of test data and of programs, hidden ones, and shared, which may be beside the sources.
func eachFile(t *testing.T, do func(path string, text []byte), ends ...string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch {
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || name == "shared"):
			return filepath.SkipDir
		case entry.IsDir(), !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			do(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPagesAreShortAndInTheIndex(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	index := read(t, "docs/README.md")
	if len(pages) < 15 {
		t.Errorf("only %d pages were found", len(pages))
	}
	for _, page := range pages {
		name := filepath.Base(page)
		if lines := strings.Count(read(t, "docs/"+name), "\n"); lines > pageLines {
			t.Errorf("docs/%s has %d lines; %d are allowed: shorten it or make two pages", name, lines, pageLines)
		}
		if name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md does not list %s", name)
		}
	}
}

// TestWhatContributingNamesIsThere checks every path of its table "Where is …".
func TestWhatContributingNamesIsThere(t *testing.T) {
	_, table, found := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## Where is …\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no table of places")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	paths := regexp.MustCompile("`([a-z]+/[^`]+)`").FindAllStringSubmatch(table, -1)
	if len(paths) < 25 {
		t.Errorf("only %d paths were found in the table", len(paths))
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join(root, path[1])); err != nil {
			t.Errorf("CONTRIBUTING.md names %s, which is not there", path[1])
		}
	}
	for _, subject := range []string{"λ's ramp", "a verdict", "an id", "an exit code", "a family", "a loss", "a column", "a command"} {
		if !strings.Contains(table, "\n| "+subject) {
			t.Errorf("the table does not say where %s is", subject)
		}
	}
}

func TestTheVersionIsTheSameEverywhere(t *testing.T) {
	if citation := read(t, "CITATION.cff"); !strings.Contains(citation, "\nversion: "+cli.Version+"\n") {
		t.Errorf("CITATION.cff is not of version %s", cli.Version)
	}
	newest := regexp.MustCompile(`(?m)^## (\d+\.\d+\.\d+)`).FindStringSubmatch(read(t, "CHANGELOG.md"))
	if newest == nil || newest[1] != cli.Version {
		t.Errorf("the newest version of CHANGELOG.md is %v, not %s", newest, cli.Version)
	}
}
