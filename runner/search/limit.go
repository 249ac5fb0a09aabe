package search

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// TooLargeError is returned when an index would have more postings than allowed, before the memory is
// used. The usual reason is a collapsed encoder whose documents have nearly every term.
type TooLargeError struct {
	Postings  uint64  // counted, or Estimated from the documents read so far
	Estimated bool    // Postings is an extrapolation to all documents
	Documents int     // read so far
	Mean      float64 // terms per document so far
	Limit     uint64
}

func (e *TooLargeError) Error() string {
	amount := "has"
	if e.Estimated {
		amount = "would have about"
	}
	return fmt.Sprintf("build index: it %s %d postings (%.0f terms per document after %d documents), over the limit of %d: keep fewer terms per text, or allow more postings",
		amount, e.Postings, e.Mean, e.Documents, e.Limit)
}

// bytesPerPosting is the memory per posting while an index is built: up to 6 bytes in a finished block, and more in the
// unfinished one.
const bytesPerPosting = 8

// defaultLimit is the number of postings that fit into three quarters of the memory that this process can still
// get, or a billion if the system does not say.
func defaultLimit() uint64 {
	free := uint64(1_000_000_000 * bytesPerPosting)
	if n, ok := meminfo("/proc/meminfo"); ok {
		free = n / 4 * 3
	}
	if limit, ok := readNumber("/sys/fs/cgroup/memory.max"); ok {
		if used, ok := readNumber("/sys/fs/cgroup/memory.current"); ok && used < limit {
			free = min(free, (limit-used)/4*3)
		}
	}
	return free / bytesPerPosting
}

// meminfo reads the memory that Linux can provide without swapping, in bytes.
func meminfo(path string) (uint64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) >= 2 && string(fields[0]) == "MemAvailable:" {
			kib, err := strconv.ParseUint(string(fields[1]), 10, 54)
			return kib * 1024, err == nil
		}
	}
	return 0, false
}

func readNumber(path string) (uint64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64) // "max", no limit, is not a number
	return n, err == nil
}
