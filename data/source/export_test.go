package source

import (
	"io"
	"os"

	"headroom/internal/atomic"
)

// CopyBody lets a test write a download to a device that is full.
func CopyBody(to io.Writer, body io.Reader, size int64) error {
	_, err := copyBody(to, body, blob{name: "model.safetensors", size: size}, 0, func(int64) {})
	return err
}

// NoteOn writes a small file into a repository's folder of the cache.
func NoteOn(disk atomic.Disk, folder, name, text string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if disk == (atomic.Disk{}) {
		disk = atomic.On(atomic.Root{Root: root})
	}
	return (&store{root: root, disk: disk}).note(name, text)
}
