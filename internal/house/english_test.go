package house_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// forms are forms of English that must be read twice, with the plain form.
var forms = []struct {
	form  *regexp.Regexp
	plain string
}{
	{regexp.MustCompile(`\b(ns|bytes|seconds|numbers|texts|rows|tokens|files|lines|values?|points?) an? (posting|token|text|row|document|step|line|run|query|term|file|block|seed)\b`), `"ns per posting"`},
	{regexp.MustCompile(`, an? (line|row|file|column) each\b`), `"one line per run"`},
	{regexp.MustCompile(`\bwhat (do|f|fn|call|make|work|run|next|read|write) (returned|returns|did|made)\b`), "the result"},
	{regexp.MustCompile(`\b(is|are) told to (notice|stop|fail|go|leave)`), "who does what: the signal stops it"},
	{regexp.MustCompile(`\bgone on with\b`), `"resumed"`},
	{regexp.MustCompile(`, (which|that) is said\b`), `"with a note"`},
}

// CONTRIBUTING.md and this file quote the forms.
func TestEnglish(t *testing.T) {
	files := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch {
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || name == "shared"):
			return filepath.SkipDir
		case entry.IsDir(), name == "CONTRIBUTING.md", name == "english_test.go", !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".md"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for i, line := range strings.Split(string(text), "\n") {
			for _, f := range forms {
				if found := f.form.FindString(line); found != "" {
					t.Errorf("%s:%d: %q must be read twice; write %s", path, i+1, found, f.plain)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 500 {
		t.Errorf("%d files read: too few", files)
	}
}
