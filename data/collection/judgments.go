package collection

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"headroom/data/parquet"
	"headroom/data/trec"
)

// Train is the split whose qrels are training pairs.
const Train = "train"

// Judgment is one row of a qrels file.
type Judgment struct {
	Query, Document string
	Grade           int
}

// Judgments holds the rows of one split in file order.
type Judgments struct {
	Rows []Judgment
	// Unknown counts the rows whose document is not in the corpus; always 0 for the train split.
	Unknown int
}

// Qrels returns the judgements of a split by query, unknown documents included.
func (c *Collection) Qrels(split string) (trec.Qrels, error) {
	judgments, err := c.Judgments(split)
	if err != nil {
		return nil, err
	}
	qrels := trec.Qrels{}
	for _, row := range judgments.Rows {
		if qrels[row.Query] == nil {
			qrels[row.Query] = map[string]int{}
		}
		qrels[row.Query][row.Document] = row.Grade
	}
	return qrels, nil
}

// JudgedQueries returns the judgements of a split by query. It does not read the corpus, so it does not check documents.
func (c *Collection) JudgedQueries(split string) (trec.Qrels, error) {
	qrels := trec.Qrels{}
	return qrels, c.scan(split, func(query, document string, grade int) {
		if qrels[query] == nil {
			qrels[query] = map[string]int{}
		}
		qrels[query][document] = grade
	})
}

// qrelsOf is the path of a split's judgements.
func (c *Collection) qrelsOf(split string) (string, error) {
	name, ok := c.files.splits[split]
	if !ok {
		return "", fmt.Errorf("open qrels %q of collection %q: %w; %s", split, c.Folder, ErrNoSplit, c.available())
	}
	return c.path(name), nil
}

// scan reads the rows of a split and checks their queries.
func (c *Collection) scan(split string, row func(query, document string, grade int)) error {
	path, err := c.qrelsOf(split)
	if err != nil {
		return err
	}
	asked, err := c.asked()
	if err != nil {
		return err
	}
	return scanQrels(path, func(query, document string, grade int) error {
		if _, ok := asked.at[query]; !ok {
			return fmt.Errorf("query %q is not in %s", query, strings.Join(c.files.queries, ", "))
		}
		row(query, document, grade)
		return nil
	})
}

// Judgments reads the rows of a split and checks their ids against queries and corpus.
func (c *Collection) Judgments(split string) (Judgments, error) {
	path, err := c.qrelsOf(split)
	if err != nil {
		return Judgments{}, err
	}
	if _, err := c.asked(); err != nil { // the smaller file first
		return Judgments{}, err
	}
	held, err := c.outline()
	if err != nil {
		return Judgments{}, err
	}
	var read Judgments
	var missing []string
	err = c.scan(split, func(query, document string, grade int) {
		if _, ok := held.lines[document]; !ok {
			read.Unknown++
			if len(missing) < 5 {
				missing = append(missing, fmt.Sprintf("%q (query %q)", document, query))
			}
		}
		read.Rows = append(read.Rows, Judgment{Query: query, Document: document, Grade: grade})
	})
	if err != nil {
		return Judgments{}, err
	}
	if split == Train && read.Unknown > 0 {
		more := ""
		if read.Unknown > len(missing) {
			more = fmt.Sprintf(" and %d more", read.Unknown-len(missing))
		}
		return Judgments{}, fmt.Errorf("read %s: documents that are not in %s: %s%s", path, strings.Join(c.files.corpus, ", "), strings.Join(missing, ", "), more)
	}
	return read, nil
}

// scanQrels calls row for each judgement of a file, which may be Parquet with the columns
// query-id, corpus-id and score; without a score each is 1.
func scanQrels(path string, row func(query, document string, grade int) error) error {
	if !strings.HasSuffix(path, ".parquet") {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		return trec.ScanQrels(file, path, row)
	}
	return withLines(path, func(text *bufio.Scanner) error {
		in, out := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			out.CloseWithError(rewriteQrels(text, out))
		}()
		err := trec.ScanQrels(in, path, row)
		in.CloseWithError(io.ErrClosedPipe)
		<-done
		return err
	})
}

// rewriteQrels writes Parquet's rows as BEIR's tsv.
func rewriteQrels(text *bufio.Scanner, to io.Writer) error {
	if !text.Scan() {
		return trec.ErrNoJudgements
	}
	columns, err := parquet.ParseHead(text.Bytes())
	if err != nil {
		return err
	}
	names := make([]string, len(columns))
	scored := false
	for i, c := range columns {
		names[i] = c.Name
		scored = scored || c.Name == "score" || c.Name == "relevance" || c.Name == "label"
	}
	if !scored {
		names = append(names, "score")
	}
	if _, err := fmt.Fprintln(to, strings.Join(names, "\t")); err != nil {
		return err
	}
	for text.Scan() {
		cells := parquet.Split(text.Bytes())
		if !scored {
			cells = append(cells, "1")
		}
		if _, err := fmt.Fprintln(to, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return text.Err()
}

func (c *Collection) available() string {
	splits := c.Splits()
	if len(splits) == 0 {
		return "it has none (no qrels/SPLIT.tsv)"
	}
	return "it has " + strings.Join(splits, ", ")
}
