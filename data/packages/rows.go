package packages

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/data/parquet"
	"headroom/internal/gunzip"
)

// Miscounted is returned when a file does not have the published number of rows.
type Miscounted struct {
	File      string
	Got, Want int
}

func (e *Miscounted) Error() string {
	return fmt.Sprintf("%s has %d rows; %d are published", e.File, e.Got, e.Want)
}

// checkRows counts the rows of the files in want, and compares the numbers.
func checkRows(folder string, want map[string]int) (map[string]int, error) {
	got := map[string]int{}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		n, err := countRows(filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if got[name] = n; n != want[name] {
			faults = append(faults, &Miscounted{name, n, want[name]})
		}
	}
	return got, errors.Join(faults...)
}

// countRows counts the lines that are not empty, without the header of qrels, or the rows of Parquet.
func countRows(path string) (int, error) {
	if strings.HasSuffix(path, ".parquet") {
		return parquet.Rows(path)
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("count rows: %w", err)
	}
	defer file.Close()
	text, err := gunzip.NewReader(file)
	if err != nil {
		return 0, fmt.Errorf("count rows of %s: %w", path, err)
	}
	n := 0
	lines := bufio.NewReaderSize(text, 1<<18)
	for begin, blank := true, true; ; {
		part, err := lines.ReadSlice('\n')
		if begin && n == 0 && blank && isHeader(part) {
			n--
		}
		blank = blank && len(bytes.TrimSpace(part)) == 0
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			begin = false
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return 0, fmt.Errorf("count rows of %s: %w", path, err)
		}
		if !blank {
			n++
		}
		if err != nil {
			return n, nil
		}
		begin, blank = true, true
	}
}

// isHeader reports whether a line is the header of BEIR's qrels. No row of a corpus can be equal to it.
func isHeader(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(line, []byte("\ufeff")), []byte("query-id\tcorpus-id"))
}
