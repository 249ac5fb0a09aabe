package trec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// WriteRun writes a run in TREC's six columns: queries in byte order, each ranked by the ranking rule, ranks
// from 1. Scores have the fewest digits that read back as the same float32 if every score of the run is a float32,
// as in the search's runs, and else as the same float64; so the file has the same ranking and the same ties. The run
// itself is not reordered. Ids and the tag must be words, since white space separates the columns, and a query must
// not start with '#', which begins a comment.
func WriteRun(w io.Writer, run Run, tag string) error {
	if err := checkWord("tag", tag); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	bits := scoreBits(run)
	for _, query := range run.Queries() {
		if err := checkWord("query", query); err != nil {
			return err
		}
		if query[0] == '#' {
			return fmt.Errorf("write run: query %q: a line that starts with # is a comment", query)
		}
		scored := slices.Clone(run[query])
		Rank(scored)
		for i, hit := range scored {
			if err := checkWord("document", hit.Doc); err != nil {
				return fmt.Errorf("%w (query %q)", err, query)
			}
			if math.IsNaN(hit.Score) {
				return fmt.Errorf("write run: query %q, document %q: the score is NaN, which has no rank", query, hit.Doc)
			}
			line = append(line[:0], query...)
			line = append(line, " Q0 "...)
			line = append(line, hit.Doc...)
			line = append(line, ' ')
			line = strconv.AppendInt(line, int64(i+1), 10)
			line = append(line, ' ')
			line = strconv.AppendFloat(line, hit.Score, 'g', -1, bits)
			line = append(line, ' ')
			line = append(line, tag...)
			line = append(line, '\n')
			if _, err := out.Write(line); err != nil {
				return fmt.Errorf("write run: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write run: %w", err)
	}
	return nil
}

func scoreBits(run Run) int {
	for _, scored := range run {
		for _, hit := range scored {
			if float64(float32(hit.Score)) != hit.Score {
				return 64
			}
		}
	}
	return 32
}

func checkWord(what, word string) error {
	if word == "" {
		return fmt.Errorf("write run: %w", errors.New(what+` "": a word without white space is allowed`))
	}
	for i := range len(word) {
		if isSpace(word[i]) {
			return fmt.Errorf("write run: %s %q: a word without white space is allowed", what, word)
		}
	}
	return nil
}
