package trec

import (
	"fmt"
	"io"
	"strconv"
)

// maxRank is the greatest rank that ReadRunByRank takes: a place further down is no place of a ranking.
const maxRank = 1_000_000

// ReadRunByRank reads a run in the order of its rank column, as MS MARCO's script does: TREC's six columns, whose
// score is then ignored, or MS MARCO's `query<TAB>document<TAB>rank`. The score of a row is the rank with the
// other sign. Ranks are integers from 1, each once in a query; some may be missing. Other rules are ReadRun's.
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
