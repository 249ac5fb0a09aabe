package trec

import (
	"fmt"
	"io"
	"strconv"
)

// maxRank is the greatest rank that ReadRunByRank accepts: no ranking is longer.
const maxRank = 1_000_000

// ReadRunByRank reads a run in the order of its rank column, as MS MARCO's script does: TREC's six columns, whose
// score is then ignored, or MS MARCO's `query<TAB>document<TAB>rank`. The score of a row is minus its rank. Ranks
// are integers from 1, each once per query; some may be missing. The other rules are those of ReadRun.
func ReadRunByRank(r io.Reader, name string) (Run, error) { return readRun(r, name, rankedRow) }

func rankedRow(line []byte) (query, doc []byte, score float64, err error) {
	var columns [6][]byte
	var rank []byte
	switch n := fields(line, columns[:]); n {
	case 3:
		query, doc, rank = columns[0], columns[1], columns[2]
	case 6:
		query, doc, rank = columns[0], columns[2], columns[3]
	default:
		return nil, nil, 0, fmt.Errorf("%d columns: a row is `query Q0 document rank score tag`, or MS MARCO's `query document rank`", n)
	}
	n, err := strconv.ParseUint(string(rank), 10, 32)
	if err != nil || n < 1 || n > maxRank {
		return nil, nil, 0, fmt.Errorf("rank %q: an integer from 1 to %d is allowed", rank, maxRank)
	}
	return query, doc, -float64(n), nil
}
