// Package docs holds the pages of this folder, so that the program can show them:
// `headroom help sweeps` is sweeps.md.
package docs

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.md
var pages embed.FS

//go:embed calibration/rates/rule.json
var rule []byte

// Rule is the rule of prediction that a calibration fitted, as judge --calibration wrote it.
func Rule() []byte { return rule }

// Index is the name of the page that lists the others.
const Index = "README"

// Topics lists the names of the pages without .md, sorted and without the index.
func Topics() []string {
	files, err := fs.Glob(pages, "*.md")
	if err != nil { // the pattern is valid
		panic(err)
	}
	var topics []string
	for _, file := range files {
		if topic := strings.TrimSuffix(file, ".md"); topic != Index {
			topics = append(topics, topic)
		}
	}
	return topics
}

// Page returns the Markdown of a page, false if there is none of this name.
func Page(topic string) (text string, found bool) {
	page, err := pages.ReadFile(topic + ".md")
	return string(page), err == nil
}
