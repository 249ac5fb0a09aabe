package house_test

import (
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
	eachFile(t, func(path string, text []byte) {
		name := filepath.Base(path)
		if name == "CONTRIBUTING.md" || name == "english_test.go" {
			return
		}
		files++
		for i, line := range strings.Split(string(text), "\n") {
			for _, f := range forms {
				if found := f.form.FindString(line); found != "" {
					t.Errorf("%s:%d: %q must be read twice; write %s", path, i+1, found, f.plain)
				}
			}
		}
	}, ".go", ".md")
	if files < 500 {
		t.Errorf("%d files read: too few", files)
	}
}
