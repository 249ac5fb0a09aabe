package synthetic

import (
	"io"
	"path/filepath"

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
