package trec

import "io"

// ReadRunIn is ReadRun in parts of the given size on the given number of threads.
func ReadRunIn(r io.Reader, name string, size, threads int) (Run, error) {
	return readRunParts(r, name, size, threads, scoredRow)
}
