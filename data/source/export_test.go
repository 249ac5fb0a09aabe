package source

import (
	"os"

	"headroom/internal/atomic"
)

// NoteOn writes a small file into a repository's folder of the cache.
func NoteOn(disk atomic.Disk, folder, name, text string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if disk == (atomic.Disk{}) {
		disk = atomic.DiskOn(atomic.Root{Root: root})
	}
	return (&store{root: root, disk: disk}).note(name, text)
}
