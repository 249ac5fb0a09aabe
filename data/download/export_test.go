package download

import "io"

// CopyBody lets a test write a download to a device that is full.
func CopyBody(to io.Writer, body io.Reader, size int64) error {
	_, err := copyBody(to, body, File{Name: "model.safetensors", Size: size}, 0, func(int64) {})
	return err
}
