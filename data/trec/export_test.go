package trec

import "io"

// ReadRunIn is ReadRun in parts of so many bytes on so many threads.
func ReadRunIn(r io.Reader, name string, size, threads int) (Run, error) {
	return readRunParts(r, name, size, threads, scoredRow)
}
