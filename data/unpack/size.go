package unpack

import "archive/zip"

// Claimed is how many bytes of wanted members a zip says that it holds; 0 for archives that
// do not say. It is for planning space alone: Archive counts what comes out.
func Claimed(file string, kind Kind, want func(name string) bool) int64 {
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
