package unpack

import "archive/zip"

// ClaimedSize is the number of bytes that the wanted members of a zip claim to have; 0 for archives
// that do not say. It is only for planning space: Archive counts the real bytes.
func ClaimedSize(file string, kind Kind, want func(name string) bool) int64 {
	if kind != Zip {
		return 0
	}
	archive, err := zip.OpenReader(file)
	if err != nil {
		return 0
	}
	defer archive.Close()
	total := int64(0)
	for _, f := range archive.File {
		if local, err := Local(f.Name); err == nil && (want == nil || want(local)) {
			total += int64(min(f.UncompressedSize64, 1<<50))
		}
	}
	return total
}
