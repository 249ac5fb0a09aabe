package synthetic

import (
	"io"
	"path/filepath"
	"slices"

	"headroom/internal/atomic"
)

// InstallText makes a folder of one text as Ensure makes the built-in collection.
func InstallText(disk atomic.Disk, home, text string) error {
	return install(disk, filepath.Dir(home), home, func(f *atomic.Folder) error {
		err := f.WriteFile("demo/corpus.jsonl", func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		if err != nil {
			return err
		}
		return f.WriteFile(manifest, func(w io.Writer) error { return writeManifest(w, f.Path()) })
	})
}

// Verify is what Ensure does with a folder that is there.
var Verify = verify

// Synonyms returns all words with the meaning of a lower-case word, always in the same order; none for a word
// without a concept.
func (w *World) Synonyms(word string) []string {
	if c := w.lexicon.meaning[word]; c != nil {
		return slices.Clone(c.words)
	}
	return nil
}

// Content reports whether a lower-case word is a word for a concept, a noun or a name, and not one of the few words
// of the templates.
func (w *World) Content(word string) bool { return w.lexicon.content[word] }
